#include "kurir/store/log.hh"

#include <gtest/gtest.h>

#include <filesystem>

#include "kurir/coro/event.hh"
#include "kurir/coro/scope.hh"
#include "support.hh"

namespace kurir::store {
namespace {

using test::append_and_commit;
using test::Notes;
using test::numbered;
using test::Remembers;
using test::reopen;
using test::small_log;
using test::with_log;

class LogModes : public ::testing::TestWithParam<SyncMode> {
 protected:
  LogOptions options(StreamKind stream = StreamKind::spool) const {
    LogOptions made = small_log(directory.path(), stream);
    made.sync = GetParam();
    return made;
  }
  std::size_t files(const std::string& begin) const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
      if (entry.path().filename().string().starts_with(begin)) ++count;
    return count;
  }
  test::TemporaryDirectory directory;
  Notes notes;
};

Task<void> two_records_in_a_commit(Log& log, Notes&) {
  const Result<RecordRef> first = log.append(16, {"hello ", "", "world"});
  const Result<RecordRef> second = log.append(17, "second");
  EXPECT_TRUE(first.has_value());
  EXPECT_TRUE(second.has_value());
  const Result<void> committed = co_await log.commit(*second);
  EXPECT_TRUE(committed.has_value());
  EXPECT_EQ(log.statistics().commits, 1U);
  EXPECT_EQ(log.statistics().records, 2U);
  EXPECT_EQ(log.statistics().batch_records[1], 1U);
  const Result<void> again = co_await log.commit(*first);
  EXPECT_TRUE(again.has_value());
  EXPECT_EQ(log.statistics().commits, 1U);
}

TEST_P(LogModes, what_was_committed_is_shown_again) {
  EXPECT_TRUE(with_log(options(), notes, &two_records_in_a_commit).records.empty());
  for (int start = 0; start < 3; ++start) {
    const Remembers seen = reopen(options());
    ASSERT_EQ(seen.payloads(), (std::vector<std::string>{"hello world", "second"}));
    EXPECT_EQ(seen.records[0].type, 16);
    EXPECT_EQ(seen.records[1].type, 17);
    EXPECT_EQ(seen.records[0].ref.segment, 1U);
    EXPECT_EQ(seen.records[0].ref.octets, record_octets(11));
    EXPECT_TRUE(seen.corrupt.empty());
  }
}

Task<void> commit_one(Log& log, RecordRef ref, Notes& notes) {
  const Result<void> committed = co_await log.commit(ref);
  notes.numbers.push_back(committed ? 1 : 0);
}

Task<void> forty_sessions(Log& log, Notes& notes) {
  Scope sessions;
  for (std::size_t number = 0; number < 40; ++number) {
    const Result<RecordRef> ref = log.append(16, numbered(number, 100));
    EXPECT_TRUE(ref.has_value());
    sessions.start(commit_one(log, *ref, notes));
    if (number == 0) co_await yield_turn();
    if (number == 0) co_await yield_turn();
  }
  co_await sessions.join();
  EXPECT_EQ(log.statistics().commits, 2U);  // the first alone, the others while that was in flight
}

TEST_P(LogModes, appends_during_a_commit_share_the_next) {
  with_log(options(), notes, &forty_sessions);
  EXPECT_EQ(notes.numbers, std::vector<std::uint64_t>(40, 1));
  EXPECT_EQ(reopen(options()).records.size(), 40U);
}

Task<void> many_records(Log& log, Notes& notes) {
  for (std::size_t number = 0; number < 60; ++number)
    notes.texts.push_back(numbered(number, 4000 + number * 37));
  co_await append_and_commit(log, notes.texts, notes);
}

TEST_P(LogModes, records_of_many_segments_come_in_order) {
  with_log(options(), notes, &many_records);
  EXPECT_GT(notes.refs.back().segment, 4U);
  const Remembers seen = reopen(options());
  EXPECT_EQ(seen.payloads(), notes.texts);
  EXPECT_TRUE(seen.corrupt.empty());
  for (std::size_t index = 0; index < seen.records.size(); ++index)
    EXPECT_EQ(seen.records[index].ref, notes.refs[index]);
}

Task<void> large_and_small(Log& log, Notes& notes) {
  EXPECT_EQ(log.append(16, std::string(log.record_payload_max() + 1, 'x')).error().code,
            Errc::too_large);
  notes.texts = {numbered(1, log.record_payload_max()), "", numbered(2, log.record_payload_max()),
                 numbered(3, log.record_payload_max() - 1)};
  co_await append_and_commit(log, notes.texts, notes);
}

TEST_P(LogModes, the_largest_record_and_the_empty_one_fit) {
  with_log(options(), notes, &large_and_small);
  EXPECT_EQ(reopen(options()).payloads(), notes.texts);
}

Task<void> fill_staging(Log& log, Notes& notes) {
  const std::string payload(8000, 'x');
  EXPECT_TRUE(log.has_room(payload.size()));
  Result<RecordRef> last = log.append(16, payload);
  Result<RecordRef> next = last;
  while (next) {
    last = next;
    next = log.append(16, payload);
    notes.numbers.push_back(1);
  }
  EXPECT_EQ(next.error().code, Errc::exhausted);
  EXPECT_FALSE(log.has_room(payload.size()));
  EXPECT_GT(log.statistics().refused, 0U);
  const Result<void> late = co_await log.room(payload.size(), deadline_in(Nanoseconds(0)));
  EXPECT_EQ(late.error().code, Errc::timed_out);
  const Result<void> roomy = co_await log.room(payload.size(), no_deadline);
  EXPECT_TRUE(roomy.has_value());
  EXPECT_TRUE(log.has_room(payload.size()));
  const Result<void> committed = co_await log.commit(*last);
  EXPECT_TRUE(committed.has_value());
}

TEST_P(LogModes, what_is_staged_is_bounded_and_room_is_made) {
  LogOptions bounded = options();
  bounded.segment_octets = 1 << 20;
  bounded.batches_max = 2;
  with_log(bounded, notes, &fill_staging);
  EXPECT_EQ(reopen(bounded).records.size(), notes.numbers.size());
}

Task<void> refused_after_stop_began(Log& log, Notes&) {
  const Result<RecordRef> uncommitted = log.append(16, "nobody waits for me");
  EXPECT_TRUE(uncommitted.has_value());
  co_return;
}

TEST_P(LogModes, stop_commits_what_was_appended) {
  with_log(options(), notes, &refused_after_stop_began);
  EXPECT_EQ(reopen(options()).records.size(), 1U);
}

Task<void> release_all(Log& log, Notes& notes) {
  log.begin_reclaiming();
  for (int round = 0; round < 60; ++round) {
    const std::size_t before = notes.refs.size();
    co_await append_and_commit(log, {numbered(static_cast<std::size_t>(round), 8000)}, notes);
    log.release(notes.refs[before]);
  }
  EXPECT_GT(log.statistics().segments_opened, 6U);
  EXPECT_LE(log.statistics().segments_created, 4U);
  EXPECT_GE(log.statistics().segments_freed, 5U);
  EXPECT_LE(log.octets_used(), 4U * 64 * 1024);
}

TEST_P(LogModes, dead_segments_are_recycled) {
  with_log(options(), notes, &release_all);
  EXPECT_LE(files(""), 6U);
  const Remembers seen = reopen(options());
  EXPECT_LE(seen.records.size(), 16U);  // of the segments that were not free yet
  EXPECT_TRUE(seen.corrupt.empty());
}

Task<void> keep_one(Log& log, Notes& notes) {
  log.begin_reclaiming();
  co_await many_records(log, notes);
  for (std::size_t index = 0; index < notes.refs.size(); ++index)
    if (index != 20) log.release(notes.refs[index]);
  while (log.octets_used() > 2 * 64 * 1024) co_await yield_turn();
  const std::vector<Log::SegmentUse> use = log.segment_use();
  EXPECT_EQ(use.size(), 1U);
  EXPECT_EQ(use[0].segment, notes.refs[20].segment);
  EXPECT_EQ(use[0].live_records, 1U);
  EXPECT_EQ(use[0].live_octets, notes.refs[20].octets);
}

Task<void> retain_the_survivor(Log& log, Notes& notes) {
  log.retain(notes.refs[20]);
  log.begin_reclaiming();
  while (log.octets_used() > 64 * 1024) co_await yield_turn();
  EXPECT_EQ(log.segment_use().size(), 1U);
}

TEST_P(LogModes, a_segment_with_a_live_record_stays) {
  with_log(options(), notes, &keep_one);
  const Remembers seen = with_log(options(), notes, &retain_the_survivor);
  const std::vector<std::string> payloads = seen.payloads();
  EXPECT_NE(std::find(payloads.begin(), payloads.end(), notes.texts[20]), payloads.end());
  EXPECT_EQ(files("spool-"), 2U);  // the survivor's and the prepared one
}

TEST_P(LogModes, a_scan_may_start_from_a_position) {
  with_log(options(), notes, &many_records);
  LogOptions later = options();
  later.start_from = {.segment = notes.refs[30].segment, .offset = notes.refs[30].offset};
  const Remembers seen = reopen(later);
  ASSERT_EQ(seen.records.size(), 30U);
  EXPECT_EQ(seen.records[0].ref, notes.refs[30]);
  EXPECT_TRUE(seen.corrupt.empty());
}

Task<void> end_before_and_after(Log& log, Notes& notes) {
  co_await append_and_commit(log, {"one", "two"}, notes);
  const LogPosition end = log.end();
  notes.numbers = {end.segment, end.offset};
  co_await append_and_commit(log, {"three"}, notes);
}

TEST_P(LogModes, the_end_is_where_a_later_scan_starts) {
  with_log(options(), notes, &end_before_and_after);
  LogOptions later = options();
  later.start_from = {.segment = static_cast<std::uint32_t>(notes.numbers[0]),
                      .offset = static_cast<std::uint32_t>(notes.numbers[1])};
  EXPECT_EQ(reopen(later).payloads(), std::vector<std::string>{"three"});
}

Task<void> nobody_commits(Log& log, Notes&) {
  EXPECT_TRUE(log.append(16, "lazy").has_value());
  while (log.statistics().commits < 2) co_await sleep_for(Milliseconds(1));  // and the mark
}

TEST_P(LogModes, what_nobody_commits_goes_down_when_idle) {
  LogOptions idle = options();
  idle.idle_flush = Milliseconds(2);
  with_log(idle, notes, &nobody_commits);
  EXPECT_EQ(reopen(idle).records.size(), 1U);
}

TEST_P(LogModes, weaker_durabilities_keep_everything_over_a_clean_stop) {
  for (const Durability durability : {Durability::interval, Durability::none}) {
    test::TemporaryDirectory own;
    LogOptions weak = options();
    weak.directory = own.path();
    weak.durability = durability;
    weak.sync_interval = Milliseconds(1);
    Notes mine;
    with_log(weak, mine, &many_records);
    EXPECT_EQ(reopen(weak).payloads(), mine.texts);
  }
}

TEST_P(LogModes, no_new_file_is_made_below_the_reserve) {
  LogOptions full = options();
  full.reserve_octets = ~0ULL >> 1;
  with_log(full, notes, [](Log& log, Notes&) -> Task<void> {
    EXPECT_FALSE(log.has_room(1));
    EXPECT_EQ(log.append(16, "x").error().code, Errc::no_space);
    const Result<void> roomy = co_await log.room(1, no_deadline);
    EXPECT_EQ(roomy.error().code, Errc::no_space);
  });
}

TEST_P(LogModes, another_segment_size_is_taken_up_from_the_next_segment_on) {
  with_log(options(), notes, &many_records);
  LogOptions larger = options();
  larger.segment_octets = 256 * 1024;
  Notes more;
  EXPECT_EQ(with_log(larger, more, &many_records).payloads(), notes.texts);
  EXPECT_EQ(reopen(options()).records.size(), 120U);
}

TEST(LogOptions, those_that_make_no_sense_are_refused) {
  test::TemporaryDirectory directory;
  LogOptions odd = small_log(directory.path());
  odd.segment_octets = 65537;
  LogOptions tiny = small_log(directory.path());
  tiny.batch_octets = 4096;
  for (const LogOptions& options : {odd, tiny}) {
    kurir::test::on_cores(1, [&](CoreIndex) {
      return [](LogOptions given) -> Task<void> {
        Remembers seen;
        const Result<std::unique_ptr<Log>> log = co_await Log::open(given, seen);
        EXPECT_EQ(log.error().code, Errc::invalid);
      }(options);
    });
  }
}

// --- checkpoints

Task<void> checkpoint_in_the_middle(Log& log, Notes& notes) {
  co_await append_and_commit(log, {"old 1", "old 2"}, notes);
  const Result<void> begun = co_await log.begin_checkpoint();
  EXPECT_TRUE(begun.has_value());
  EXPECT_TRUE(log.append(32, "state of old 1 and 2").has_value());
  co_await append_and_commit(log, {"during"}, notes);
  const Result<void> finished = co_await log.finish_checkpoint("done");
  EXPECT_TRUE(finished.has_value());
  co_await append_and_commit(log, {"after"}, notes);
  while (log.statistics().segments_freed < 1) co_await yield_turn();
}

TEST_P(LogModes, a_checkpoint_supersedes_what_was_before) {
  with_log(options(StreamKind::journal), notes, &checkpoint_in_the_middle);
  const Remembers seen = reopen(options(StreamKind::journal));
  EXPECT_EQ(seen.payloads(),
            (std::vector<std::string>{"state of old 1 and 2", "during", "done", "after"}));
  EXPECT_EQ(seen.records[2].type, record_type::checkpoint_complete);
}

Task<void> unfinished_checkpoint(Log& log, Notes& notes) {
  co_await append_and_commit(log, {"old"}, notes);
  const Result<void> begun = co_await log.begin_checkpoint();
  EXPECT_TRUE(begun.has_value());
  co_await append_and_commit(log, {"half of the state"}, notes);
}

TEST_P(LogModes, an_unfinished_checkpoint_changes_nothing) {
  with_log(options(StreamKind::journal), notes, &unfinished_checkpoint);
  EXPECT_EQ(reopen(options(StreamKind::journal)).payloads(),
            (std::vector<std::string>{"old", "half of the state"}));
}

Task<void> abandoned_then_another(Log& log, Notes& notes) {
  co_await append_and_commit(log, {"old"}, notes);
  const Result<void> begun = co_await log.begin_checkpoint();
  EXPECT_TRUE(begun.has_value());
  co_await append_and_commit(log, {"half"}, notes);
  log.abandon_checkpoint();
  co_await append_and_commit(log, {"later"}, notes);
  if (notes.numbers.empty()) co_return;
  const Result<void> again = co_await log.begin_checkpoint();
  EXPECT_TRUE(again.has_value());
  co_await append_and_commit(log, {"whole"}, notes);
  const Result<void> finished = co_await log.finish_checkpoint("done");
  EXPECT_TRUE(finished.has_value());
}

TEST_P(LogModes, an_abandoned_checkpoint_changes_nothing_and_another_may_follow) {
  with_log(options(StreamKind::journal), notes, &abandoned_then_another);
  EXPECT_EQ(reopen(options(StreamKind::journal)).payloads(),
            (std::vector<std::string>{"old", "half", "later"}));
  notes.numbers.push_back(1);
  with_log(options(StreamKind::journal), notes, &abandoned_then_another);
  EXPECT_EQ(reopen(options(StreamKind::journal)).payloads(),
            (std::vector<std::string>{"whole", "done"}));
}

Task<void> commit_everything(Log& log, Notes& notes) {
  const Result<void> nothing = co_await log.commit_appended();
  EXPECT_TRUE(nothing.has_value());
  // More than a batch holds, and more than a segment: it waits for the last of it.
  for (std::size_t number = 0; number < 12; ++number) {
    notes.texts.push_back(numbered(number, 9000));
    const Result<void> roomy = co_await log.room(9000, no_deadline);
    EXPECT_TRUE(roomy.has_value());
    EXPECT_TRUE(log.append(32, notes.texts.back()).has_value());
  }
  const Result<void> committed = co_await log.commit_appended();
  EXPECT_TRUE(committed.has_value());
  std::filesystem::copy(log.options().directory, log.options().directory + "-copy",
                        std::filesystem::copy_options::recursive);
}

TEST_P(LogModes, everything_appended_is_committed_at_once) {
  with_log(options(), notes, &commit_everything);
  LogOptions copy = options();
  copy.directory += "-copy";
  EXPECT_EQ(reopen(copy).payloads(), notes.texts);
  std::filesystem::remove_all(copy.directory);
}

// The segment that an owner begins from may be gone with its number, where all in it was released.
Task<void> append_one(Log& log, Notes& notes) { co_await append_and_commit(log, {"new"}, notes); }

TEST_P(LogModes, what_follows_the_place_to_begin_from_is_shown_though_its_segment_is_gone) {
  LogOptions from = options();
  from.start_from = {.segment = 7, .offset = 50'000};
  with_log(from, notes, &append_one);
  EXPECT_EQ(reopen(from).payloads(), std::vector<std::string>{"new"});
  EXPECT_GT(notes.refs[0].segment, 7U);
}

Task<void> checkpoints_over_many_segments(Log& log, Notes& notes) {
  for (int round = 0; round < 4; ++round) {
    co_await append_and_commit(log, {numbered(1, 9000), numbered(2, 9000), numbered(3, 9000)},
                               notes);
    const Result<void> begun = co_await log.begin_checkpoint();
    EXPECT_TRUE(begun.has_value());
    for (std::size_t part = 0; part < 12; ++part)
      co_await append_and_commit(log, {numbered(part, 9000)}, notes);
    const Result<void> finished = co_await log.finish_checkpoint("round " + std::to_string(round));
    EXPECT_TRUE(finished.has_value());
  }
}

TEST_P(LogModes, a_checkpoint_may_span_segments) {
  with_log(options(StreamKind::journal), notes, &checkpoints_over_many_segments);
  const Remembers seen = reopen(options(StreamKind::journal));
  ASSERT_EQ(seen.records.size(), 13U);
  EXPECT_EQ(seen.records.back().payload, "round 3");
  EXPECT_LE(files("journal-"), 4U);
}

INSTANTIATE_TEST_SUITE_P(Sync, LogModes, ::testing::Values(SyncMode::buffered, SyncMode::direct),
                         [](const auto& mode) {
                           return mode.param == SyncMode::direct ? "direct" : "buffered";
                         });

}  // namespace
}  // namespace kurir::store
