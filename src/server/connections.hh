#pragma once
// The connections of one core: counted against the limits of the process, asked to end, ended.
// Private to server/.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "kurir/base/intrusive_list.hh"
#include "kurir/coro/event.hh"
#include "kurir/io/address.hh"
#include "kurir/io/socket.hh"

namespace kurir::server {

// Shared by all cores: how many connections there are, in all and by address. Relaxed atomics: a
// limit may be passed by the few connections that are accepted in the same moment. Addresses share
// counters by hash: with many more counters than addresses that come near the limit, a collision
// can only refuse an address that shares its counter with a flood.
class ConnectionCounts {
 public:
  ConnectionCounts(std::uint64_t max, std::uint64_t per_address_max, std::uint64_t hash_key)
      : max_(max), per_address_max_(per_address_max), hash_key_(hash_key) {}
  bool enter(const io::SocketAddress& peer);  // false: refused, nothing to leave
  void leave(const io::SocketAddress& peer);

 private:
  static constexpr std::size_t counters = 1 << 16;
  std::atomic<std::uint32_t>& counter_of(const io::SocketAddress& peer);
  std::uint64_t max_, per_address_max_, hash_key_;
  std::atomic<std::uint64_t> all_{0};
  std::array<std::atomic<std::uint32_t>, counters> by_address_{};
};

// One connection while it is served. Core-local.
class Connection : public ListLink {
 public:
  Connection(io::Stream& stream, std::function<void()> ask_to_end)
      : stream_(stream), ask_to_end_(std::move(ask_to_end)) {}
  void ask_to_end() { ask_to_end_(); }
  void abort() { stream_.abort(); }

 private:
  io::Stream& stream_;
  std::function<void()> ask_to_end_;
};

// All of a core. Core-local.
class Connections {
 public:
  // One that comes late, when all were asked already, is asked at once.
  void add(Connection& connection) {
    connections_.push_back(connection);
    if (is_ending_) connection.ask_to_end();
    if (is_aborting_) connection.abort();
  }
  void removed() {
    if (connections_.empty()) emptied_.notify_all();
  }
  // Asks all to end and waits until the deadline; what is still there then is cut off.
  Task<void> end_all(Deadline deadline);

 private:
  IntrusiveList<Connection> connections_;
  Signal emptied_;
  bool is_ending_ = false, is_aborting_ = false;
};

}  // namespace kurir::server
