#pragma once
// Events: one JSON line for each thing that happens to a message, with KumoMTA's record types and fields, so that existing
// dashboards fit, and our additions (stage times, shard). A plain value of views: written out at once. Any core.

#include <cstdint>
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
  delayed,            // the sender was warned
  rejection,          // not accepted
};

struct Response {
  std::uint16_t code = 0;  // 0: none
  std::string_view enhanced;  // "5.1.1"; empty: none
  std::string_view content;
  std::string_view command;
};

struct Event {
  EventType type = EventType::reception;
  std::string_view id;         // the queue id as text; empty: none
  std::string_view sender;
  std::string_view recipient;
  std::string_view queue;      // KumoMTA's name of the scheduled queue: the recipient's domain
  std::string_view site;
  std::uint64_t size = 0;
  Response response;
  std::string_view peer_name, peer_address;
  WallTime event_time;         // when it happened
  WallTime created;            // when the message was accepted
  unsigned num_attempts = 0;
  std::string_view user;       // authenticated as
  std::string_view reception_protocol, delivery_protocol;
  std::uint16_t shard = 0;
  std::int64_t receive_us = -1, commit_us = -1, queue_us = -1;  // stage times; -1: not measured
};

std::string_view name_of(EventType type);

// The line with its LF. Every string is made harmless: valid UTF-8, controls and bidirectional marks escaped, at most
// 1024 octets each (threats.md D6).
void append_json_line(std::string& out, const Event& event);

}  // namespace kurir::observe
