#pragma once
// Counters: one writer (the core that owns them), any reader: relaxed atomics on a core's own cache
// lines. What the summary line and the metrics show. A gauge goes up and down. A reader sees each
// value whole, but not all of them as of one moment.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace kurir::observe {

enum class Counter : std::uint8_t {
  smtp_connections,  // accepted
  smtp_open,         // gauge
  imap_connections,
  imap_open,  // gauge
  pop3_connections,
  pop3_open,  // gauge
  connections_refused,
  connections_shed,      // ended for others, where there was no room
  early_talkers,         // talked before the greeting
  strangers_listed,      // by a block list
  strangers_greylisted,  // asked to come again, each time
  hellos_refused,
  tls_handshakes,         // done, with clients
  tls_handshakes_failed,  // given up by either side
  logins,
  logins_failed,
  commands_refused,
  messages_received,
  messages_rejected,
  messages_delivered,
  messages_queued,    // gauge
  messages_deferred,  // attempts that will be made again
  messages_bounced,
  octets_received,  // of content
  octets_delivered,
  commits,         // of the store: one sync each
  log_lines_lost,  // events that the log could not take
  count_,
};

inline constexpr std::size_t counters_count = static_cast<std::size_t>(Counter::count_);

// "smtp_open".
std::string_view name_of(Counter counter);

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
  std::array<std::atomic<std::int64_t>, counters_count> values_{};
};
static_assert(sizeof(Counters) % 64 == 0, "no two cores write one cache line");

// The sums over all cores.
class Totals {
 public:
  Totals() = default;
  explicit Totals(std::span<const Counters> cores);
  std::int64_t get(Counter counter) const { return values_[static_cast<std::size_t>(counter)]; }

 private:
  std::array<std::int64_t, counters_count> values_{};
};

}  // namespace kurir::observe
