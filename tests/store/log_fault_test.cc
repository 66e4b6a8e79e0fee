// Writes that fail: the limit on file sizes makes real ones fail (EFBIG) beyond a place in a
// segment.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "kurir/coro/scope.hh"
#include "support.hh"
#include "support/room_again.hh"

namespace kurir::store {
namespace {

using test::append_and_commit;
using test::Notes;
using test::numbered;
using test::Remembers;
using test::reopen;
using test::small_log;
using test::with_log;

void limit_file_octets(rlim_t octets) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = octets;
  setrlimit(RLIMIT_FSIZE, &limit);
}

class LogFaults : public ::testing::TestWithParam<SyncMode> {
 protected:
  ~LogFaults() override { limit_file_octets(RLIM_INFINITY); }
  LogOptions options(StreamKind stream = StreamKind::spool) const {
    LogOptions made = small_log(directory.path(), stream);
    made.sync = GetParam();
    return made;
  }
  test::TemporaryDirectory directory;
  Notes notes;
};

Task<void> wait_for(Log& log, RecordRef ref, Notes& notes) {
  const Result<void> committed = co_await log.commit(ref);
  notes.numbers.push_back(committed ? 1 : 0);
}

Task<void> goes_on_after_a_failure(Log& log, Notes& notes) {
  co_await append_and_commit(log, {numbered(1, 100), numbered(2, 100)}, notes);
  limit_file_octets(8 * 1024);
  Scope sessions;
  for (std::size_t number = 10; number < 13; ++number) {
    const Result<RecordRef> ref = log.append(16, numbered(number, 9000));
    EXPECT_TRUE(ref.has_value());
    sessions.start(wait_for(log, *ref, notes));
    co_await yield_turn();
    co_await yield_turn();
  }
  co_await sessions.join();
  EXPECT_EQ(notes.numbers, (std::vector<std::uint64_t>{0, 0, 0}));
  EXPECT_GE(log.statistics().failures, 1U);
  const Result<void> earlier = co_await log.commit(notes.refs[1]);
  EXPECT_TRUE(earlier.has_value());  // what was durable stays so
  limit_file_octets(RLIM_INFINITY);
  co_await kurir::test::room_again(log, 10);
  co_await append_and_commit(log, {numbered(3, 100)}, notes);
  EXPECT_GT(notes.refs[2].segment, notes.refs[1].segment);
}

TEST_P(LogFaults, a_failed_write_fails_its_batch_and_fences_the_segment) {
  with_log(options(), notes, &goes_on_after_a_failure);
  const Remembers seen = reopen(options());
  EXPECT_EQ(seen.payloads(),
            (std::vector<std::string>{numbered(1, 100), numbered(2, 100), numbered(3, 100)}));
  EXPECT_TRUE(seen.corrupt.empty());
}

// The first part of the failed batch is in the file, whole and valid: it must not come back.
Task<void> partly_written(Log& log, Notes& notes) {
  co_await append_and_commit(log, {numbered(1, 100)}, notes);
  limit_file_octets(8 * 1024);
  const Result<RecordRef> small = log.append(16, "small, reaches the file");
  const Result<RecordRef> large = log.append(16, numbered(3, 9000));
  const RecordRef both[] = {*small, *large};
  const Result<void> committed = co_await log.commit(both);
  EXPECT_FALSE(committed.has_value());
  const Result<void> first = co_await log.commit(*small);
  EXPECT_FALSE(first.has_value());
  limit_file_octets(RLIM_INFINITY);
  co_await kurir::test::room_again(log, 10);
  co_await append_and_commit(log, {numbered(2, 100)}, notes);
}

TEST_P(LogFaults, a_record_whose_commit_failed_does_not_come_back) {
  with_log(options(), notes, &partly_written);
  for (int start = 0; start < 3; ++start)
    EXPECT_EQ(reopen(options()).payloads(),
              (std::vector<std::string>{numbered(1, 100), numbered(2, 100)}));
}

// An extent in a commit that failed, nobody having waited, and the message in one that succeeded.
Task<void> extent_lost_before_the_message(Log& log, Notes& notes) {
  co_await append_and_commit(log, {numbered(1, 100)}, notes);
  limit_file_octets(8 * 1024);
  const Result<RecordRef> extent = log.append(17, numbered(2, 9000));
  const Result<void> flushed = co_await log.commit(*extent);
  EXPECT_FALSE(flushed.has_value());
  limit_file_octets(RLIM_INFINITY);
  co_await kurir::test::room_again(log, 10);
  const Result<void> roomy = co_await log.room(10, no_deadline);
  EXPECT_TRUE(roomy.has_value());
  const Result<RecordRef> message = log.append(16, "message");
  const RecordRef both[] = {*extent, *message};
  const Result<void> committed = co_await log.commit(both);
  EXPECT_FALSE(committed.has_value());
  const Result<void> alone = co_await log.commit(*message);
  EXPECT_TRUE(alone.has_value());
}

TEST_P(LogFaults, committing_several_records_fails_where_one_is_lost) {
  with_log(options(), notes, &extent_lost_before_the_message);
}

Task<void> checkpoint_with_a_failure(Log& log, Notes& notes) {
  co_await append_and_commit(log, {"old"}, notes);
  const Result<void> begun = co_await log.begin_checkpoint();
  EXPECT_TRUE(begun.has_value());
  co_await append_and_commit(log, {"a part of the state"}, notes);
  limit_file_octets(8 * 1024);
  const Result<RecordRef> lost = log.append(32, numbered(1, 9000));
  const Result<void> committed = co_await log.commit(*lost);
  EXPECT_FALSE(committed.has_value());
  limit_file_octets(RLIM_INFINITY);
  co_await kurir::test::room_again(log, 10);
  co_await append_and_commit(log, {"later"}, notes);
  const Result<void> finished = co_await log.finish_checkpoint("");
  EXPECT_FALSE(finished.has_value());
  co_await append_and_commit(log, {"latest"}, notes);
}

TEST_P(LogFaults, a_checkpoint_that_lost_a_record_is_not_finished) {
  with_log(options(StreamKind::journal), notes, &checkpoint_with_a_failure);
  EXPECT_EQ(reopen(options(StreamKind::journal)).payloads(),
            (std::vector<std::string>{"old", "a part of the state", "later", "latest"}));
}

INSTANTIATE_TEST_SUITE_P(Sync, LogFaults, ::testing::Values(SyncMode::buffered, SyncMode::direct),
                         [](const auto& mode) {
                           return mode.param == SyncMode::direct ? "direct" : "buffered";
                         });

}  // namespace
}  // namespace kurir::store
