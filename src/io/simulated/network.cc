#include "kurir/io/simulated/network.hh"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "kurir/io/simulated/world.hh"

namespace kurir::io::simulated {
namespace {

constexpr Nanoseconds kernel_gives_up = Seconds(127);  // of a connect that nobody answers
constexpr Nanoseconds datagram_repeats = Milliseconds(5);

}  // namespace

Nanoseconds Network::latency() {
  return world_.random().duration(weather.latency_min, weather.latency_max);
}

std::shared_ptr<Acceptor> Network::listen(SocketAddress& address) {
  if (address.family() != Family::unix && address.port() == 0) address.set_port(next_port_++);
  auto acceptor = std::make_shared<Acceptor>();
  acceptor->address = address;
  acceptors_[address.text()].push_back(acceptor);
  return acceptor;
}

void Network::stop_listening(const std::shared_ptr<Acceptor>& acceptor) {
  const auto found = acceptors_.find(acceptor->address.text());
  if (found != acceptors_.end()) {
    std::erase(found->second, acceptor);
    if (found->second.empty()) acceptors_.erase(found);
  }
  acceptor->on_change = nullptr;
  for (const std::shared_ptr<Endpoint>& waiting : acceptor->waiting) waiting->close();
  acceptor->waiting.clear();
}

SocketAddress Network::choose_local(const SocketAddress& to) {
  const std::uint16_t port = next_port_++;
  if (next_port_ < 30'000) next_port_ = 30'000;
  return to.family() == Family::ipv6 ? SocketAddress::ipv6({1}, port)
                                     : SocketAddress::ipv4({127, 0, 0, 1}, port);
}

void Network::connect(const std::shared_ptr<Endpoint>& from, const SocketAddress& to,
                      std::function<void(int)> connected) {
  Random& random = world_.random();
  int error = 0;
  if (random.chance(weather.refuse)) {
    constexpr int errors[] = {ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ECONNRESET};
    error = errors[random.below(std::size(errors))];
  }
  if (error == 0 && random.chance(weather.silent)) error = ETIMEDOUT;
  const Nanoseconds delay = error == ETIMEDOUT ? kernel_gives_up : latency();
  world_.after(delay, [this, from, to, connected = std::move(connected), error] {
    if (error != 0) return connected(error);
    meet(from, to, connected);
  });
}

void Network::meet(const std::shared_ptr<Endpoint>& from, const SocketAddress& to,
                   const std::function<void(int)>& connected) {
  const auto found = acceptors_.find(to.text());
  if (found == acceptors_.end()) return connected(ECONNREFUSED);
  const std::shared_ptr<Acceptor> acceptor = world_.random().pick(found->second);
  auto peer = std::make_shared<Endpoint>(world_, to, from->local);
  peer->number = from->number = ++connections_;
  peer->connect_with(from);
  from->connect_with(peer);
  set_fate(*peer);
  set_fate(*from);
  world_.note("net.connect", from->number, from->local.text(), to.text());
  acceptor->waiting.push_back(peer);
  if (acceptor->on_change) acceptor->on_change();
  world_.after(latency(), [connected] { connected(0); });
}

void Network::set_fate(Endpoint& endpoint) {
  Random& random = world_.random();
  if (random.chance(weather.tiny_pieces)) endpoint.set_tiny();
  if (random.chance(weather.small_window)) endpoint.set_window(random.between(1, 600));
  if (!random.chance(weather.cut)) return;
  constexpr Cut cuts_there_are[] = {Cut::reset, Cut::reset, Cut::half_close, Cut::silence};
  endpoint.set_cut(cuts_there_are[random.below(std::size(cuts_there_are))],
                   random.below(weather.cut_octets_max));
}

void Network::answer_datagrams(const SocketAddress& address, Answerer answerer) {
  answerers_[address.text()] = std::move(answerer);
}

void Network::send_datagram(const std::shared_ptr<DatagramEnd>& from, std::string octets) {
  Random& random = world_.random();
  if (random.chance(weather.lose_datagram)) return world_.note("net.lost", from->local.text());
  world_.after(latency(), [this, from, octets = std::move(octets)] {
    const auto found = answerers_.find(from->peer.text());
    if (found == answerers_.end()) {
      from->failure = ECONNREFUSED;
      if (from->on_change) from->on_change();
      return;
    }
    std::string answer = found->second(octets);
    if (!answer.empty()) deliver(from, std::move(answer));
  });
}

void Network::deliver(const std::shared_ptr<DatagramEnd>& to, std::string octets) {
  Random& random = world_.random();
  if (random.chance(weather.lose_datagram)) return;
  const unsigned copies = random.chance(weather.repeat_datagram) ? 2 : 1;
  for (unsigned copy = 0; copy < copies; ++copy) {
    world_.after(latency() + copy * datagram_repeats, [to, octets] {
      if (to->is_closed) return;
      to->received.push_back(octets);
      if (to->on_change) to->on_change();
    });
  }
}

}  // namespace kurir::io::simulated
