#pragma once
// Who delivers: the MDA for local recipients, the relay for the others. The queue hands out jobs; a
// deliverer keeps them in lists of its own, takes them up when it can, and gives each back once.
// Core-local.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/base/intrusive_list.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/task.hh"
#include "kurir/queue/message.hh"
#include "kurir/queue/ordinals.hh"

namespace kurir::queue {

class Deliverer;

// Where a deliverer keeps a job: its own business.
class JobPlace {
 protected:
  ~JobPlace() = default;
};

// What one deliverer is to do for one message: these recipients, all of which wait. Owned by its
// message. The link is the deliverer's, for its lists.
//
//   offered ──► in flight ──► finished          withdrawn: at any moment before it is in flight
struct Job : ListLink {
  Job(Message& message_of, Deliverer& deliverer_of)
      : message(message_of), deliverer(deliverer_of) {}
  Message& message;
  Deliverer& deliverer;
  Job* next = nullptr;                      // of its message
  JobPlace* place = nullptr;                // the deliverer's
  [[no_unique_address]] Ordinals ordinals;  // of the recipients
  bool in_flight = false;
};
static_assert(sizeof(Job) == 64);

// The next host, as far as an attempt got there. For the events.
struct Hop {
  std::string_view site;           // KumoMTA's name of the group of hosts that share limits
  std::string_view name, address;  // of the host; the address without port
  std::string_view source, pool;   // egress source and pool; empty: none configured
  std::string_view tls_protocol, tls_cipher;  // empty: not encrypted
  std::int64_t connect_us = -1;               // of the connection, where this job made it
  std::int64_t data_us = -1;                  // from MAIL to the last reply
};

// What came of trying one recipient.
struct Outcome {
  RecipientState state = RecipientState::waiting;  // waiting: put off
  std::string_view reply;                          // why, where it was not delivered; "452 4.2.2 …"
  std::string_view command = {};                   // what the reply answered
  const Hop* hop = nullptr;                        // where it was said; null: here
  bool by_administrator = false;                   // an order, not an attempt
  bool next_host_reports = false;  // it took over what the sender is to be told (RFC 3461 5.2.1)
  bool is_to_be_told = false;      // of a success, whatever else was asked (RFC 2852 4.2)
};

class Deliverer {
 public:
  virtual ~Deliverer() = default;
  virtual bool takes(const Recipient& recipient) const = 0;
  // Recipients of one message with the same group come in one job: the domain, for the relay.
  virtual std::string_view group_of(const Recipient& recipient) const = 0;

  // The job is the deliverer's until Queue::finish(). It calls the queue back not from here, but
  // from a task of its own: Queue::take_up(), Queue::settle() for each recipient, Queue::finish().
  virtual void offer(Job& job) = 0;
  // Forgets a job that is not in flight, at once.
  virtual void withdraw(Job& job) = 0;
  // An administrator wants it tried now, whatever back-off it waits for.
  virtual void hurry(Job& job) = 0;
  // What the job waits for, for people, in one line: "its turn: …".
  virtual std::string explain(const Job& job) const = 0;
  // The last reply or failure that keeps a job waiting which is not in flight; empty: none.
  virtual std::string_view trouble_of(const Job&) const { return {}; }
  // The site that it waits for now; empty: local, or not known yet.
  virtual std::string_view site_of(const Job&) const { return {}; }
  // Takes up nothing any more, and waits for what is in flight. Jobs that are not stay withdrawn.
  virtual Task<void> stop() = 0;
};

// The recipient's job; null: it is with no deliverer.
const Job* job_of(const Message& message, const Recipient& recipient);
// The site that the recipient waits for now, or else that mail for its domain went to last.
std::string_view site_of(const Message& message, const Recipient& recipient);
// What keeps it waiting: what its deliverer heard last, or else the answer to its last attempt.
std::string_view trouble_of(const Message& message, const Recipient& recipient);

// Tells a sender what became of a message (RFC 3464). Done means durable.
class Notifier {
 public:
  virtual ~Notifier() = default;
  enum class Kind : std::uint8_t { failed, delayed, succeeded };
  // Whether anybody is to be told; false ends what failed without a word.
  virtual bool wants(const Message& message) const = 0;
  virtual Task<Result<void>> notify(const Message& message, std::vector<std::uint16_t> ordinals,
                                    Kind kind) = 0;
};

}  // namespace kurir::queue
