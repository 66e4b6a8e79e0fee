#pragma once
// Counters: one writer (the core that owns them), any reader: relaxed atomics on a core's own lines. What the summary line
// and the metrics show. A gauge goes up and down.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace kurir::observe {

enum class Counter : std::uint8_t {
  smtp_connections,   // accepted
  smtp_open,          // gauge
  imap_connections,
  imap_open,          // gauge
  pop3_connections,
  pop3_open,          // gauge
  connections_refused,
  logins,
  logins_failed,
  commands_refused,
  messages_received,
  messages_rejected,
  messages_delivered,
  messages_queued,    // gauge
  count_,
};

class alignas(64) Counters {
 public:
  // The owning core only.
  void add(Counter counter, std::int64_t by = 1) {
    std::atomic<std::int64_t>& value = values_[static_cast<std::size_t>(counter)];
    value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  void set(Counter counter, std::int64_t to) {
    values_[static_cast<std::size_t>(counter)].store(to, std::memory_order_relaxed);
  }
  // Any core.
  std::int64_t get(Counter counter) const {
    return values_[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::int64_t>, static_cast<std::size_t>(Counter::count_)> values_{};
};

}  // namespace kurir::observe
