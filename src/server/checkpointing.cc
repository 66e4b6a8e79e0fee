// When a core writes checkpoints: while it serves, as its shard grows, and when it stops.

#include "core_server.hh"
#include "kurir/io/file.hh"
#include "kurir/io/mesh.hh"

namespace kurir::server {
namespace {

void report_failure(const Error& error) {
  io::print_error("kurir: a checkpoint could not be written (errno " +
                  std::to_string(error.os_errno) + "); the next start reads more");
}

}  // namespace

// Once a turn, whose commits it counts.
void CoreServer::count_commits() {
  if (!checkpoints_) return;
  std::uint64_t commits = 0;
  for (const store::Log* log : {logs_.journal, logs_.mail, logs_.spool})
    commits += log->statistics().commits;
  if (commits == commits_counted_) return;
  counters_.add(observe::Counter::commits, static_cast<std::int64_t>(commits - commits_counted_));
  commits_counted_ = commits;
  if (checkpoint_wanted_.awaited() && checkpoints_->is_due()) checkpoint_wanted_.notify_all();
}

Task<void> CoreServer::keep_checkpoints() {
  while (!stop_.is_set()) {
    if (checkpoints_->is_due()) {
      co_await take_checkpoint();
    } else {
      co_await checkpoint_wanted_.wait();
    }
  }
}

Task<void> CoreServer::take_checkpoint() {
  const Result<void> written = co_await checkpoints_->write();
  if (!written) co_return report_failure(written.error());
  for (CoreServer* server : shared_.servers) {
    const bool durable =
        co_await io::on_core(server->core(), [server] { return server->outcomes_are_durable(); });
    const bool is_own = server == this;  // whose queue is in the checkpoint
    if (!durable && !is_own) co_return checkpoints_->abandon();
  }
  const Result<void> finished = co_await checkpoints_->finish();
  if (!finished) report_failure(finished.error());
}

Task<bool> CoreServer::outcomes_are_durable() {
  co_await delivery_->settled_so_far();
  const Result<void> synced = co_await queue_->sync_outcomes();
  co_return synced && checkpoints_->journal_is_whole();
}

// No core delivers any more. Each gets its outcomes onto the disk before any frees its older
// journal.
Task<void> CoreServer::checkpoint_at_stop() {
  bool is_written = false;
  if (may_checkpoint_ && checkpoints_->is_worth_while()) {
    const Result<void> written = co_await checkpoints_->write();
    is_written = written.has_value();
    if (!written) report_failure(written.error());
  }
  const Result<void> synced = co_await queue_->sync_outcomes();
  const bool is_whole = synced && checkpoints_->journal_is_whole();
  const bool all_whole = co_await shared_.outcomes_durable.arrive(is_whole);
  if (!is_written) co_return;
  if (!all_whole) co_return checkpoints_->abandon();
  const Result<void> finished = co_await checkpoints_->finish();
  if (!finished) report_failure(finished.error());
}

}  // namespace kurir::server
