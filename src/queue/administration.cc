// What an administrator does to messages, in slices: journalled, then applied, then committed, so
// that what was answered outlasts a crash.

#include <algorithm>
#include <array>

#include "kurir/io/clock.hh"
#include "kurir/queue/queue.hh"

namespace kurir::queue {
namespace {

using Kind = AdministratorCommand::Kind;

constexpr Nanoseconds room_wait_max = Seconds(30);
constexpr std::size_t record_octets_max = 128;  // of an order without its reply, header included
constexpr std::size_t slice_octets_max = 256 << 10;  // of journal
constexpr std::string_view bounce_reply = "554 5.7.0 Returned by the administrator";
constexpr std::string_view remove_reply = "removed by an administrator";
constexpr std::size_t reason_octets_max = 200;

// One line, and short: it goes into a bounce, an event and the journal.
std::string reply_of(const AdministratorCommand& command) {
  std::string reply(bounce_reply);
  if (command.reason.empty()) return reply;
  reply += ": ";
  for (const char c : command.reason.substr(0, reason_octets_max))
    reply += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return reply;
}

bool is_busy(const Message& message, const Recipient& recipient) {
  return recipient.is_in_flight || (recipient.awaits_report && message.is_reporting);
}

// Whether the command does something to this recipient, or, being about messages, to its message.
bool concerns(Kind kind, const Message& message, const Recipient& recipient) {
  switch (kind) {
    case Kind::retry:
      return recipient.state == RecipientState::waiting && !message.is_held &&
             message.arrived <= io::now();  // not before its release (RFC 4865)
    case Kind::hold:
      return !message.is_held;
    case Kind::release:
      return message.is_held;
    case Kind::bounce:
      return recipient.state == RecipientState::waiting;
    case Kind::remove:
      return true;
  }
  return false;
}

bool is_about_messages(Kind kind) { return kind == Kind::hold || kind == Kind::release; }

}  // namespace

std::optional<Kind> parse_administrator_kind(std::string_view name) {
  static constexpr std::array<std::string_view, 5> names = {"retry", "hold", "release", "bounce",
                                                            "remove"};
  const auto place = std::ranges::find(names, name);
  if (place == names.end()) return std::nullopt;
  return static_cast<Kind>(place - names.begin());
}

Task<Result<Administered>> Queue::administrate(Walk& walk, const AdministratorCommand& command) {
  Administered done;
  if (!command.is_dry_run) {
    if (stopping_) co_return fail(Errc::cancelled, Origin::queue);
    const Result<void> room =
        co_await logs_.journal->room(slice_octets_max, deadline_in(room_wait_max));
    if (!room) co_return std::unexpected(room.error());
  }
  walk.begin_slice();
  const store::RecordRef before = journal_last_;
  std::size_t octets = 0;
  while (octets < slice_octets_max) {
    Message* message = walk.next_message();
    if (message == nullptr) break;
    const std::size_t needed =
        message->envelope.recipients.size() * (record_octets_max + bounce_reply.size() +
                                               std::min(command.reason.size(), reason_octets_max));
    const std::size_t asked = std::min(needed, logs_.journal->record_payload_max());
    if (!command.is_dry_run && !logs_.journal->has_room(asked)) {
      walk.put_back(*message);
      break;
    }
    octets += needed;
    done += administrate_one(*message, walk.filter_, command);
  }
  if (journal_last_ != before) {
    const Result<void> committed = co_await logs_.journal->commit(journal_last_);
    if (!committed) co_return std::unexpected(committed.error());
  }
  co_return done;
}

// The message may be gone afterwards.
Administered Queue::administrate_one(Message& message, const Filter& filter,
                                     const AdministratorCommand& command) {
  Administered done;
  const WallTime now = io::wall_now();
  std::vector<std::uint16_t> ordinals;
  Recipients& recipients = message.envelope.recipients;
  for (std::size_t ordinal = 0; ordinal < recipients.size(); ++ordinal) {
    const Recipient& recipient = recipients[ordinal];
    if (!filter.matches(message, recipient, now) || !concerns(command.kind, message, recipient))
      continue;
    if (!is_about_messages(command.kind) && is_busy(message, recipient)) {
      ++done.busy;
      continue;
    }
    ordinals.push_back(static_cast<std::uint16_t>(ordinal));
  }
  if (ordinals.empty()) return done;
  done.messages = 1;
  done.recipients = ordinals.size();
  if (command.is_dry_run) return done;
  switch (command.kind) {
    case Kind::retry:
      retry(message, ordinals);
      break;
    case Kind::hold:
    case Kind::release:
      set_held(message, command.kind == Kind::hold);
      break;
    case Kind::bounce:
    case Kind::remove:
      take_out(message, ordinals, command);
      break;
  }
  return done;
}

void Queue::journal_order(const Message& message, AdministratorOrder order, std::uint16_t ordinal,
                          std::string_view reply) {
  const std::string payload =
      encode(AdministratorOrdered{message.id, io::wall_now(), ordinal, order, reply});
  const Result<store::RecordRef> written =
      logs_.journal->append(record_administrator_order, payload);
  if (written) journal_last_ = *written;
}

void Queue::retry(Message& message, const std::vector<std::uint16_t>& ordinals) {
  for (const std::uint16_t ordinal : ordinals) {
    Recipient& recipient = message.envelope.recipients[ordinal];
    journal_order(message, AdministratorOrder::retry, ordinal, {});
    if (!recipient.is_offered) recipient.next_attempt = io::now();
  }
  for (Job* job = message.jobs.first(); job != nullptr; job = job->next) {
    const bool is_meant = std::ranges::any_of(job->ordinals, [&](std::uint16_t ordinal) {
      return std::ranges::binary_search(ordinals, ordinal);
    });
    if (is_meant && !job->in_flight) job->deliverer.hurry(*job);
  }
  schedule(message);
}

void Queue::set_held(Message& message, bool held) {
  journal_order(message, held ? AdministratorOrder::hold : AdministratorOrder::release,
                AdministratorOrdered::all_recipients, {});
  message.is_held = held;
  if (held) withdraw_jobs(message);
  count(message);
  schedule(message);
}

void Queue::take_out(Message& message, const std::vector<std::uint16_t>& ordinals,
                     const AdministratorCommand& command) {
  const bool is_bounce = command.kind == Kind::bounce;
  const std::string reply = is_bounce ? reply_of(command) : std::string(remove_reply);
  withdraw_jobs(message);  // what stays of them is offered again
  for (const std::uint16_t ordinal : ordinals) {
    if (is_bounce) {
      if (is_told_of_failure(message, message.envelope.recipients[ordinal]))
        journal_order(message, AdministratorOrder::bounce, ordinal, reply);
      settle(message, ordinal,
             {.state = RecipientState::bounced, .reply = reply, .by_administrator = true});
    } else {
      remove_recipient(message, ordinal, reply);
    }
  }
  schedule(message);
}

// Also of one that failed already and whose sender was to be told.
void Queue::remove_recipient(Message& message, std::size_t ordinal, std::string_view reply) {
  Recipient& recipient = message.envelope.recipients[ordinal];
  recipient.awaits_report = false;
  recipient.state = RecipientState::waiting;
  settle(message, ordinal,
         {.state = RecipientState::removed, .reply = reply, .by_administrator = true});
}

}  // namespace kurir::queue
