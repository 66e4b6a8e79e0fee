#include "checkpoints.hh"

#include <algorithm>

#include "kurir/store/checkpoint_writer.hh"

namespace kurir::server {
namespace {

// A checkpoint of a large index is taken when so many times its size would be read beside it.
constexpr std::uint64_t octets_per_own_octet = 4;
// Each start opens a segment: many of them are freed, however little is in them.
constexpr std::uint64_t segments_spare = 4;

}  // namespace

void Checkpoints::recovered(const CheckpointEnd& last, std::uint64_t octets_read) {
  last_octets_ = last.octets;
  read_at_start_ = octets_read - std::min(octets_read, last.octets);
}

std::uint64_t Checkpoints::octets_appended() const {
  return logs_.journal->statistics().octets + logs_.mail->statistics().octets +
         logs_.spool->statistics().octets;
}

std::uint64_t Checkpoints::octets_to_read() const {
  return read_at_start_ + octets_appended() - appended_before_;
}

bool Checkpoints::is_due() const {
  const std::uint64_t bound = std::max(octets_, octets_per_own_octet * last_octets_);
  const std::uint64_t to_read = octets_to_read();
  if (failed_at_ != 0 && to_read < failed_at_ + bound) return false;
  const std::uint64_t segments = segments_spare * logs_.journal->options().segment_octets;
  return to_read >= bound || logs_.journal->octets_used() >= bound + segments;
}

bool Checkpoints::is_worth_while() const {
  const std::uint64_t to_read = octets_to_read();
  const std::uint64_t segments = segments_spare * logs_.journal->options().segment_octets;
  return (to_read > 0 && to_read >= last_octets_ / 2) ||
         logs_.journal->octets_used() >= last_octets_ + segments;
}

bool Checkpoints::journal_is_whole() const {
  return logs_.journal->statistics().failures == failures_before_;
}

Task<Result<void>> Checkpoints::write() {
  const Result<void> begun = co_await logs_.journal->begin_checkpoint();
  if (!begun) {
    failed_at_ = octets_to_read();
    co_return begun;
  }
  // Not before: a message that lies behind these positions has all its changes in the new segments.
  writing_ = {.positions = {.mail = logs_.mail->end(), .spool = logs_.spool->end()}, .octets = 0};
  appended_at_begin_ = octets_appended();
  failures_at_begin_ = logs_.journal->statistics().failures;
  const Result<void> written = co_await write_records();
  if (!written) abandon();
  co_return written;
}

Task<Result<void>> Checkpoints::write_records() {
  store::CheckpointWriter writer(*logs_.journal);
  const Result<void> owner_written = co_await owner_.write_snapshot(writer);
  if (!owner_written) co_return owner_written;
  const Result<void> queue_written = co_await queue_.write_snapshot(writer, writing_.positions);
  if (!queue_written) co_return queue_written;
  writing_.octets = writer.octets();
  const Result<void> synced = co_await sync_streams();
  if (!synced) co_return synced;
  co_return co_await logs_.journal->commit_appended();
}

// Nothing at these positions may be missing after a power cut.
Task<Result<void>> Checkpoints::sync_streams() {
  const Result<void> mail = co_await logs_.mail->commit_appended();
  if (!mail) co_return mail;
  co_return co_await logs_.spool->commit_appended();
}

Task<Result<void>> Checkpoints::finish() {
  const Result<void> finished = co_await logs_.journal->finish_checkpoint(encode(writing_));
  if (!finished) {
    failed_at_ = octets_to_read();
    co_return finished;
  }
  last_octets_ = writing_.octets;
  read_at_start_ = 0;
  appended_before_ = appended_at_begin_ + writing_.octets;
  failures_before_ = failures_at_begin_;
  failed_at_ = 0;
  co_return finished;
}

void Checkpoints::abandon() {
  logs_.journal->abandon_checkpoint();
  failed_at_ = octets_to_read();
}

}  // namespace kurir::server
