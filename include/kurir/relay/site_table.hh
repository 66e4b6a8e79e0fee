#pragma once
// SiteTable: what must hold for the whole process about each path (an egress source to a site):
// connections at a time, rates, back-off. Counters are taken with one compare-and-swap each by any
// core, without owner or hand-over; only finding the entry, once for each core and path, goes by
// core 0.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/base/ids.hh"
#include "kurir/coro/task.hh"
#include "kurir/relay/shaping.hh"

namespace kurir::relay {

class Relay;

// A line that any core may write and read, seldom both at once: no lock, and never half of one and
// half of another. The writer takes the version from even to odd (acquire: its words come after),
// and to even again (release: they came before); a reader that saw the same even version before and
// after saw one writer's words. Whoever finds a writer at work writes nothing: it knows as much.
// Most sites never have one: it is made with the first text, and published by a release.
class SharedLine {
 public:
  static constexpr std::size_t octets_max = 256;
  SharedLine() = default;
  ~SharedLine() { delete line_.load(); }
  SharedLine(const SharedLine&) = delete;
  SharedLine& operator=(const SharedLine&) = delete;
  void write(std::string_view text);  // what is longer is cut
  std::string read() const;           // empty: nothing yet, or changing all the time

 private:
  static constexpr std::size_t words = octets_max / sizeof(std::uint64_t);
  struct Line {
    std::atomic<std::uint32_t> version{0}, octets{0};
    std::array<std::atomic<std::uint64_t>, words> text{};
  };
  Line& line();
  std::atomic<Line*> line_{nullptr};
};

// Any core. Relaxed order would do: no other memory is published by these; the default is kept for
// the pair of `connections` and `waiting_cores`, where each side must see the other's store.
struct SharedSite {
  std::atomic<std::uint32_t> users{0};  // cores that hold it; grows on core 0 only
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> waiting_cores{0};  // bit core % 64: wants a slot, found none
  // GCRA: the theoretical arrival time of the next one, nanoseconds of MonotonicClock.
  std::atomic<std::int64_t> next_connection{0};
  std::atomic<std::int64_t> next_message{0};
  std::atomic<std::int64_t> back_off_until{0};
  std::atomic<std::uint32_t> failures{0};  // in succession
  SharedLine trouble;                      // the last of them, in words

  // A connection slot, where less than `limit` are taken.
  bool try_connect(std::uint64_t limit);
  // When the next one may go: takes that place. Paced: never two closer than the rate's interval.
  static Instant reserve(std::atomic<std::int64_t>& next, const Rate& rate, Instant now);
  static Instant peek(const std::atomic<std::int64_t>& next, const Rate& rate, Instant now);
};

class SiteTable {
 public:
  explicit SiteTable(unsigned cores) : relays_(cores, nullptr) {}

  // From any core; each holds a path once. release() gives it back.
  Task<SharedSite*> acquire(std::string path);
  void release(SharedSite& site) { site.users.fetch_sub(1); }

  // By core; set before the cores serve, read after that.
  void attach(CoreIndex core, Relay* relay) { relays_[core.value] = relay; }
  // A core found no slot: the others end a connection that is idle, if they have one.
  Task<void> ask_for_slot(CoreIndex asking, std::string path);
  // Returns a slot and tells cores that wait for one.
  Task<void> disconnect(SharedSite& site, std::string path);

 private:
  SharedSite* find_or_add(const std::string& path);  // on core 0
  std::vector<Relay*> relays_;
  std::unordered_map<std::string, std::unique_ptr<SharedSite>> sites_;  // core 0
  std::size_t sites_before_pruning_ = 4096;
};

}  // namespace kurir::relay
