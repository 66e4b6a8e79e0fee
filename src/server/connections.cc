#include "connections.hh"

#include "kurir/base/hash.hh"

namespace kurir::server {

std::atomic<std::uint32_t>& ConnectionCounts::counter_of(const io::SocketAddress& peer) {
  const auto& octets = peer.octets();
  const std::string_view key(reinterpret_cast<const char*>(octets.data()), octets.size());
  return by_address_[keyed_hash(key, hash_key_) % counters];
}

bool ConnectionCounts::enter(const io::SocketAddress& peer) {
  std::atomic<std::uint32_t>& counter = counter_of(peer);
  const bool room = all_.fetch_add(1, std::memory_order_relaxed) < max_;
  const bool address_room = counter.fetch_add(1, std::memory_order_relaxed) < per_address_max_;
  if (room && address_room) return true;
  leave(peer);
  return false;
}

void ConnectionCounts::leave(const io::SocketAddress& peer) {
  all_.fetch_sub(1, std::memory_order_relaxed);
  counter_of(peer).fetch_sub(1, std::memory_order_relaxed);
}

Task<void> Connections::end_all(Deadline deadline) {
  is_ending_ = true;
  connections_.for_each([](Connection& connection) { connection.ask_to_end(); });
  Woken woken = Woken::by_signal;
  while (!connections_.empty() && woken == Woken::by_signal)
    woken = co_await emptied_.wait(deadline);
  is_aborting_ = true;
  connections_.for_each([](Connection& connection) { connection.abort(); });
  while (!connections_.empty()) co_await emptied_.wait();
}

}  // namespace kurir::server
