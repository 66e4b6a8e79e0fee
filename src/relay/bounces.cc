#include "kurir/relay/bounces.hh"

#include "kurir/base/limits.hh"
#include "kurir/directory/places.hh"
#include "kurir/io/clock.hh"
#include "kurir/queue/queue_id.hh"
#include "kurir/store/message_record.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/delivery_report.hh"
#include "kurir/wire/smtp_data.hh"
#include "kurir/wire/smtp_parameters.hh"

namespace kurir::relay {
namespace {

// So much of the message is looked at for its header section.
constexpr std::size_t original_octets_read = limits::report_original_octets_max;

// A reply of the next host, in its words. What we found ourselves is explained in ours.
bool is_said_elsewhere(const queue::Recipient& recipient) {
  return recipient.state != queue::RecipientState::expired && !recipient.last_answer.host().empty();
}

bool has_code(std::string_view reply) { return reply.size() > 3 && reply[3] == ' '; }

// Without code and enhanced status.
std::string_view words_of(std::string_view reply) {
  if (!has_code(reply)) return reply;
  reply.remove_prefix(4);
  const std::size_t space = reply.find(' ');
  return wire::parse_enhanced_status(reply) && space != std::string_view::npos
             ? reply.substr(space + 1)
             : reply;
}

// "550 5.1.1 No such user": the enhanced status where it gives one, else what its class says.
wire::EnhancedStatus status_of(const queue::Envelope& envelope, const queue::Recipient& recipient,
                               queue::Notifier::Kind kind) {
  using queue::Notifier;
  if (kind == Notifier::Kind::delayed && envelope.notifies_when_late()) return {4, 4, 7};
  if (recipient.state == queue::RecipientState::expired)  // RFC 3463 3.5, RFC 2852 4.1
    return {static_cast<std::uint8_t>(envelope.returns_when_late() ? 5 : 4), 4, 7};
  const std::string_view reply = recipient.last_answer.reply();
  if (!has_code(reply)) return {};
  return wire::parse_enhanced_status(reply.substr(4)).value_or(wire::EnhancedStatus{});
}

// What the sender knows the recipient by. It was checked when it came.
std::string original_of(const queue::Envelope& envelope, std::uint16_t ordinal) {
  const std::string_view orcpt = envelope.orcpt_of(ordinal);
  if (orcpt.empty()) return std::string(envelope.recipients[ordinal].original);
  const std::size_t semicolon = orcpt.find(';') + 1;
  return std::string(orcpt.substr(0, semicolon)) + wire::decode_xtext(orcpt.substr(semicolon));
}

// What was passed on to a host that does not report is "relayed" (RFC 3461 5.2.2).
wire::ReportAction action_of(queue::Notifier::Kind kind, const queue::Recipient& recipient) {
  switch (kind) {
    case queue::Notifier::Kind::failed:
      return wire::ReportAction::failed;
    case queue::Notifier::Kind::delayed:
      return wire::ReportAction::delayed;
    case queue::Notifier::Kind::succeeded:
      break;
  }
  return recipient.is_local ? wire::ReportAction::delivered : wire::ReportAction::relayed;
}

}  // namespace

Bounces::Bounces(BounceOptions options, queue::Queue& queue, directory::Directory& directory,
                 store::Reader& reader)
    : options_(std::move(options)), queue_(queue), directory_(directory), reader_(reader) {}

bool Bounces::wants(const queue::Message& message) const {
  return !address_of_sender(message).empty();
}

std::string Bounces::address_of_sender(const queue::Message& message) const {
  const queue::Envelope& envelope = message.envelope;
  if (!envelope.reverse_path.empty()) return std::string(envelope.reverse_path);
  const bool is_first = envelope.is_bounce && envelope.recipients.size() == 1 &&
                        envelope.recipients.front().address != options_.double_bounce_to &&
                        envelope.recipients.front().original != options_.double_bounce_to;
  return is_first ? options_.double_bounce_to : std::string();
}

Task<Result<void>> Bounces::notify(const queue::Message& message,
                                   std::vector<std::uint16_t> ordinals, Kind kind) {
  const std::string original = co_await read_original(message);
  const QueueId id = queue_.make_id();
  const std::string sender = address_of_sender(message);
  const std::string report = compose(message, ordinals, kind, original, id);
  queue::Envelope envelope;
  envelope.recipients = recipients_for(sender);
  envelope.received = io::wall_now();
  envelope.reception = queue::Reception(options_.hostname, "", "local", "");
  envelope.is_bounce = true;
  envelope.requires_tls = message.envelope.requires_tls;  // RFC 8689 5
  // A sender of ours that is gone since: there is nobody to tell.
  if (envelope.recipients.empty()) co_return Result<void>();
  envelope.is_utf8 = wire::has_eight_bit(sender);  // it stands in the report's header
  wire::ContentScanner scanner;
  scanner.feed(report);
  envelope.has_dot_line = scanner.facts().dot_line;
  envelope.is_8bit = scanner.facts().eight_bit;
  const std::string_view piece = report;
  const Result<queue::Message*> appended =
      queue_.append(id, std::move(envelope), {.pieces = std::span(&piece, 1)});
  if (!appended) co_return std::unexpected(appended.error());
  const Result<QueueId> durable = co_await queue_.commit(*appended);
  if (!durable) co_return std::unexpected(durable.error());
  co_return Result<void>();
}

// The header section lies at the begin. What cannot be read is left out: the report matters more.
Task<std::string> Bounces::read_original(const queue::Message& message) {
  Result<store::MessageContent> content =
      co_await store::MessageContent::open(reader_, message.record);
  if (!content) co_return std::string();
  std::string text(std::min<std::uint64_t>(content->size(), original_octets_read), '\0');
  const Result<std::size_t> count = co_await content->read(0, text);
  text.resize(count.value_or(0));
  co_return text;
}

std::string Bounces::compose(const queue::Message& message,
                             const std::vector<std::uint16_t>& ordinals, Kind kind,
                             const std::string& original, QueueId id) const {
  const queue::Envelope& envelope = message.envelope;
  std::vector<wire::ReportedRecipient> recipients;
  std::vector<std::string> originals;  // shown by the recipients
  originals.reserve(ordinals.size());
  for (const std::uint16_t ordinal : ordinals) {
    const queue::Recipient& recipient = envelope.recipients[ordinal];
    wire::ReportedRecipient reported;
    reported.address = recipient.address;
    originals.push_back(original_of(envelope, ordinal));
    reported.original = originals.back();
    reported.action = action_of(kind, recipient);
    reported.status = status_of(envelope, recipient, kind);
    if (is_said_elsewhere(recipient)) {
      reported.remote_reply = recipient.last_answer.reply();
      reported.remote_name = recipient.last_answer.host();
      reported.remote_ip = recipient.last_answer.address();
    } else {
      reported.explanation = words_of(recipient.last_answer.reply());
    }
    if (recipient.last_attempt.microseconds > 0) reported.last_attempt = recipient.last_attempt;
    if (kind == Kind::delayed)
      reported.tried_until =
          WallTime{envelope.received.microseconds +
                   std::chrono::duration_cast<std::chrono::microseconds>(options_.max_age).count()};
    recipients.push_back(reported);
  }
  const std::string sender = address_of_sender(message);
  const std::string report_id = queue::text_of(id);
  wire::DeliveryReport report;
  report.hostname = options_.hostname;
  report.report_id = report_id;
  report.sender = sender;
  report.now = io::wall_now();
  report.arrived = envelope.received;
  report.received_from = envelope.reception.helo();
  report.recipients = recipients;
  report.original = original;
  const std::string envid =
      envelope.extras ? wire::decode_xtext(envelope.extras->envid) : std::string();
  report.envelope_id = envid;
  report.return_full = kind == Kind::failed && envelope.returned == queue::Returned::full &&
                       !envelope.requires_tls && original.size() == message.content_octets;
  return wire::compose_delivery_report(report);
}

queue::Recipients Bounces::recipients_for(const std::string& address) const {
  const Shared<const directory::Snapshot> names = directory_.pin();
  queue::Recipients recipients;
  for (const directory::Place& place : directory::places_of(address, names->resolve(address))) {
    queue::Recipient recipient;
    recipient.address = place.address;
    if (place.address != address) recipient.original = address;
    recipient.is_local = place.is_local;
    recipients.push_back(std::move(recipient));
  }
  return recipients;
}

}  // namespace kurir::relay
