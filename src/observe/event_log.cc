#include "kurir/observe/event_log.hh"

#include <algorithm>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/core.hh"
#include "kurir/io/mesh.hh"

namespace kurir::observe {
namespace {

constexpr std::size_t hurry_octets = 64 << 10;
constexpr std::size_t memory_kept_octets = 256 << 10;  // by an idle core
constexpr Nanoseconds gather_time = Milliseconds(50);
constexpr CoreIndex writing_core{0};

// For on_core(): owns what it hands over, and is no coroutine.
struct Delivery {
  EventSink* sink;
  std::string lines;
  Task<EventSink::Written> operator()() { return sink->write(std::move(lines)); }
};

}  // namespace

EventLog::~EventLog() { KURIR_ASSERT(scope_.running() == 0); }

void EventLog::lose(std::uint64_t lines) {
  lost_ += lines;
  if (counters_ != nullptr && lines > 0)
    counters_->add(Counter::log_lines_lost, static_cast<std::int64_t>(lines));
}

void EventLog::write(const Event& event) {
  if (!sink_.wanted()) return;
  if (stopped_ || gathered_.size() >= limits::event_log_octets_max) {
    lose(1);
    return;
  }
  append_json_line(gathered_, event, sink_.node_id());
  if (gathered_.size() >= hurry_octets) hurry_.notify_all();
  if (std::exchange(writing_, true)) return;
  scope_.start(write_out());
}

// Runs while there is something to write; one at a time, so that lines keep their order.
Task<void> EventLog::write_out() {
  while (!gathered_.empty()) {
    const bool may_gather = !stopping_ && gathered_.size() < hurry_octets;
    if (may_gather) co_await hurry_.wait(deadline_in(gather_time));
    Delivery delivery{&sink_, std::exchange(gathered_, std::move(spare_))};
    spare_ = std::string();
    auto call = io::on_core(writing_core, std::move(delivery));
    EventSink::Written written = co_await call;
    lose(written.lines_lost);
    if (written.memory.capacity() <= memory_kept_octets) spare_ = std::move(written.memory);
  }
  writing_ = false;
}

Task<void> EventLog::stop() {
  stopping_ = true;
  hurry_.notify_all();
  co_await scope_.join();
  stopped_ = true;
}

}  // namespace kurir::observe
