#pragma once
// A queue on the logs of a shard of its own, with a deliverer that a test answers for and a
// notifier that remembers. Core-local.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "kurir/coro/event.hh"
#include "kurir/coro/scope.hh"
#include "kurir/io/clock.hh"
#include "kurir/queue/queue.hh"
#include "kurir/queue/queue_id.hh"
#include "support/on_cores.hh"
#include "support/shard.hh"
#include "support/temporary_directory.hh"

namespace kurir::queue::test {

// Takes what is remote, and does nothing with it: the test settles it.
class Holds final : public Deliverer {
 public:
  bool takes(const Recipient& recipient) const override { return !recipient.is_local; }
  std::string_view group_of(const Recipient&) const override { return {}; }
  void offer(Job& job) override { jobs.push_back(&job); }
  void withdraw(Job& job) override { std::erase(jobs, &job); }
  void hurry(Job&) override {}
  std::string explain(const Job&) const override { return "held by a test"; }
  Task<void> stop() override { co_return; }
  std::vector<Job*> jobs;
};

// Remembers whom it told of what; or fails to.
class Remembers final : public Notifier {
 public:
  struct Told {
    QueueId id;
    std::vector<std::uint16_t> ordinals;
    Kind kind;
    std::vector<std::string> replies;
    std::vector<RecipientState> states;
  };
  bool wants(const Message& message) const override {
    return !message.envelope.reverse_path.empty();
  }
  Task<Result<void>> notify(const Message& message, std::vector<std::uint16_t> ordinals,
                            Kind kind) override {
    ++asked;
    if (fails) co_return fail(Errc::no_space, Origin::queue);
    Told& one = told.emplace_back(Told{message.id, ordinals, kind, {}, {}});
    for (const std::uint16_t ordinal : ordinals) {
      one.replies.emplace_back(message.envelope.recipients[ordinal].last_answer.reply());
      one.states.push_back(message.envelope.recipients[ordinal].state);
    }
    co_return Result<void>();
  }
  std::vector<Told> told;
  unsigned asked = 0;
  bool fails = false;
};

// Waits for a condition, for ten seconds at most.
inline Task<void> until(std::function<bool()> holds) {
  const Deadline deadline = deadline_in(Seconds(10));
  while (!holds() && Executor::current().now() < deadline) co_await sleep_for(Milliseconds(1));
  EXPECT_TRUE(holds()) << "what was waited for did not come";
}

class House {
 public:
  explicit House(const std::string& path, QueueOptions options_of = {})
      : shard(path), options(std::move(options_of)) {}

  // `cut`: where an earlier run's checkpoint cut the streams.
  Task<void> open(const StreamPositions& cut) {
    std::vector<std::pair<store::RecordRef, std::string>> messages;
    co_await shard.open([&](const store::RecordView& record) {
      if (record.ref.stream == store::StreamKind::journal) {
        ++journal_records;
        if (record.type == store::record_type::checkpoint_complete) return;
        changes.emplace_back(record.type, record.payload);
      } else if (record.type == store::record_type::message && is_shown(record.ref, cut)) {
        messages.emplace_back(record.ref, record.payload);
      }
    });
    logs = {&shard.spool(), &shard.mail(), &shard.journal()};
    queue.emplace(options, ShardIndex(0), shard.start(), logs, events, counters);
    for (const auto& [type, payload] : changes) queue->recover_change(type, payload);
    for (const auto& [ref, payload] : messages) queue->recover_message(ref, payload);
    read_one_by_one = queue->queued_before(cut);
    for (const auto& [id, ref] : read_one_by_one) {
      const Result<store::Record> record = co_await shard.reader().read(ref);
      EXPECT_TRUE(record.has_value());
      if (record) queue->recover_message(ref, record->payload());
    }
    queue->set_notifier(notifier);
    queue->add_deliverer(holds);
    queue->start();
  }
  Task<void> stop() {
    co_await queue->stop();
    queue.reset();
    co_await shard.stop();
    co_await events.stop();
  }

