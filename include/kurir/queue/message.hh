#pragma once
// A message in the queue: its envelope, the state of each recipient, its one timer. Core-local: it
// belongs to the shard that received it.

#include <absl/container/btree_map.h>
#include <absl/container/inlined_vector.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
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

// What few messages have; apart from the envelope so that it costs nobody else.
struct Extras {
  std::string envid;                      // RFC 3461 4.4: xtext, as given
  WallTime hold_until;                    // RFC 4865: not attempted before; 0: none
  WallTime deliver_by;                    // RFC 2852; 0: none
  std::uint8_t deliver_by_flags = 0;      // store::deliver_by_flag
  std::vector<std::string> orcpt;         // RFC 3461 4.2: by recipient, as given; may be shorter
  std::vector<store::RecordRef> extents;  // of a large message's content
  bool has_deliver_by() const { return deliver_by.microseconds != 0; }
  // What is not delivered by then is told to the sender and tried on, or else it comes back.
  bool notifies_when_late() const {
    return has_deliver_by() && (deliver_by_flags & store::deliver_by_flag::notify) != 0;
  }
  bool returns_when_late() const { return has_deliver_by() && !notifies_when_late(); }
  bool traces() const {
    return has_deliver_by() && (deliver_by_flags & store::deliver_by_flag::trace) != 0;
  }
  std::string_view orcpt_of(std::size_t ordinal) const {
    return ordinal < orcpt.size() ? std::string_view(orcpt[ordinal]) : std::string_view();
  }
};

// What was said at the last attempt that failed, and by whom; no host: by us.
class Answer {
 public:
  Answer() = default;
  explicit Answer(std::string_view reply_of, std::string_view host_of = {},
                  std::string_view address_of = {})
      : texts_({reply_of, host_of, address_of}) {}
  std::string_view reply() const { return texts_.part(0); }
  std::string_view host() const { return texts_.part(1); }
  std::string_view address() const { return texts_.part(2); }
  void share(TextCache& cache) { cache.share(texts_.joined()); }

 private:
  Texts<3> texts_;
};

struct Recipient {
  Text address;   // where it goes: after aliases, in normal form
  Text original;  // as the client gave it, where that differs; else empty
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
  Instant next_attempt{};                // not before; where it awaits a report, of that
  WallTime first_attempt, last_attempt;  // 0: none, or not known since a restart
  Answer last_answer;

  bool is_open() const { return state == RecipientState::waiting || awaits_report; }
  void await_report() {
    awaits_report = true;
    next_attempt = {};
  }
};

// How the message came. What Received, the events and `queue show` say of it.
class Reception {
 public:
  Reception() = default;
  Reception(std::string_view helo, std::string_view peer_address, std::string_view protocol,
            std::string_view user)
      : texts_({helo, peer_address, protocol, user}) {}
  std::string_view helo() const { return texts_.part(0); }
  std::string_view peer_address() const { return texts_.part(1); }  // "127.0.0.1:4711"; or: here
  // RFC 3848: SMTP, ESMTP, ESMTPA, ...; "local" for what Kurir itself sends
  std::string_view protocol() const { return texts_.part(2); }
  std::string_view user() const { return texts_.part(3); }  // authenticated as; empty: nobody
  void share(TextCache& cache) { cache.share(texts_.joined()); }

 private:
  Texts<4> texts_;
};

// Most messages have one: it lies within the message.
using Recipients = absl::InlinedVector<Recipient, 1>;

struct Envelope {
  Text reverse_path;  // without <>; empty is the null reverse-path
  Recipients recipients;
  Reception reception;
  WallTime received;
  std::int32_t receive_us = -1;   // from 354 to the content's end; not measured, or forgotten: -1
  bool is_8bit : 1 = false;       // BODY=8BITMIME, or 8-bit octets were seen
  bool has_dot_line : 1 = false;  // some line begins with a dot: sending needs stuffing
  bool is_binary : 1 = false;     // BODY=BINARYMIME: lines may end anyhow, NUL may be in them
  bool is_bounce : 1 = false;     // a delivery status notification of our own
  bool is_utf8 : 1 = false;       // MAIL said SMTPUTF8 (RFC 6531)
  // RFC 8689: it goes over verified TLS only, to hosts that keep to that; or rather in plaintext
  // than not at all.
  bool requires_tls : 1 = false, tls_optional : 1 = false;
  std::int8_t priority = 0;  // RFC 6710: -9 to 9
  Returned returned = Returned::unspecified;
  std::unique_ptr<Extras> extras;  // null: none

  Extras& make_extras() {
    if (!extras) extras = std::make_unique<Extras>();
    return *extras;
  }
  bool returns_when_late() const { return extras && extras->returns_when_late(); }
  bool notifies_when_late() const { return extras && extras->notifies_when_late(); }
  std::string_view orcpt_of(std::size_t ordinal) const {
    return extras ? extras->orcpt_of(ordinal) : std::string_view();
  }
  std::span<const store::RecordRef> extents() const {
    return extras ? std::span<const store::RecordRef>(extras->extents)
                  : std::span<const store::RecordRef>();
  }
};

class Queue;
struct Job;

// The jobs of a message, a chain: most have one at a time.
class Jobs {
 public:
  Jobs() = default;
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;
  ~Jobs();
  bool empty() const { return first_ == nullptr; }
  Job* first() const { return first_; }  // the newest; Job::next leads on
  void add(std::unique_ptr<Job> job);
  void remove(Job& job);

 private:
  Job* first_ = nullptr;
};

// It is its timer, exactly one: armed for the next thing that time does to the message, whatever
// state it is in. Many wait: what a message costs is counted in octets.
struct Message : Timer {
  Message(Queue& queue_of, Timer::Function on_timer);
  ~Message();

  bool is_durable : 1 = false;    // committed: only then it is attempted and listed
  bool is_recovered : 1 = false;  // from before a restart: a local delivery may have happened
  bool is_held : 1 = false;
  bool was_warned : 1 = false;       // its sender knows that it takes long
  bool is_reporting : 1 = false;     // a notification about it is being written
  bool awaits_reporter : 1 = false;  // as many notifications as may be are being written
  // Some of its end could not be journalled, or its content is damaged: what is left of the content
  // stays where it is until the next start.
  bool keeps_content : 1 = false;
  bool is_ending : 1 = false;  // some recipient's end was journalled
  std::uint16_t jobs_in_flight = 0;
  std::uint32_t journal_failures = 0;  // that the journal had when the first recipient ended
  std::uint32_t content_octets = 0;
  Jobs jobs;
  Queue& queue;
  QueueId id;
  Envelope envelope;
  store::RecordRef record;
  Instant arrived;   // or is released, where its sender has it held (RFC 4865)
  WallTime durable;  // when its commit ended; 0 after a restart

  bool has_waiting() const;
  bool has_report_due() const;
  Instant next_report() const;        // of what is due: not before
  bool has_failed_to_report() const;  // of what is due
  bool is_in_flight() const { return jobs_in_flight > 0; }
  MessageState state() const;
  Instant next_attempt() const;  // the earliest of those that wait; no_deadline: none
  // Content for any local recipient goes to the mail stream, the rest to the spool (design.md).
  bool goes_to_mail() const;
};

// By id. A B-tree: 17 octets a message; Walk goes by its order.
using Messages = absl::btree_map<QueueId, std::unique_ptr<Message>>;

MessageState state_of(const Message& message, const Recipient& recipient);

}  // namespace kurir::queue
