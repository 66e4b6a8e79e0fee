#pragma once
// Course: which message is next, when it is due, and when the run is over. Shared by all cores;
// numbers are given out once each.

#include <atomic>
#include <cstdint>
#include <optional>

#include "kurir/base/clock.hh"
#include "kurir/blast/options.hh"

namespace kurir::blast {

class Course {
 public:
  explicit Course(const Options& options) : options_(options) {}

  // Before the first take(), by one core; the others begin after it.
  void begin(Instant now) {
    begin_ = now;
    measured_from_ = now + options_.warm_up;
    end_ = options_.duration > Nanoseconds(0) ? measured_from_ + options_.duration : no_deadline;
  }

  struct Turn {
    std::uint64_t number;
    Instant due;  // at a rate; else now
  };
  // nullopt: the run is over.
  std::optional<Turn> take(Instant now) {
    if (stopped() || now >= end_) return std::nullopt;
    const std::uint64_t number = next_.fetch_add(1, std::memory_order_relaxed);
    if (options_.messages > 0 && number >= options_.messages) return std::nullopt;
    Turn turn{number, now};
    if (options_.rate > 0)
      turn.due =
          begin_ + Nanoseconds(static_cast<std::int64_t>(double(number) / options_.rate * 1e9));
    if (turn.due >= end_) return std::nullopt;
    return turn;
  }

  bool is_measured(Instant due) const { return due >= measured_from_; }
  Instant measured_from() const { return measured_from_; }
  Instant end() const { return end_; }
  void stop() { stopped_.store(true, std::memory_order_relaxed); }
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

 private:
  const Options& options_;
  Instant begin_{}, measured_from_{}, end_ = no_deadline;
  std::atomic<std::uint64_t> next_{0};
  std::atomic<bool> stopped_{false};
};

}  // namespace kurir::blast
