#pragma once
// A message in the queue: its envelope, the state of each recipient, its one timer. Core-local: it
// belongs to the shard that received it.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/base/ids.hh"
#include "kurir/base/intrusive_list.hh"
#include "kurir/coro/timer_wheel.hh"
#include "kurir/store/record_ref.hh"

namespace kurir::queue {

// The states of a recipient. Everything but `waiting` is an end; a message whose recipients have
// all ended leaves the queue. src/README.md says what a crash leaves in each.
enum class RecipientState : std::uint8_t {
  waiting = 0,    // to be attempted, now or at next_attempt
  delivered = 1,  // in a mailbox, or taken by the next host
  bounced = 2,    // refused for good; the sender was told
  expired = 3,    // max_age passed; the sender was told
  removed = 4,    // an administrator took it out; nobody was told
};

std::string_view name_of(RecipientState state);

struct Recipient {
  std::string address;   // where it goes: after aliases, in normal form
  std::string original;  // as the client gave it, where that differs; else empty
  bool is_local = false;
  RecipientState state = RecipientState::waiting;
  std::uint16_t attempts = 0;
  WallTime last_attempt;
  std::string last_reply;  // of the last attempt that failed
};

// How the message came. What Received, the events and `queue show` say of it.
struct Reception {
  std::string helo;
  std::string peer_address;  // "127.0.0.1:4711"; empty: made here
  std::string protocol;  // RFC 3848: SMTP, ESMTP, ESMTPA, ...; "local" for what Kurir itself sends
  std::string user;      // authenticated as; empty: nobody
  bool is_bounce = false;  // a delivery status notification of our own
};

struct Envelope {
  std::string reverse_path;  // without <>; empty is the null reverse-path
  std::vector<Recipient> recipients;
  Reception reception;
  WallTime received;
  bool is_8bit = false;       // BODY=8BITMIME, or 8-bit octets were seen
  bool has_dot_line = false;  // some line begins with a dot: sending needs stuffing
};

class Queue;

struct Message : ListLink {
  Message(Queue& queue, Timer::Function on_timer) : timer(this, &queue, on_timer) {}

  // Exactly one timer, armed whenever the message is not being attempted, at the earlier of the
  // next attempt and expiry.
  struct MessageTimer : Timer {
    MessageTimer(Message* message_of, Queue* queue_of, Function function)
        : Timer(function), message(message_of), queue(queue_of) {}
    Message* message;
    Queue* queue;
  };

  QueueId id;
  Envelope envelope;
  store::RecordRef record;
  std::vector<store::RecordRef> extents;  // of a large message; else empty
  std::uint64_t content_octets = 0;
  Instant arrived, expiry, next_attempt;
  WallTime next_attempt_wall;
  bool being_attempted = false;
  bool is_durable = false;    // committed: only then it is attempted and listed
  bool is_recovered = false;  // from before a restart: a local delivery may already have happened
  MessageTimer timer;

  bool has_waiting() const;
  // Content for any local recipient goes to the mail stream, the rest to the spool (design.md).
  bool goes_to_mail() const;
};

}  // namespace kurir::queue
