#include "kurir/io/datagram.hh"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>
#include <string>
#include <utility>

#include "kurir/coro/scope.hh"
#include "support/on_cores.hh"

namespace kurir::io {
namespace {

// The other side, blocking: what it waits for has been sent already.
class Peer {
 public:
  Peer() : descriptor_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  void leave() { ::close(std::exchange(descriptor_, -1)); }

  SocketAddress address() const { return SocketAddress::ipv4({127, 0, 0, 1}, port_); }
  std::string hear() {
    char block[4096];
    const ssize_t octets = ::recv(descriptor_, block, sizeof block, 0);
    EXPECT_GE(octets, 0);
    return {block, static_cast<std::size_t>(std::max<ssize_t>(octets, 0))};
  }
  void say(const Datagram& to, const std::string& octets) {
    const sockaddr_in address = loopback(to.local().port());
    EXPECT_EQ(::sendto(descriptor_, octets.data(), octets.size(), 0,
                       reinterpret_cast<const sockaddr*>(&address), sizeof address),
              static_cast<ssize_t>(octets.size()));
  }

 private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  int descriptor_;
  std::uint16_t port_ = 0;
};

Task<void> expect_received(Datagram& datagram, std::string expected) {
  const Result<std::string> received = co_await datagram.receive(deadline_in(Seconds(10)));
  EXPECT_TRUE(received.has_value());
  if (received) EXPECT_EQ(*received, expected);
}

Task<void> expect_failure(Datagram& datagram, Errc code, Nanoseconds patience) {
  const Result<std::string> received = co_await datagram.receive(deadline_in(patience));
  EXPECT_FALSE(received.has_value());
  if (!received) EXPECT_EQ(received.error().code, code);
}

Task<void> talk() {
  Peer peer;
  auto datagram = Datagram::open(peer.address());
  for (int i = 0; i < 3; ++i) {
    const std::string question = "question " + std::to_string(i);
    const auto sent = co_await (*datagram)->send(question, deadline_in(Seconds(10)));
    EXPECT_TRUE(sent.has_value());
    EXPECT_EQ(peer.hear(), question);
    peer.say(**datagram, "answer");
    peer.say(**datagram, "");
    peer.say(**datagram, "another");
    co_await expect_received(**datagram, "answer");
    co_await expect_received(**datagram, "");
    co_await expect_received(**datagram, "another");
  }
  co_await (*datagram)->close();
}

TEST(Datagram, octets_go_and_come_one_datagram_at_a_time) { test::on_one_core(&talk); }

Task<void> strangers() {
  Peer peer;
  Peer stranger;
  auto datagram = Datagram::open(peer.address());
  stranger.say(**datagram, "forged");
  peer.say(**datagram, "true");
  co_await expect_received(**datagram, "true");
  co_await expect_failure(**datagram, Errc::timed_out, Milliseconds(10));
  co_await (*datagram)->close();
}

TEST(Datagram, only_the_peer_is_heard) { test::on_one_core(&strangers); }

Task<void> gone() {
  Peer peer;
  auto datagram = Datagram::open(peer.address());
  peer.leave();
  for (int i = 0; i < 2; ++i) {
    const auto sent = co_await (*datagram)->send("anybody?", deadline_in(Seconds(10)));
    EXPECT_TRUE(sent.has_value());
    co_await expect_failure(**datagram, Errc::refused, Seconds(10));
  }
  co_await (*datagram)->close();
}

TEST(Datagram, a_closed_port_refuses_and_the_socket_goes_on) { test::on_one_core(&gone); }

Task<void> flood() {
  Peer peer;
  auto datagram = Datagram::open(peer.address());
  co_await expect_failure(**datagram, Errc::timed_out, Milliseconds(5));  // receiving is armed now
  for (std::size_t i = 0; i < Datagram::datagrams_kept_max + 20; ++i)
    peer.say(**datagram, std::to_string(i));
  for (int i = 0; i < 10; ++i) co_await yield_turn();
  for (std::size_t i = 0; i < Datagram::datagrams_kept_max; ++i)
    co_await expect_received(**datagram, std::to_string(i));
  co_await expect_failure(**datagram, Errc::timed_out, Milliseconds(5));
  co_await (*datagram)->close();
}

TEST(Datagram, what_nobody_reads_is_bounded) { test::on_one_core(&flood); }

Task<void> wait_for_abort(Datagram& datagram) {
  co_await expect_failure(datagram, Errc::closed, Seconds(10));
}

Task<void> aborted() {
  Peer peer;
  auto datagram = Datagram::open(peer.address());
  Scope scope;
  scope.start(wait_for_abort(**datagram));
  co_await yield_turn();
  co_await yield_turn();
  (*datagram)->abort();
  const Woken ended = co_await scope.join(deadline_in(Seconds(5)));
  EXPECT_EQ(ended, Woken::by_signal);
  const auto sent = co_await (*datagram)->send("too late", deadline_in(Seconds(10)));
  EXPECT_EQ(sent.error().code, Errc::closed);
  peer.say(**datagram, "in the socket when it is closed");
  co_await (*datagram)->close();
}

TEST(Datagram, abort_ends_a_wait_and_close_takes_back_what_is_armed) {
  test::on_one_core(&aborted);
}

Task<void> ports() {
  Peer peer;
  std::set<int> seen;
  int last = 0;
  int steps = 0;
  for (int i = 0; i < 32; ++i) {
    auto datagram = Datagram::open(peer.address());
    const int port = (*datagram)->local().port();
    if (port == last + 1) ++steps;
    last = port;
    seen.insert(port);
    co_await (*datagram)->close();
  }
  EXPECT_GE(seen.size(), 30U);  // two may meet by chance
  EXPECT_LE(steps, 2);
  EXPECT_GT(*seen.rbegin() - *seen.begin(), 5000);
}

TEST(Datagram, each_has_a_port_that_cannot_be_guessed) { test::on_one_core(&ports); }

}  // namespace
}  // namespace kurir::io
