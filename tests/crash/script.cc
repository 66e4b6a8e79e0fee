#include "script.hh"

#include <algorithm>
#include <cstring>

#include "kurir/coro/event.hh"
#include "kurir/io/clock.hh"
#include "kurir/store/message_record.hh"

namespace kurir::crash {
namespace {

constexpr AccountId bob(7);
constexpr std::string_view other_folder = "Other", some_folder = "Some", renamed_folder = "Renamed";
constexpr std::size_t small_octets = 300, piece_octets = 8000, pieces = 3;

// "00000012 " and so on: the number of the message stands at each place of its content.
std::string content_of(unsigned number, std::size_t octets) {
  char word[10];
  std::snprintf(word, sizeof word, "%08u ", number);
  std::string content = "Subject: " + std::string(word) + "\r\n\r\n";
  while (content.size() + 9 <= octets) content.append(word, 9);
  return content;
}

std::string key_of(unsigned number) { return "message " + std::to_string(number); }

// The whole content, or empty where it is not as it was written; the key of what it is.
Task<std::string> read_content(store::Reader& reader, store::RecordRef ref) {
  Result<store::MessageContent> content = co_await store::MessageContent::open(reader, ref);
  if (!content) co_return std::string();
  std::string octets;
  while (octets.size() < content->size()) {
    const Result<std::string_view> piece = co_await content->view(octets.size());
    if (!piece || piece->empty()) co_return std::string();
    octets += *piece;
  }
  if (octets.size() < 18) co_return std::string();
  const auto number = static_cast<unsigned>(std::strtoul(octets.c_str() + 9, nullptr, 10));
  const bool is_it = octets == content_of(number, octets.size());
  co_return is_it ? key_of(number) : std::string();
}

std::string state_in(std::string_view folder, mailbox::FlagWord flags) {
  return std::string(folder) + (flags != 0 ? " flagged" : "");
}

struct InMailbox {
  std::string folder;
  std::uint32_t uid;
  mailbox::FlagWord flags;
  store::RecordRef content;
};

std::vector<InMailbox> all_mail(mailbox::Account& account, std::vector<std::string>& folders) {
  std::vector<InMailbox> mail;
  constexpr mailbox::NumberRange all{1, ~std::uint32_t{0}};
  for (const mailbox::Folder& folder : account.tree().folders) {
    folders.push_back(folder.name);
    if (!folder.mailbox) continue;
    folder.mailbox->snapshot().walk(all, [&](const mailbox::Located& at) {
      mail.push_back(
          {folder.name, at.entry().uid().value, at.entry().flags(), at.entry().content()});
    });
  }
  return mail;
}

}  // namespace

Task<void> Script::run(std::string letters) {
  for (const char letter : letters) co_await operate(letter);
}

Task<void> Script::operate(char letter) {
  switch (letter) {
    case 'L':
    case 'R':
    case 'Y':
    case 'X':
      co_await accept(letter == 'L' || letter == 'Y', letter == 'Y' || letter == 'X');
      break;
    case 'D':
      co_await deliver();
      break;
    case 'S':
      relay(queue::RecipientState::delivered);
      break;
    case 'B':
      relay(queue::RecipientState::bounced);
      break;
    case 'P':
      relay(queue::RecipientState::waiting);
      break;
    case 'W':
      co_await sync();
      break;
    case 'a':
      co_await append();
      break;
    case 'f':
    case 'e':
      co_await change(letter);
      break;
    case 'm':
    case 'c':
      co_await transfer(letter == 'm');
      break;
    case 'n':
    case 'r':
    case 'd':
      co_await folder(letter);
      break;
    case 'K':
      static_cast<void>(co_await house_.checkpoint());
      break;
    case 'C':
      co_await house_.compact();
      break;
    case 'T':
      co_await sleep_for(Seconds(2));
      break;
    default:
      KURIR_ASSERT(false);
  }
}

Task<void> Script::accept(bool is_local, bool is_large) {
  const unsigned number = ++ledger_.messages;
  const std::string content =
      content_of(number, is_large ? piece_octets * pieces + small_octets : small_octets);
  const Ledger::Key key = key_of(number);
  const std::size_t step = ledger_.begin(key, "queued");
  std::vector<store::RecordRef> extents;
  const std::size_t ahead = is_large ? piece_octets * pieces : 0;
  for (std::size_t at = 0; at < ahead; at += piece_octets) {
    const Result<store::RecordRef> extent = co_await house_.queue().write_extent(
        is_local, std::string_view(content).substr(at, piece_octets));
    if (!extent) {
      house_.queue().release_extents(is_local, extents);
      co_return;
    }
    extents.push_back(*extent);
  }
  queue::Envelope envelope;
  envelope.reverse_path = std::string_view("sender@example.org");
  envelope.received = io::wall_now();
  queue::Recipient& recipient = envelope.recipients.emplace_back();
  recipient.address = std::string_view(key);
  recipient.is_local = is_local;
  const Result<void> roomy =
      co_await house_.queue().room(content.size() - ahead, deadline_in(Seconds(5)));
  if (!roomy) {
    house_.queue().release_extents(is_local, extents);
    co_return;
  }
  const std::string_view rest[] = {std::string_view(content).substr(ahead)};
  const Result<queue::Message*> message =
      house_.queue().append(house_.queue().make_id(), std::move(envelope),
                            {.extents = extents, .extent_octets = ahead, .pieces = rest});
  if (!message) {
    house_.queue().release_extents(is_local, extents);
    co_return;
  }
  const Result<QueueId> committed = co_await house_.queue().commit(*message);
  if (!committed) co_return;
  ledger_.end(key, step);
  ++ledger_.acknowledged;
}

queue::Job* Script::oldest(bool is_local) {
  const auto is_wanted = [is_local](queue::Job* job) {
    return job->message.envelope.recipients[0].is_local == is_local;
  };
  const auto found = std::ranges::find_if(house_.holds.jobs, is_wanted);
  if (found == house_.holds.jobs.end()) return nullptr;
  queue::Job* job = *found;
  house_.holds.jobs.erase(found);
  house_.queue().take_up(*job);
  return job;
}

Task<void> Script::deliver() {
  queue::Job* job = oldest(true);
  if (job == nullptr) co_return;
  queue::Message& message = job->message;
  const Ledger::Key key(std::string_view(message.envelope.recipients[0].address));
  const std::size_t step = ledger_.begin(key, state_in("INBOX", 0));
  mailbox::Arrival arrival;
  arrival.content = message.record;
  arrival.origin = message.id;
  arrival.size = static_cast<std::uint32_t>(message.content_octets);
  const Result<mailbox::AppendOutcome> done =
      co_await house_.owner().deliver(bob, "", true, 0, arrival);
  if (done) {
    ledger_.end(key, step);
    ++ledger_.acknowledged;
    for (const Uid uid : done->uids) ledger_.uid_last = std::max(ledger_.uid_last, uid.value);
  }
  const queue::Outcome outcome{
      .state = done ? queue::RecipientState::delivered : queue::RecipientState::waiting,
      .reply = done ? "250 ok" : "451 later"};
  house_.queue().settle(message, 0, outcome);
  house_.queue().finish(*job);
}

void Script::relay(queue::RecipientState state) {
  queue::Job* job = oldest(false);
  if (job == nullptr) return;
  const Ledger::Key key(std::string_view(job->message.envelope.recipients[0].address));
  const bool ends = state != queue::RecipientState::waiting;
  if (ends) unsynced_.emplace_back(key, ledger_.begin(key, gone));
  const queue::Outcome outcome{.state = state, .reply = ends ? "250 ok" : "451 later"};
  house_.queue().settle(job->message, 0, outcome);
  house_.queue().finish(*job);
}

Task<void> Script::sync() {
  const auto ends = std::exchange(unsynced_, {});
  const Result<void> synced = co_await house_.queue().sync_outcomes();
  // Only the checkpoint knows of a failure before the last record.
  if (!synced || !ledger_.is_whole) co_return;
  for (const auto& [key, step] : ends) ledger_.end(key, step);
}

Task<Result<MailboxId>> Script::mailbox(std::string name) {
  const Result<Shared<mailbox::Account>> account = co_await house_.owner().open(bob);
  if (!account) co_return std::unexpected(account.error());
  const mailbox::Folder* folder = (*account)->tree().find(name);
  if (folder == nullptr || !folder->mailbox) co_return fail(Errc::not_found, Origin::mailbox);
  co_return folder->mailbox->id();
}

Task<void> Script::append() {
  const unsigned number = ++ledger_.messages;
  const std::string content = content_of(number, small_octets);
  const Ledger::Key key = key_of(number);
  const std::size_t step = ledger_.begin(key, state_in("INBOX", 0));
  store::MessageEnvelope envelope;
  envelope.received = io::wall_now();
  envelope.content_octets = content.size();
  const std::string head = store::encode_message(envelope, content.size());
  const Result<void> roomy =
      co_await house_.mail().room(head.size() + content.size(), deadline_in(Seconds(5)));
  if (!roomy) co_return;
  const Result<store::RecordRef> record =
      house_.mail().append(store::record_type::message, {head, content});
  if (!record) co_return;
  const Result<void> committed = co_await house_.mail().commit(*record);
  if (!committed) co_return;
  mailbox::Arrival arrival;
  arrival.content = *record;
  arrival.size = static_cast<std::uint32_t>(content.size());
  const Result<MailboxId> inbox = co_await mailbox("INBOX");
  if (!inbox) co_return;
  std::vector<mailbox::Arrival> arrivals{arrival};
  const Result<mailbox::AppendOutcome> done =
      co_await house_.owner().append(bob, *inbox, std::move(arrivals));
  if (!done) co_return;
  ledger_.end(key, step);
  ++ledger_.acknowledged;
  for (const Uid uid : done->uids) ledger_.uid_last = std::max(ledger_.uid_last, uid.value);
}

Task<void> Script::change(char letter) {
  const Result<MailboxId> inbox = co_await mailbox("INBOX");
  if (!inbox) co_return;
  std::vector<std::string> folders;
  std::vector<InMailbox> mail = all_mail(*house_.owner().accounts().find(bob), folders);
  std::erase_if(mail, [](const InMailbox& one) { return one.folder != "INBOX"; });
  if (mail.empty()) co_return;
  const std::size_t place = letter == 'f' ? mail.size() - 1 : 0;
  const InMailbox chosen = mail[place];
  const Ledger::Key key = co_await read_content(house_.reader(), chosen.content);
  if (key.empty()) co_return;
  const std::vector<mailbox::NumberRange> uids{{chosen.uid, chosen.uid}};
  const std::size_t step = ledger_.begin(key, letter == 'f' ? state_in("INBOX", 1) : gone);
  bool is_done = false;
  if (letter == 'f') {
    mailbox::FlagNames flags;
    flags.system = 1;
    const auto done = co_await house_.owner().change_flags(
        bob, *inbox, uids, mailbox::FlagsMode::add, flags, mailbox::any_modseq);
    is_done = done.has_value();
  } else {
    const auto done = co_await house_.owner().expunge(bob, *inbox, uids, false);
    is_done = done.has_value();
  }
  if (!is_done) co_return;
  ledger_.end(key, step);
  ++ledger_.acknowledged;
}

// A copy is a thing of its own: it has the key of its message and "copy".
Task<void> Script::transfer(bool moves) {
  static_cast<void>(co_await house_.owner().create_folder(bob, std::string(other_folder),
                                                          mailbox::SpecialUse::none));
  const Result<MailboxId> inbox = co_await mailbox("INBOX");
  const Result<MailboxId> other = co_await mailbox(std::string(other_folder));
  if (!inbox || !other) co_return;
  std::vector<std::string> folders;
  std::vector<InMailbox> mail = all_mail(*house_.owner().accounts().find(bob), folders);
  std::erase_if(mail, [](const InMailbox& one) { return one.folder != "INBOX"; });
  if (mail.empty()) co_return;
  const InMailbox chosen = mail.front();
  Ledger::Key key = co_await read_content(house_.reader(), chosen.content);
  if (key.empty()) co_return;
  if (!moves) key += " copy";
  const std::size_t step = ledger_.begin(key, state_in(other_folder, chosen.flags));
  const std::vector<mailbox::NumberRange> uids{{chosen.uid, chosen.uid}};
  const Result<mailbox::CopyOutcome> done =
      co_await house_.owner().copy(bob, *inbox, uids, *other, moves);
  if (!done) co_return;
  ledger_.end(key, step);
  ++ledger_.acknowledged;
}

Task<void> Script::folder(char letter) {
  const std::string some(some_folder), renamed(renamed_folder);
  Result<void> done;
  std::vector<std::pair<std::string, std::size_t>> steps;
  if (letter == 'n') {
    steps.emplace_back(some, ledger_.begin(some, "there"));
    done = co_await house_.owner().create_folder(bob, some, mailbox::SpecialUse::none);
  } else if (letter == 'r') {
    steps.emplace_back(some, ledger_.begin(some, gone));
    steps.emplace_back(renamed, ledger_.begin(renamed, "there"));
    done = co_await house_.owner().rename_folder(bob, some, renamed);
  } else {
    steps.emplace_back(renamed, ledger_.begin(renamed, gone));
    done = co_await house_.owner().delete_folder(bob, renamed);
  }
  if (!done) co_return;
  for (const auto& [key, step] : steps) ledger_.end(key, step);
  ++ledger_.acknowledged;
}

namespace {

void add_state(std::map<Ledger::Key, std::string>& found, Ledger::Key key, std::string state,
               std::vector<std::string>& violations) {
  if (key.empty()) {
    violations.push_back("content of " + state + " is damaged");
    return;
  }
  if (state.starts_with(other_folder) && found.contains(key)) key += " copy";
  if (found.contains(key) && found[key] != "queued")
    violations.push_back(key + " is " + found[key] + " and " + state);
  found[key] = std::move(state);
}

}  // namespace

Task<void> check(ShardHouse& house, Ledger& ledger, std::vector<std::string>& violations) {
  if (house.damaged > 0) violations.push_back("damage was found");
  std::map<Ledger::Key, std::string> found;
  std::vector<std::pair<store::RecordRef, bool>> queued;
  house.queue().for_each([&](const queue::Message& message) {
    const bool was_delivered =
        message.envelope.recipients[0].is_local && house.owner().was_delivered(message.id, 0);
    queued.emplace_back(message.record, was_delivered);
  });
  for (const auto& [record, was_delivered] : queued) {
    const Ledger::Key key = co_await read_content(house.reader(), record);
    if (!was_delivered) add_state(found, key, "queued", violations);
  }
  const Result<Shared<mailbox::Account>> account = co_await house.owner().open(bob);
  if (!account) {
    violations.emplace_back("the account does not open");
    co_return;
  }
  std::vector<std::string> folders;
  const std::vector<InMailbox> mail = all_mail(**account, folders);
  for (const InMailbox& one : mail) {
    const Ledger::Key key = co_await read_content(house.reader(), one.content);
    if (found.contains(key) && found[key] == "queued")
      violations.push_back(key + " is in a mailbox and would be delivered again");
    add_state(found, key, state_in(one.folder, one.flags), violations);
  }
  for (const std::string& name : folders)
    if (name == some_folder || name == renamed_folder) found[name] = "there";
  for (const auto& [key, state] : found)
    if (!ledger.is_allowed(key, state))
      violations.push_back(key + " is '" + state + "', but:" + ledger.explain(key));
  for (const Ledger::Key& key : ledger.keys())
    if (!found.contains(key) && !ledger.is_allowed(key, gone))
      violations.push_back(key + " is lost:" + ledger.explain(key));
}

}  // namespace kurir::crash
