#pragma once
// The connections of one core: counted against the limits of the process, asked to end, ended.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "kurir/base/intrusive_list.hh"
#include "kurir/coro/event.hh"
#include "kurir/io/address.hh"
#include "kurir/io/socket.hh"
#include "kurir/relay/shaping.hh"
#include "kurir/server/network.hh"

namespace kurir::server {

// Why a connection is not served, or that it is.
enum class Entry : std::uint8_t { open, full, address_full, network_full, too_often };
// What the client is told, without the code: "Too many connections ...".
std::string_view text_of(Entry entry);

struct ConnectionLimits {
  std::uint64_t max = 100'000;
  std::uint64_t per_address_max = 1'000;
  std::uint64_t per_network_max = 4'000;  // a /24 or /64
  relay::Rate address_rate, network_rate;
  std::vector<Network> trusted;  // only `max` counts for them
};

// Shared by all cores: how many connections there are, in all, by address and by network, and how
// often new ones come. Relaxed atomics: a limit may be passed by the few connections that are
// accepted in the same moment. Addresses share counters by hash: with many more counters than
// addresses that come near the limit, a collision can only refuse an address that shares its
// counter with a flood.
class ConnectionCounts {
 public:
  ConnectionCounts(ConnectionLimits limits, std::uint64_t hash_key)
      : limits_(std::move(limits)), hash_key_(hash_key), addresses_(places), networks_(places) {}
  // But for Entry::open there is nothing to leave. `may_exceed`: somebody else makes room.
  Entry enter(const io::SocketAddress& peer, Instant now, bool may_exceed = false);
  void leave(const io::SocketAddress& peer);
  bool is_trusted(const io::SocketAddress& peer) const { return contains(limits_.trusted, peer); }
  // Memory runs short: a newcomer is served only where somebody makes room.
  void set_memory_is_short(bool is_short) {
    memory_is_short_.store(is_short, std::memory_order_relaxed);
  }
  // Four of five places are taken, or memory runs short.
  bool is_pressed() const {
    return memory_is_short_.load(std::memory_order_relaxed) ||
           all_.load(std::memory_order_relaxed) * 5 >= limits_.max * 4;
  }

 private:
  static constexpr std::size_t places = 1 << 16;
  struct Place {
    std::atomic<std::uint32_t> open{0};
    std::atomic<std::int64_t> next{0};  // when the rate is used up to (GCRA), in nanoseconds
  };
  Place& address_of(const io::SocketAddress& peer);
  Place& network_of(const io::SocketAddress& peer);
  static bool spend(Place& place, const relay::Rate& rate, Instant now);

  const ConnectionLimits limits_;
  const std::uint64_t hash_key_;
  std::atomic<std::uint64_t> all_{0};
  std::atomic<bool> memory_is_short_{false};
  std::vector<Place> addresses_, networks_;
};

// One connection while it is served. Core-local.
class Connection : public ListLink {
 public:
  using Ask = std::function<void()>;
  using IsStranger = std::function<bool()>;
  Connection(io::Stream& stream, Ask ask_to_end, IsStranger is_stranger)
      : stream_(stream), ask_to_end_(std::move(ask_to_end)), is_stranger_(std::move(is_stranger)) {}
  void ask_to_end() {
    is_asked_ = true;
    ask_to_end_();
  }
  void abort() { stream_.abort(); }
  // Nothing is lost with it, and it was not asked to end yet.
  bool may_be_shed() const { return !is_asked_ && is_stranger_(); }

 private:
  io::Stream& stream_;
  Ask ask_to_end_;
  IsStranger is_stranger_;
  bool is_asked_ = false;
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
  // Asks the one to end that has been there longest without a login or a message, among the oldest
  // some; false: there is none. Who works goes on; who comes now may be somebody who will.
  bool shed_one();
  // Asks all to end and waits until the deadline; what is still there then is cut off.
  Task<void> end_all(Deadline deadline);

 private:
  IntrusiveList<Connection> connections_;
  Signal emptied_;
  bool is_ending_ = false, is_aborting_ = false;
};

}  // namespace kurir::server
