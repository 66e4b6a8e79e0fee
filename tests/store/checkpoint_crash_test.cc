// The folder as a crash would leave it after each step of several checkpoints: what was committed
// is shown, by the older journal or the newer one.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "kurir/coro/event.hh"
#include "support.hh"

namespace kurir::store {
namespace {

using test::Notes;
using test::numbered;
using test::Remembers;
using test::small_log;

namespace fs = std::filesystem;

struct Snapshots {
  std::string from, to;
  std::vector<std::size_t> committed;  // by snapshot: how many texts must be shown
};
Snapshots snapshots;

// Files are copied oldest first, as they are; nothing is written meanwhile but by the keeper, which
// renames.
void take_snapshot(std::size_t committed) {
  const std::string to = snapshots.to + "/" + std::to_string(snapshots.committed.size());
  fs::create_directory(to);
  for (const auto& entry : fs::directory_iterator(snapshots.from)) {
    std::error_code moved_away;
    fs::copy_file(entry.path(), to / entry.path().filename(), moved_away);
  }
  snapshots.committed.push_back(committed);
}

Task<void> checkpoints(Log& log, Notes& notes) {
  for (int round = 0; round < 3; ++round) {
    for (int step = 0; step < 5; ++step) {
      notes.texts.push_back(numbered(notes.texts.size(), 7000));
      co_await test::append_and_commit(log, {notes.texts.back()}, notes);
      take_snapshot(notes.texts.size());
    }
    const Result<void> begun = co_await log.begin_checkpoint();
    EXPECT_TRUE(begun.has_value());
    take_snapshot(notes.texts.size());
    const std::size_t before = notes.texts.size();
    for (std::size_t index = 0; index < before; ++index) {
      co_await test::append_and_commit(log, {notes.texts[index]}, notes);
      take_snapshot(notes.texts.size());
      if (index != 2) continue;
      notes.texts.push_back(numbered(notes.texts.size(), 500));  // somebody else, in between
      co_await test::append_and_commit(log, {notes.texts.back()}, notes);
    }
    const Result<void> finished = co_await log.finish_checkpoint("whole");
    EXPECT_TRUE(finished.has_value());
    take_snapshot(notes.texts.size());
    for (int turn = 0; turn < 20; ++turn) {
      co_await yield_turn();
      take_snapshot(notes.texts.size());
    }
  }
}

Task<void> check_snapshots(Notes& notes) {
  for (std::size_t index = 0; index < snapshots.committed.size(); ++index) {
    // Twice: recovery itself is repeatable.
    for (int start = 0; start < 2; ++start) {
      Remembers seen;
      Notes none;
      const LogOptions options =
          small_log(snapshots.to + "/" + std::to_string(index), StreamKind::journal);
      co_await test::run_log(options, seen, none, &test::do_nothing);
      const std::vector<std::string> shown = seen.payloads();
      for (std::size_t text = 0; text < snapshots.committed[index]; ++text)
        EXPECT_NE(std::find(shown.begin(), shown.end(), notes.texts[text]), shown.end())
            << "snapshot " << index << " lost " << text;
      EXPECT_TRUE(seen.corrupt.empty()) << index;
    }
  }
}

TEST(CheckpointCrash, either_journal_is_usable_at_every_step) {
  test::TemporaryDirectory directory(true), copies(true);
  snapshots = {.from = directory.path(), .to = copies.path(), .committed = {}};
  Notes notes;
  test::with_log(small_log(directory.path(), StreamKind::journal), notes, &checkpoints);
  ASSERT_GT(snapshots.committed.size(), 100U);
  kurir::test::on_cores(1, [&](CoreIndex) { return check_snapshots(notes); });
}

}  // namespace
}  // namespace kurir::store
