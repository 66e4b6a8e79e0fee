#include <algorithm>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/core.hh"
#include "kurir/io/file.hh"
#include "kurir/io/offload.hh"
#include "kurir/observe/event_log.hh"

namespace kurir::observe {
namespace {

constexpr int standard_output = 1;
constexpr Milliseconds reader_patience = Seconds(1);
constexpr Nanoseconds batch_patience = Seconds(5);
constexpr Nanoseconds busy_pool_rest = Milliseconds(50);

bool is_ours(int descriptor) { return descriptor > 2; }

std::uint64_t lines_in(std::string_view octets) {
  return static_cast<std::uint64_t>(std::ranges::count(octets, '\n'));
}

}  // namespace

EventSink::EventSink(std::string destination, std::string node_id)
    : destination_(std::move(destination)), node_id_(std::move(node_id)) {}

EventSink::~EventSink() {
  KURIR_ASSERT(!writing_);
  adopt_descriptor();
  if (is_ours(descriptor_)) io::close_blocking(descriptor_);
}

Result<void> EventSink::reopen() {
  if (!wanted()) return {};
  int descriptor = standard_output;
  if (destination_ != "stdout") {
    const Result<int> opened = io::open_for_append(destination_);
    if (!opened) return std::unexpected(opened.error());
    descriptor = *opened;
  }
  const int unused = fresh_descriptor_.exchange(descriptor, std::memory_order_acq_rel);
  if (is_ours(unused)) io::close_blocking(unused);
  return {};
}

// A line that was torn in the old file stays torn there: its rest would spoil the new one.
void EventSink::adopt_descriptor() {
  const int fresh = fresh_descriptor_.exchange(-1, std::memory_order_acq_rel);
  if (fresh < 0) return;
  if (fresh != descriptor_) {
    if (!rest_.empty()) ++lines_lost_;
    rest_.clear();
  }
  const int old = std::exchange(descriptor_, fresh);
  if (is_ours(old)) io::close_blocking(old);
}

EventSink::Attempt EventSink::attempt(std::string_view lines, Milliseconds patience) {
  adopt_descriptor();
  if (descriptor_ < 0) {
    static_cast<void>(reopen());
    adopt_descriptor();
  }
  if (descriptor_ < 0) return {};
  // The rest of a torn line is an attempt of its own: after it the reader is given its time anew.
  const std::string_view wanted = rest_.empty() ? lines : std::string_view(rest_);
  const io::Appended appended = io::append_within(descriptor_, wanted, patience);
  const bool timed_out = appended.failure && appended.failure->code == Errc::timed_out;
  const bool advanced = appended.octets > 0;
  if (rest_.empty()) return {appended.octets, advanced, timed_out};
  rest_.erase(0, appended.octets);
  return {0, advanced, timed_out};
}

// Goes on as long as it gets anywhere, for a bounded time. Gives the octets written.
Task<std::size_t> EventSink::write_some(std::string_view lines) {
  const Deadline deadline = deadline_in(batch_patience);
  std::size_t done = 0;
  while (done < lines.size() && io::now() < deadline) {
    const std::string_view left = lines.substr(done);
    const Milliseconds patience = stalled_ ? Milliseconds(0) : reader_patience;
    const auto work = [this, left, patience] { return attempt(left, patience); };
    auto call = io::offload(work);
    const Result<Attempt> attempted = co_await call;
    if (!attempted) {  // too much waits for the pool: not the log's fault
      co_await sleep_for(busy_pool_rest);
      continue;
    }
    stalled_ = attempted->timed_out;
    done += attempted->octets;
    if (!attempted->advanced) break;
  }
  co_return done;
}

// The rest of a torn line is kept, so that the log never holds half a line before a whole one.
std::uint64_t EventSink::give_up(std::string_view unwritten, bool begins_a_line) {
  if (!begins_a_line) {
    const std::size_t end = unwritten.find('\n') + 1;
    rest_ = unwritten.substr(0, end);
    unwritten.remove_prefix(end);
  }
  return lines_in(unwritten);
}

Task<EventSink::Written> EventSink::write(std::string lines) {
  KURIR_ASSERT(lines.empty() || lines.back() == '\n');
  while (writing_) co_await turn_.wait();
  writing_ = true;
  const std::size_t done = co_await write_some(lines);
  if (done < lines.size()) {
    const bool begins_a_line = done == 0 || lines[done - 1] == '\n';
    lines_lost_ += give_up(std::string_view(lines).substr(done), begins_a_line);
  }
  writing_ = false;
  turn_.notify_one();
  lines.clear();
  co_return Written{std::exchange(lines_lost_, 0), std::move(lines)};
}

}  // namespace kurir::observe
