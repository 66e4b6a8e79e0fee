#include "kurir/io/connect.hh"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "kurir/coro/scope.hh"
#include "support/on_cores.hh"

namespace kurir::io {
namespace {

SocketAddress loopback(std::uint16_t port, std::uint8_t last = 1) {
  return SocketAddress::ipv4({127, 0, 0, last}, port);
}

// A port of the system's own choice that nobody else gets, listening or not.
class RawPort {
 public:
  RawPort() : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
  }
  RawPort(const RawPort&) = delete;
  RawPort& operator=(const RawPort&) = delete;
  ~RawPort() {
    for (const int filler : fillers_) ::close(filler);
    ::close(descriptor_);
  }
  std::uint16_t port() const { return port_; }

  // Listens and accepts nothing; connects until the backlog is full and a SYN is not answered.
  void fill_backlog() {
    ASSERT_EQ(::listen(descriptor_, 0), 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 3; ++i) {
      fillers_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      ::connect(fillers_.back(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
  }

 private:
  int descriptor_;
  std::uint16_t port_ = 0;
  std::vector<int> fillers_;
};

Task<void> expect_failure(SocketAddress to, std::optional<SocketAddress> from, Errc code) {
  const auto stream = co_await connect(to, from, deadline_in(Seconds(10)));
  EXPECT_FALSE(stream.has_value());
  if (!stream) EXPECT_EQ(stream.error().code, code) << stream.error().os_errno;
}

Task<void> talk() {
  SocketAddress address = loopback(0);
  auto listener = Listener::open(address);
  auto made = co_await connect(address, loopback(0, 2), deadline_in(Seconds(10)));
  EXPECT_TRUE(made.has_value());
  std::unique_ptr<Stream> stream = std::move(*made);
  const Result<Descriptor> accepted = co_await (*listener)->accept();
  Socket peer(*accepted);
  EXPECT_EQ(stream->peer(), address);
  EXPECT_EQ(stream->local().host(), "127.0.0.2");
  EXPECT_EQ(peer.peer(), stream->local());

  stream->output() = "hello";
  const Result<void> flushed = co_await stream->flush(deadline_in(Seconds(10)));
  EXPECT_TRUE(flushed.has_value());
  const Result<void> heard = co_await peer.fill(deadline_in(Seconds(10)));
  EXPECT_TRUE(heard.has_value());
  EXPECT_EQ(peer.input().front(), "hello");
  peer.input().clear();
  const Result<void> answered = co_await peer.write("good day", deadline_in(Seconds(10)));
  EXPECT_TRUE(answered.has_value());
  const Result<void> read = co_await stream->fill(deadline_in(Seconds(10)));
  EXPECT_TRUE(read.has_value());
  EXPECT_EQ(stream->input().front(), "good day");
  stream->input().clear();

  co_await stream->close();
  co_await peer.close();
  co_await (*listener)->close();
}

TEST(Connect, both_sides_talk_and_the_source_address_is_the_one_asked_for) {
  test::on_one_core(&talk);
}

Task<void> refused() {
  const RawPort silent;
  co_await expect_failure(loopback(silent.port()), std::nullopt, Errc::refused);
}

TEST(Connect, nobody_listening_is_refused) { test::on_one_core(&refused); }

Task<void> no_way() {
  // The kernel gives no route to a TCP peer at a broadcast address.
  const SocketAddress broadcast = SocketAddress::ipv4({127, 255, 255, 255}, 25);
  co_await expect_failure(broadcast, std::nullopt, Errc::unreachable);
  const SocketAddress foreign = SocketAddress::ipv4({192, 0, 2, 1}, 0);
  co_await expect_failure(loopback(25), foreign, Errc::unavailable);
  co_await expect_failure(loopback(25), SocketAddress::ipv6({}, 0), Errc::invalid);
  co_await expect_failure(SocketAddress::unix_path("/nonexistent/socket"), std::nullopt,
                          Errc::not_found);
}

TEST(Connect, failures_tell_what_is_wrong) { test::on_one_core(&no_way); }

Task<void> no_descriptor() {
  rlimit before{};
  EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  co_await expect_failure(loopback(25), std::nullopt, Errc::exhausted);
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(Connect, running_out_of_descriptors_is_told_apart) { test::on_one_core(&no_descriptor); }

Task<void> late() {
  RawPort full;
  full.fill_backlog();
  const Instant began = Executor::current().now();
  const auto stream =
      co_await connect(loopback(full.port()), std::nullopt, deadline_in(Milliseconds(30)));
  EXPECT_FALSE(stream.has_value());
  if (!stream) EXPECT_EQ(stream.error().code, Errc::timed_out);
  EXPECT_GE(Executor::current().now() - began, Milliseconds(30));
  EXPECT_LT(Executor::current().now() - began, Milliseconds(900));  // before a SYN is sent again
}

TEST(Connect, a_peer_that_does_not_answer_runs_into_the_deadline) { test::on_one_core(&late); }

Task<void> attempt(Connector& connector, SocketAddress to, std::optional<Errc>& outcome) {
  const auto stream = co_await connector.connect(to, std::nullopt, no_deadline);
  if (!stream) outcome = stream.error().code;
}

Task<void> aborted() {
  RawPort full;
  full.fill_backlog();
  Connector connector;
  connector.abort();  // without an attempt it does nothing
  std::optional<Errc> outcome;
  Scope scope;
  scope.start(attempt(connector, loopback(full.port()), outcome));
  co_await yield_turn();
  connector.abort();
  connector.abort();
  const Woken ended = co_await scope.join(deadline_in(Seconds(10)));
  EXPECT_EQ(ended, Woken::by_signal);
  EXPECT_EQ(outcome, Errc::cancelled);
}

TEST(Connect, an_attempt_can_be_aborted) { test::on_one_core(&aborted); }

Task<void> many() {
  SocketAddress address = loopback(0);
  auto listener = Listener::open(address);
  Scope scope;
  unsigned made = 0;
  const auto once = [](SocketAddress to, unsigned& count) -> Task<void> {
    auto stream = co_await connect(to, std::nullopt, deadline_in(Seconds(10)));
    EXPECT_TRUE(stream.has_value());
    if (!stream) co_return;
    ++count;
    co_await (*stream)->close();
  };
  // More than the ring has entries: each target's memory lasts until the kernel has read it.
  for (int i = 0; i < 600; ++i) scope.start(once(address, made));
  co_await scope.join();
  EXPECT_EQ(made, 600U);
  co_await (*listener)->close();
}

TEST(Connect, more_attempts_than_the_ring_has_entries) { test::on_one_core(&many); }

}  // namespace
}  // namespace kurir::io
