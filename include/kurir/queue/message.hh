#pragma once
// A message in the queue: its envelope, the state of each recipient, its one timer. Core-local: it
// belongs to the shard that received it.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/base/ids.hh"
#include "kurir/coro/timer_wheel.hh"
#include "kurir/queue/text.hh"
#include "kurir/store/message_record.hh"
#include "kurir/store/record_ref.hh"

namespace kurir::queue {

// The states of a recipient. Everything but `waiting` is an end; a message whose recipients have
// all ended, and whose sender knows of the failures, leaves the queue. src/README.md says what a
// crash leaves in each.
enum class RecipientState : std::uint8_t {
  waiting = 0,    // to be attempted, now or at next_attempt
  delivered = 1,  // in a mailbox, or taken by the next host
  bounced = 2,    // refused for good; the sender is told
  expired = 3,    // max_age passed; the sender is told
  removed = 4,    // an administrator took it out; nobody is told
};

std::string_view name_of(RecipientState state);

struct DomainCount;  // tally.hh

// Where a message is, or one of its recipients, told from what it holds; `kurir queue list` says
// it.
enum class MessageState : std::uint8_t {
  scheduled,  // its timer waits for the next attempt
  ready,      // with a deliverer, which waits for a connection, a limit or a back-off
  in_flight,  // being attempted
  held,       // by an administrator, until released or expired
};
inline constexpr std::array message_states = {MessageState::scheduled, MessageState::ready,
                                              MessageState::in_flight, MessageState::held};
std::string_view name_of(MessageState state);

// NOTIFY (RFC 3461 4.1) as bits, store::recipient_flag::notify_*.
class Notify {
 public:
  Notify() = default;
  explicit Notify(std::uint8_t bits) : bits_(bits) {}
  bool is_given() const { return bits_ != 0; }
  bool of_success() const { return (bits_ & store::recipient_flag::notify_success) != 0; }
  // Both are the default.
  bool of_failure() const {
    return !is_given() || (bits_ & store::recipient_flag::notify_failure) != 0;
  }
  bool of_delay() const {
    return !is_given() || (bits_ & store::recipient_flag::notify_delay) != 0;
  }
  bool never() const { return (bits_ & store::recipient_flag::notify_never) != 0; }
  std::uint8_t bits() const { return bits_; }

 private:
  std::uint8_t bits_ = 0;
};

// How much of a message its sender wants back with a report of failure (RFC 3461 4.3).
enum class Returned : std::uint8_t { unspecified, full, headers };

// What few senders ask for; apart from the envelope so that it costs nobody else.
struct Requests {
  std::string envid;               // RFC 3461 4.4: xtext, as given
  std::vector<std::string> orcpt;  // RFC 3461 4.2: by recipient, as given; may be shorter
  std::string_view orcpt_of(std::size_t ordinal) const {
    return ordinal < orcpt.size() ? std::string_view(orcpt[ordinal]) : std::string_view();
  }
};

struct Recipient {
  std::string address;  // where it goes: after aliases, in normal form
  Text original;        // as the client gave it, where that differs; else empty
  bool is_local = false;
  RecipientState state = RecipientState::waiting;
  bool is_offered : 1 = false;    // part of a job
  bool is_in_flight : 1 = false;  // which is being attempted
  // It failed, or the sender asked about success, and was not told yet: not journalled as ended.
  bool awaits_report = false;
  Notify notify;                                      // what the sender wants to be told of
  MessageState counted_as = MessageState::scheduled;  // in the tally, where it is counted
  std::uint16_t attempts = 0;
  DomainCount* counted_in = nullptr;     // the tally's; null: not counted
  Instant next_attempt{};                // not before
  WallTime first_attempt, last_attempt;  // 0: none, or not known since a restart
  Text last_reply;                       // of the last attempt that failed
  Text last_host, last_address;          // who said it; empty: we did

  bool is_open() const { return state == RecipientState::waiting || awaits_report; }
};

// How the message came. What Received, the events and `queue show` say of it.
struct Reception {
  Text helo;
  Text peer_address;  // "127.0.0.1:4711"; empty: made here
  Text protocol;      // RFC 3848: SMTP, ESMTP, ESMTPA, ...; "local" for what Kurir itself sends
  Text user;          // authenticated as; empty: nobody
  bool is_bounce = false;  // a delivery status notification of our own
};

struct Envelope {
  std::string reverse_path;  // without <>; empty is the null reverse-path
  std::vector<Recipient> recipients;
  Reception reception;
  WallTime received;
  std::int64_t receive_us = -1;  // from 354 to the content's end; not measured, or forgotten: -1
  bool is_8bit = false;          // BODY=8BITMIME, or 8-bit octets were seen
  bool has_dot_line = false;     // some line begins with a dot: sending needs stuffing
  bool is_binary = false;        // BODY=BINARYMIME: lines may end anyhow, NUL may be in them
  Returned returned = Returned::unspecified;
  std::unique_ptr<Requests> requests;  // null: none

  Requests& make_requests() {
    if (!requests) requests = std::make_unique<Requests>();
    return *requests;
  }
  std::string_view orcpt_of(std::size_t ordinal) const {
    return requests ? requests->orcpt_of(ordinal) : std::string_view();
  }
};

class Queue;
struct Job;

struct Message {
  Message(Queue& queue, Timer::Function on_timer);
  ~Message();

  // Exactly one timer: armed for the next thing that time does to the message, whatever state it is
  // in.
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
  Instant arrived, expiry;
  WallTime durable;                     // when its commit ended; 0 after a restart
  Instant delay_warning = no_deadline;  // when the sender is told that it takes long; then never
  Instant report_again{};               // a report could not be written: not before this
  std::vector<std::unique_ptr<Job>> jobs;
  std::size_t jobs_in_flight = 0;
  bool is_durable = false;    // committed: only then it is attempted and listed
  bool is_recovered = false;  // from before a restart: a local delivery may already have happened
  bool is_held = false;
  bool is_reporting = false;     // a notification about it is being written
  bool awaits_reporter = false;  // as many notifications as may be are being written
  MessageTimer timer;

  bool has_waiting() const;
  bool has_report_due() const;
  bool has_failed_to_report() const;  // of what is due
  bool is_in_flight() const { return jobs_in_flight > 0; }
  MessageState state() const;
  Instant next_attempt() const;  // the earliest of those that wait; no_deadline: none
  // Content for any local recipient goes to the mail stream, the rest to the spool (design.md).
  bool goes_to_mail() const;
};

MessageState state_of(const Message& message, const Recipient& recipient);

}  // namespace kurir::queue
