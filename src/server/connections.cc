#include "kurir/server/connections.hh"

#include "kurir/base/hash.hh"

namespace kurir::server {
namespace {
// Of those that have been there longest, how many are looked at for one to end.
constexpr unsigned shed_looks_max = 256;
}  // namespace

std::string_view text_of(Entry entry) {
  switch (entry) {
    case Entry::address_full:
      return "Too many connections from your address; close some, then try again";
    case Entry::network_full:
      return "Too many connections from your network; try again later";
    case Entry::too_often:
      return "You connect too often; try again in a minute";
    default:
      return "Too many connections; try again later";
  }
}

ConnectionCounts::Place& ConnectionCounts::address_of(const io::SocketAddress& peer) {
  const auto& octets = peer.octets();
  const std::string_view key(reinterpret_cast<const char*>(octets.data()), octets.size());
  return addresses_[keyed_hash(key, hash_key_) % places];
}

ConnectionCounts::Place& ConnectionCounts::network_of(const io::SocketAddress& peer) {
  return networks_[keyed_hash(Network::around(peer).key(), hash_key_) % places];
}

// A burst of one period's count, then one an interval. The compare-and-swap orders nothing else.
bool ConnectionCounts::spend(Place& place, const relay::Rate& rate, Instant now) {
  if (!rate.is_limited()) return true;
  const std::int64_t at = now.time_since_epoch().count();
  std::int64_t next = place.next.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t after = std::max(next, at) + rate.interval().count();
    if (after - at > rate.period.count()) return false;
    if (place.next.compare_exchange_weak(next, after, std::memory_order_relaxed)) return true;
  }
}

Entry ConnectionCounts::enter(const io::SocketAddress& peer, Instant now, bool may_exceed) {
  const bool is_stranger = !is_trusted(peer);
  Place& address = address_of(peer);
  Place& network = network_of(peer);
  const auto one_more = [](std::atomic<std::uint32_t>& open) {
    return open.fetch_add(1, std::memory_order_relaxed);
  };
  const bool is_place = all_.fetch_add(1, std::memory_order_relaxed) < limits_.max;
  const bool is_memory = !memory_is_short_.load(std::memory_order_relaxed);
  const bool room = (is_place && is_memory) || may_exceed;
  const bool address_room = one_more(address.open) < limits_.per_address_max || !is_stranger;
  const bool network_room = one_more(network.open) < limits_.per_network_max || !is_stranger;
  Entry entry = Entry::open;
  if (!room) entry = Entry::full;
  if (!network_room) entry = Entry::network_full;
  if (!address_room) entry = Entry::address_full;
  const bool may_spend = entry == Entry::open && is_stranger;
  if (may_spend &&
      !(spend(address, limits_.address_rate, now) && spend(network, limits_.network_rate, now)))
    entry = Entry::too_often;
  if (entry != Entry::open) leave(peer);
  return entry;
}

void ConnectionCounts::leave(const io::SocketAddress& peer) {
  all_.fetch_sub(1, std::memory_order_relaxed);
  address_of(peer).open.fetch_sub(1, std::memory_order_relaxed);
  network_of(peer).open.fetch_sub(1, std::memory_order_relaxed);
}

// Who was looked at and stays goes behind: the next look begins with the others.
bool Connections::shed_one() {
  for (unsigned looks = 0; looks < shed_looks_max && !connections_.empty(); ++looks) {
    Connection& oldest = connections_.pop_front();
    connections_.push_back(oldest);
    if (!oldest.may_be_shed()) continue;
    oldest.ask_to_end();
    return true;
  }
  return false;
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
