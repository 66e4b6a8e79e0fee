// A checkpoint of the queue: what was queued, and as what, is so again after a restart that reads
// only the newer journal and the messages from the cut on.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "kurir/coro/scope.hh"
#include "kurir/io/clock.hh"
#include "kurir/queue/queue.hh"
#include "kurir/queue/queue_id.hh"
#include "support/on_cores.hh"
#include "support/shard.hh"
#include "support/temporary_directory.hh"

namespace kurir::queue {
namespace {

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

// Says that somebody is to be told, and never manages to.
class Silent final : public Notifier {
 public:
  bool wants(const Message& message) const override {
    return !message.envelope.reverse_path.empty();
  }
  Task<Result<void>> notify(const Message&, std::vector<std::uint16_t>, Kind) override {
    co_return fail(Errc::no_space, Origin::queue);
  }
};

class House {
 public:
  explicit House(const std::string& path) : shard(path) {}

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
    queue.emplace(options(), ShardIndex(0), shard.start(), logs, events, counters);
    for (const auto& [type, payload] : changes) queue->recover_change(type, payload);
    for (const auto& [ref, payload] : messages) queue->recover_message(ref, payload);
    read_one_by_one = queue->queued_before(cut);
    for (const store::RecordRef& ref : read_one_by_one) {
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
  Message* append(std::vector<std::string> recipients) {
    Envelope envelope;
    envelope.reverse_path = "sender@example.org";
    envelope.received = io::wall_now();
    for (const std::string& address : recipients) {
      Recipient& recipient = envelope.recipients.emplace_back();
      recipient.address = address;
      recipient.is_local = address.ends_with("@local.test");
    }
    const std::string_view pieces[] = {"Subject: x\r\n\r\ntext\r\n"};
    const Result<Message*> message =
        queue->append(queue->make_id(), std::move(envelope),
                      {.extents = {}, .extent_octets = 0, .pieces = pieces});
    EXPECT_TRUE(message.has_value());
    return *message;
  }
  Task<QueueId> add(std::vector<std::string> recipients) {
    const Result<QueueId> id = co_await queue->commit(append(std::move(recipients)));
    EXPECT_TRUE(id.has_value());
    co_return *id;
  }
  // One attempt at all recipients; the outcomes in their order.
  void attempt(QueueId id, const std::vector<Outcome>& outcomes) {
    const auto place = std::ranges::find(holds.jobs, id, [](Job* job) { return job->message.id; });
    ASSERT_NE(place, holds.jobs.end());
    Job& job = **place;
    holds.jobs.erase(place);
    queue->take_up(job);
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
      if (message.delay_warning == no_deadline) line += " warned";
      for (const Recipient& recipient : message.envelope.recipients) {
        line += " " + recipient.address + "=" + std::string(name_of(recipient.state));
        if (recipient.awaits_report) line += "!";
        if (recipient.is_open()) line += "'" + std::string(recipient.last_reply) + "'";
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
  Silent notifier;
  std::optional<Queue> queue;
  std::vector<store::RecordRef> read_one_by_one;
  std::size_t journal_records = 0;

 private:
  static QueueOptions options() {
    QueueOptions options;
    options.delay_warning = std::chrono::hours(4);
    return options;
  }
  static bool is_shown(const store::RecordRef& ref, const StreamPositions& cut) {
    const store::LogPosition& from = ref.stream == store::StreamKind::mail ? cut.mail : cut.spool;
    return std::tie(ref.segment, ref.offset) >= std::tie(from.segment, from.offset);
  }
  std::vector<std::pair<std::uint16_t, std::string>> changes;
};

struct Story {
  StreamPositions cut;
  std::map<std::uint64_t, std::string> seen;
  std::size_t before_cut = 0;
};

const Outcome delivered{.state = RecipientState::delivered, .reply = "250 ok"};
const Outcome put_off{.state = RecipientState::waiting, .reply = "451 later"};
const Outcome bounced{.state = RecipientState::bounced, .reply = "550 no"};

Task<void> hold(House& house, QueueId id) {
  const auto filter = Filter::parse({.ids = {text_of(id)}});
  EXPECT_TRUE(filter.has_value());
  Walk walk(*house.queue, *filter);
  const auto held =
      co_await house.queue->administrate(walk, {.kind = AdministratorCommand::Kind::hold});
  EXPECT_TRUE(held && held->messages == 1);
}

Task<void> commit_later(House& house, Message* message) {
  for (int turn = 0; turn < 20; ++turn) co_await yield_turn();
  const Result<QueueId> id = co_await house.queue->commit(message);
  EXPECT_TRUE(id.has_value());
}

Task<void> tell(House& house, Story& story, bool finish) {
  const QueueId ended = co_await house.add({"a@ended.test"});
  house.attempt(ended, {delivered});
  const QueueId fresh = co_await house.add({"a@fresh.test", "b@local.test"});
  const QueueId mixed =
      co_await house.add({"a@mixed.test", "b@mixed.test", "c@mixed.test", "d@mixed.test"});
  house.attempt(mixed, {delivered, put_off, bounced});
  const QueueId held = co_await house.add({"a@held.test"});
  co_await hold(house, held);
  const QueueId ends_later = co_await house.add({"a@later.test"});
  static_cast<void>(fresh);
  Message* not_durable = house.append({"a@appended.test"});

  store::Log& journal = house.shard.journal();
  const Result<void> begun = co_await journal.begin_checkpoint();
  EXPECT_TRUE(begun.has_value());
  story.cut = {.mail = house.shard.mail().end(), .spool = house.shard.spool().end()};
  Scope scope;
  scope.start(commit_later(house, not_durable));
  const QueueId after_cut = co_await house.add({"a@after.test", "b@after.test"});
  house.attempt(after_cut, {delivered, put_off});
  store::CheckpointWriter writer(journal);
  const Result<void> written = co_await house.queue->write_snapshot(writer, story.cut);
  EXPECT_TRUE(written.has_value());
  EXPECT_TRUE(house.queue->find(not_durable->id) != nullptr) << "it was not waited for";
  house.attempt(ends_later, {delivered});
  co_await scope.join();
  const Result<void> synced = co_await house.queue->sync_outcomes();
  EXPECT_TRUE(synced.has_value());
  if (finish) {
    const Result<void> finished = co_await journal.finish_checkpoint("");
    EXPECT_TRUE(finished.has_value());
  } else {
    journal.abandon_checkpoint();
    story.cut = {};
  }
  story.seen = house.seen();
  EXPECT_EQ(story.seen.size(), 5U);
}

// Recovered as a start reads it, after a checkpoint that was finished or not.
Task<void> run(std::string path, std::function<Task<void>(House&)> body, StreamPositions cut) {
  House house(path);
  co_await house.open(cut);
  co_await body(house);
  co_await house.stop();
}
Task<void> compare(House& house, const Story& story, std::size_t read_one_by_one) {
  EXPECT_EQ(house.seen(), story.seen);
  EXPECT_EQ(house.read_one_by_one.size(), read_one_by_one);
  co_return;
}

void check(bool finish, std::size_t read_one_by_one) {
  const kurir::test::TemporaryDirectory folder;
  const std::string path = folder.path() + "/data";
  Story story;
  kurir::test::on_cores(1, [&](CoreIndex) {
    return run(path, [&](House& house) { return tell(house, story, finish); }, {});
  });
  kurir::test::on_cores(1, [&](CoreIndex) {
    return run(
        path, [&](House& house) { return compare(house, story, read_one_by_one); }, story.cut);
  });
}

TEST(QueueSnapshot, is_the_queue_to_a_start_that_reads_nothing_older) {
  // fresh, mixed, held, appended; and ends_later, which is read and found to be through.
  check(true, 5);
}
TEST(QueueSnapshot, changes_nothing_where_the_older_journal_is_read_too) { check(false, 0); }

Task<void> fill_journal_and_end(House& house) {
  const QueueId id = co_await house.add({"a@x.test"});
  store::Log& journal = house.shard.journal();
  const std::string filler(64 << 10, 'x');
  while (journal.append(60, filler)) {
  }
  while (journal.append(60, "y")) {
  }
  house.attempt(id, {delivered});  // finds no room
  EXPECT_EQ(house.queue->size(), 0U);
  const Result<void> synced = co_await house.queue->sync_outcomes();
  EXPECT_TRUE(synced.has_value());
}
Task<void> nothing_queued(House& house) {
  EXPECT_EQ(house.queue->size(), 0U);
  co_return;
}
TEST(QueueSnapshot, outcomes_that_found_no_room_are_journalled_before_they_are_relied_on) {
  const kurir::test::TemporaryDirectory folder;
  const std::string path = folder.path() + "/data";
  kurir::test::on_cores(1, [&](CoreIndex) { return run(path, fill_journal_and_end, {}); });
  kurir::test::on_cores(1, [&](CoreIndex) { return run(path, nothing_queued, {}); });
}

}  // namespace
}  // namespace kurir::queue
