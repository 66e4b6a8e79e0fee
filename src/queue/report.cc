// What happens to a message, as events.

#include <algorithm>

#include "kurir/io/clock.hh"
#include "kurir/queue/queue.hh"
#include "kurir/queue/queue_id.hh"
#include "kurir/wire/bounce_category.hh"

namespace kurir::queue {
namespace {

observe::EventType type_of(RecipientState state) {
  switch (state) {
    case RecipientState::waiting:
      return observe::EventType::transient_failure;
    case RecipientState::delivered:
      return observe::EventType::delivery;
    case RecipientState::bounced:
      return observe::EventType::bounce;
    case RecipientState::expired:
      return observe::EventType::expiration;
    case RecipientState::removed:
      return observe::EventType::admin_bounce;
  }
  return observe::EventType::bounce;
}

// "550 5.1.1 No such user" in its parts.
observe::Response parts_of(std::string_view reply) {
  observe::Response response;
  if (reply.size() < 4 || reply[3] != ' ') {
    response.content = reply;
    return response;
  }
  response.code =
      static_cast<std::uint16_t>((reply[0] - '0') * 100 + (reply[1] - '0') * 10 + (reply[2] - '0'));
  reply.remove_prefix(4);
  const std::size_t space = reply.find(' ');
  if (space != std::string_view::npos &&
      reply.substr(0, space).find('.') != std::string_view::npos) {
    response.enhanced = reply.substr(0, space);
    reply.remove_prefix(space + 1);
  }
  response.content = reply;
  return response;
}

wire::BounceCategory classify(const observe::Response& response) {
  const auto status = wire::parse_enhanced_status(response.enhanced);
  return wire::bounce_category(response.code, status.value_or(wire::EnhancedStatus{}),
                               response.content);
}

}  // namespace

void Queue::report(const Message& message, const Recipient& recipient, const Outcome& outcome) {
  if (outcome.state == RecipientState::waiting) counters_.add(observe::Counter::messages_deferred);
  if (outcome.state == RecipientState::bounced) counters_.add(observe::Counter::messages_bounced);
  const std::string id = text_of(message.id);
  observe::Event event = event_of(message, recipient, id);
  event.type = outcome.by_administrator ? observe::EventType::admin_bounce : type_of(outcome.state);
  event.response = parts_of(outcome.reply);
  event.response.command = outcome.command;
  if (outcome.state == RecipientState::bounced || outcome.state == RecipientState::expired ||
      outcome.state == RecipientState::waiting)
    event.bounce_classification = wire::name_of(classify(event.response));
  if (outcome.hop != nullptr) {
    event.site = outcome.hop->site;
    event.peer_name = outcome.hop->name;
    event.peer_address = outcome.hop->address;
    event.egress_source = outcome.hop->source;
    event.egress_pool = outcome.hop->pool;
    event.tls_protocol_version = outcome.hop->tls_protocol;
    event.tls_cipher = outcome.hop->tls_cipher;
    event.connect_us = outcome.hop->connect_us;
    event.data_us = outcome.hop->data_us;
  }
  events_.write(event);
}

void Queue::report_delay(const Message& message, const Recipient& recipient) {
  const std::string id = text_of(message.id);
  observe::Event event = event_of(message, recipient, id);
  event.type = observe::EventType::delayed;
  event.response = parts_of(recipient.last_answer.reply());
  events_.write(event);
}

// What every record of a recipient says; it views the message and the id.
observe::Event Queue::event_of(const Message& message, const Recipient& recipient,
                               std::string_view id) const {
  observe::Event event;
  event.id = id;
  event.sender = message.envelope.reverse_path;
  event.recipient = recipient.address;
  event.queue = domain_of(recipient.address);
  event.size = message.content_octets;
  event.event_time = io::wall_now();
  event.created = message.envelope.received;
  event.durable_time = message.durable;
  event.first_attempt_time = recipient.first_attempt;
  event.user = message.envelope.reception.user();
  event.received_from = message.envelope.reception.peer_address();
  event.num_attempts = recipient.attempts;
  event.reception_protocol = message.envelope.reception.protocol();
  event.delivery_protocol = recipient.is_local ? "Mailbox" : "ESMTP";
  event.shard = shard_.value;
  event.queue_us =
      std::chrono::duration_cast<std::chrono::microseconds>(io::now() - message.arrived).count();
  return event;
}

void Queue::report_reception(const Message& message) {
  const std::string id = text_of(message.id);
  const auto peer = io::SocketAddress::parse(message.envelope.reception.peer_address());
  const std::string host = peer ? peer->host() : std::string();  // made here: no peer
  for (const Recipient& recipient : message.envelope.recipients) {
    observe::Event event = event_of(message, recipient, id);
    event.type = observe::EventType::reception;
    event.delivery_protocol = {};
    event.queue_us = -1;
    event.response = {.code = 250, .enhanced = "2.0.0", .content = "queued"};
    event.peer_name = message.envelope.reception.helo();
    event.peer_address = host;
    event.receive_us = message.envelope.receive_us;
    const Nanoseconds commit = std::max(io::now() - message.arrived, Nanoseconds(0));
    event.commit_us = std::chrono::duration_cast<std::chrono::microseconds>(commit).count();
    events_.write(event);
  }
}

}  // namespace kurir::queue
