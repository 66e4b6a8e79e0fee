// A checkpoint of the queue: what was queued, and as what, is so again after a restart that reads
// only the newer journal and the messages from the cut on.

#include <gtest/gtest.h>

#include <map>

#include "fixture.hh"

namespace kurir::queue::test {
namespace {

struct Story {
  StreamPositions cut;
  std::map<std::uint64_t, std::string> seen;
  std::size_t before_cut = 0;
};

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
  QueueOptions options;
  options.delay_warning = std::chrono::hours(4);
  co_await live(
      std::move(path), options,
      [&](House& house) {
        house.notifier.fails = true;
        return body(house);
      },
      cut);
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
}  // namespace kurir::queue::test
