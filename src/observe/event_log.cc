#include "kurir/observe/event_log.hh"

#include "kurir/base/assert.hh"
#include "kurir/io/file.hh"
#include "kurir/io/offload.hh"

namespace kurir::observe {
namespace {

constexpr std::size_t gathered_octets_max = 16 << 20;  // beyond it lines are lost
constexpr std::size_t hurry_octets = 64 << 10;
constexpr Nanoseconds gather_time = Milliseconds(50);

}  // namespace

EventSink::~EventSink() {
  if (descriptor_ > 1) io::close_blocking(descriptor_);
}

void EventSink::reopen() {
  const std::lock_guard lock(mutex_);
  if (descriptor_ > 1) io::close_blocking(descriptor_);
  descriptor_ = -1;
  if (destination_ == "stdout") descriptor_ = 1;
  if (descriptor_ < 0 && wanted()) descriptor_ = io::open_for_append(destination_).value_or(-1);
}

bool EventSink::write(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  if (descriptor_ < 0) return false;
  return io::append_blocking(descriptor_, lines).has_value();
}

EventLog::~EventLog() { KURIR_ASSERT(scope_.running() == 0); }

void EventLog::write(const Event& event) {
  if (!sink_.wanted()) return;
  if (gathered_.size() >= gathered_octets_max) {
    ++lost_;
    return;
  }
  append_json_line(gathered_, event);
  ++gathered_lines_;
  if (gathered_.size() >= hurry_octets) hurry_.notify_all();
  if (writing_) return;
  writing_ = true;
  scope_.start(write_out());
}

// Runs while there is something to write; one at a time.
Task<void> EventLog::write_out() {
  while (!gathered_.empty()) {
    if (!stopping_ && gathered_.size() < hurry_octets) co_await hurry_.wait(deadline_in(gather_time));
    const std::string lines = std::exchange(gathered_, {});
    const std::uint64_t count = std::exchange(gathered_lines_, 0);
    const Result<bool> written = co_await io::offload([&] { return sink_.write(lines); });
    if (!written || !*written) lost_ += count;
  }
  writing_ = false;
}

Task<void> EventLog::stop() {
  stopping_ = true;
  hurry_.notify_all();
  co_await scope_.join();
}

}  // namespace kurir::observe