  // A message for these recipients, appended; commit() is the caller's.
  Message* append(std::vector<std::string> recipients, std::string sender = "sender@example.org",
                  Notify notify = {}, WallTime hold_until = {}) {
    Envelope envelope;
    envelope.reverse_path = std::move(sender);
    envelope.received = io::wall_now();
    if (hold_until.microseconds != 0) envelope.make_extras().hold_until = hold_until;
    for (const std::string& address : recipients) {
      Recipient& recipient = envelope.recipients.emplace_back();
      recipient.address = address;
      recipient.is_local = address.ends_with("@local.test");
      recipient.notify = notify;
    }
    const std::string_view pieces[] = {"Subject: x\r\n\r\ntext\r\n"};
    const Result<Message*> message =
        queue->append(queue->make_id(), std::move(envelope),
                      {.extents = {}, .extent_octets = 0, .pieces = pieces});
    EXPECT_TRUE(message.has_value());
    return *message;
  }
  Task<QueueId> add(std::vector<std::string> recipients,
                    std::string sender = "sender@example.org") {
    const Result<QueueId> id =
        co_await queue->commit(append(std::move(recipients), std::move(sender)));
    EXPECT_TRUE(id.has_value());
    co_return *id;
  }
  bool is_offered(QueueId id) const {
    return std::ranges::any_of(holds.jobs, [&](Job* job) { return job->message.id == id; });
  }
  Job& take_up(QueueId id) {
    const auto place = std::ranges::find(holds.jobs, id, [](Job* job) { return job->message.id; });
    KURIR_ASSERT(place != holds.jobs.end());
    Job& job = **place;
    holds.jobs.erase(place);
    queue->take_up(job);
    return job;
  }
  // One attempt at all recipients; the outcomes in their order.
  void attempt(QueueId id, const std::vector<Outcome>& outcomes) {
    Job& job = take_up(id);
    for (std::size_t at = 0; at < outcomes.size(); ++at)
      queue->settle(job.message, job.ordinals[at], outcomes[at]);
    queue->finish(job);
  }
  // What the disk has to keep of the queue.
  std::map<std::uint64_t, std::string> seen() const {
    std::map<std::uint64_t, std::string> all;
    queue->for_each([&](const Message& message) {
      std::string& line = all[message.id.value];
      line = message.is_held ? "held" : "free";
      if (message.was_warned) line += " warned";
      for (const Recipient& recipient : message.envelope.recipients) {
        line += " " + recipient.address + "=" + std::string(name_of(recipient.state));
        if (recipient.awaits_report) line += "!";
        if (recipient.is_open()) line += "'" + std::string(recipient.last_answer.reply()) + "'";
        if (recipient.state != RecipientState::waiting) continue;
        line += std::to_string(recipient.attempts);
        line += recipient.next_attempt > io::now() + Seconds(60) ? " later" : " now";
      }
    });
    return all;
  }

  kurir::test::Shard shard;
  observe::EventSink sink{"none"};
  observe::Counters counters;
  observe::EventLog events{sink, &counters};
  ShardLogs logs;
  Holds holds;
  QueueOptions options;
  Remembers notifier;
  std::optional<Queue> queue;
  std::vector<Queue::QueuedRecord> read_one_by_one;
  std::size_t journal_records = 0;

 private:
  static bool is_shown(const store::RecordRef& ref, const StreamPositions& cut) {
    const store::LogPosition& from = ref.stream == store::StreamKind::mail ? cut.mail : cut.spool;
    return std::tie(ref.segment, ref.offset) >= std::tie(from.segment, from.offset);
  }
  std::vector<std::pair<std::uint16_t, std::string>> changes;
};

inline const Outcome delivered{.state = RecipientState::delivered, .reply = "250 ok"};
inline const Outcome put_off{.state = RecipientState::waiting, .reply = "451 later"};
inline const Outcome bounced{.state = RecipientState::bounced, .reply = "550 no"};

// A run of the server's life: recovered, then what the test does, then a clean stop.
inline Task<void> live(std::string path, QueueOptions options,
                       std::function<Task<void>(House&)> body, StreamPositions cut = {}) {
  House house(path, std::move(options));
  co_await house.open(cut);
  co_await body(house);
  co_await house.stop();
}

// Runs, one after the other, on one folder.
inline void with_queue(const QueueOptions& options,
                       const std::vector<std::function<Task<void>(House&)>>& bodies) {
  const kurir::test::TemporaryDirectory folder;
  const std::string path = folder.path() + "/data";
  for (const auto& body : bodies)
    kurir::test::on_cores(1, [&](CoreIndex) { return live(path, options, body); });
}

}  // namespace kurir::queue::test
