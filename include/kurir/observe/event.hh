#pragma once
// Events: one JSON line for each thing that happens to a message, with KumoMTA's record types and
// fields, so that existing dashboards fit, and our additions (durable_time, first_attempt_time,
// stage_us, shard). A plain value of views: written out at once. Any core.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "kurir/base/clock.hh"

namespace kurir::observe {

enum class EventType : std::uint8_t {
  reception,          // accepted, durable
  delivery,           // in a mailbox, or taken by the next host
  transient_failure,  // put off
  bounce,             // refused for good
  expiration,         // max_age passed
  admin_bounce,       // taken out by an administrator
  delayed,            // waits although no attempt failed
  rejection,          // not accepted
  damage,             // a record on the disk does not match its checksum any more
};

struct Response {
  std::uint16_t code = 0;     // 0: none
  std::string_view enhanced;  // "5.1.1"; empty: none; anything else goes before the content
  std::string_view content;
  std::string_view command;  // "RCPT TO", "." and so on; empty: none
};

struct EventField {
  std::string_view name, value;
};

// An empty view and a time of 0 mean "not known": null, or left out where KumoMTA leaves it out.
struct Event {
  EventType type = EventType::reception;
  std::string_view id;  // the queue id as text
  std::string_view sender;
  std::string_view recipient;
  std::span<const std::string_view> recipients;  // where not empty, instead of `recipient`
  std::string_view queue;  // KumoMTA's name of the scheduled queue: campaign:tenant@domain
  std::string_view site;   // of the next hop
  std::uint64_t size = 0;
  Response response;
  std::string_view peer_name;     // what it said in EHLO, or the name from its MX record
  std::string_view peer_address;  // without the port
  WallTime event_time;            // when it happened
  WallTime created;               // when the message was accepted
  WallTime durable_time;          // when its commit ended
  WallTime first_attempt_time;
  unsigned num_attempts = 0;
  std::string_view bounce_classification;
  std::string_view egress_pool, egress_source;
  // In `meta`, where KumoMTA has them: authn_id, and the client's address and port.
  std::string_view user, received_from;
  std::span<const EventField> meta, headers;
  std::string_view reception_protocol, delivery_protocol;
  std::string_view nodeid;  // a UUID; EventLog sets it where it is empty
  std::string_view tls_cipher, tls_protocol_version;
  std::string_view session_id;  // a UUID
  std::uint16_t shard = 0;
  // Stage times; -1: not measured.
  std::int64_t receive_us = -1, commit_us = -1, queue_us = -1, connect_us = -1, data_us = -1;
};

std::string_view name_of(EventType type);

// The line with its LF. Every string is made harmless: valid UTF-8, controls and bidirectional
// marks escaped, at most event_field_octets_max octets each (threats.md D6). An event without
// a nodeid has `node_id`.
void append_json_line(std::string& out, const Event& event, std::string_view node_id = {});

}  // namespace kurir::observe
