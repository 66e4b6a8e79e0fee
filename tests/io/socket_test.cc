#include "kurir/io/socket.hh"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "support/on_cores.hh"

namespace kurir::io {
namespace {

// A blocking client, on a thread of its own.
class Client {
 public:
  explicit Client(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { ::close(descriptor_); }
  bool connected() const { return connected_; }
  void send(const std::string& text) {
    ASSERT_EQ(::send(descriptor_, text.data(), text.size(), 0), ssize_t(text.size()));
  }
  void end() { ::shutdown(descriptor_, SHUT_WR); }
  std::string read_all() {
    std::string all;
    char block[65536];
    for (ssize_t n; (n = ::recv(descriptor_, block, sizeof block, 0)) > 0;)
      all.append(block, static_cast<std::size_t>(n));
    return all;
  }

 private:
  int descriptor_;
  bool connected_ = false;
};

Task<void> echo(Descriptor descriptor) {
  Socket socket(descriptor);
  for (;;) {
    const Result<void> filled = co_await socket.fill(deadline_in(Seconds(10)));
    if (!filled) break;
    while (!socket.input().empty()) {
      const std::string_view piece = socket.input().front();
      socket.output().append(piece);
      socket.input().consume(piece.size());
    }
    const Result<void> flushed = co_await socket.flush(deadline_in(Seconds(10)));
    if (!flushed) break;
  }
  co_await socket.close();
}

Task<void> serve_echo() {
  SocketAddress address = SocketAddress::ipv4({127, 0, 0, 1}, 0);
  auto listener = Listener::open(address);
  EXPECT_TRUE(listener.has_value());
  std::string sent(3'000'000, 'x');
  for (std::size_t i = 0; i < sent.size(); i += 97) sent[i] = static_cast<char>('a' + i % 26);
  std::string got;
  std::thread client([&] {
    Client connection(address.port());
    std::thread writer([&] {
      connection.send(sent);
      connection.end();
    });
    got = connection.read_all();
    writer.join();
  });
  Scope scope;
  const Result<Descriptor> accepted = co_await (*listener)->accept();
  EXPECT_TRUE(accepted.has_value());
  scope.start(echo(*accepted));
  co_await scope.join();
  client.join();
  EXPECT_TRUE(got == sent);
  co_await (*listener)->close();
}

TEST(Socket, echoes_three_megabytes_whole) { test::on_one_core(&serve_echo); }

Task<void> deadline_and_wake() {
  SocketAddress address = SocketAddress::ipv4({127, 0, 0, 1}, 0);
  auto listener = Listener::open(address);
  Client client(address.port());
  const Result<Descriptor> accepted = co_await (*listener)->accept();
  Socket socket(*accepted);
  const Result<void> late = co_await socket.fill(deadline_in(Milliseconds(10)));
  EXPECT_EQ(late.error().code, Errc::timed_out);
  socket.wake();
  const Result<void> woken = co_await socket.fill(deadline_in(Seconds(10)));
  EXPECT_EQ(woken.error().code, Errc::interrupted);
  client.send("hello");
  const Result<void> filled = co_await socket.fill(deadline_in(Seconds(10)));
  EXPECT_TRUE(filled.has_value());
  EXPECT_EQ(socket.input().front(), "hello");
  socket.abort();
  const Result<void> aborted = co_await socket.fill(deadline_in(Seconds(10)));
  EXPECT_EQ(aborted.error().code, Errc::closed);
  co_await socket.close();
  co_await (*listener)->close();
}

TEST(Socket, waits_end_by_deadline_wake_and_abort) { test::on_one_core(&deadline_and_wake); }

Task<void> never_reading_peer() {
  SocketAddress address = SocketAddress::ipv4({127, 0, 0, 1}, 0);
  auto listener = Listener::open(address);
  Client client(address.port());
  const Result<Descriptor> accepted = co_await (*listener)->accept();
  Socket socket(*accepted);
  const std::string much(64 << 20, 'y');
  const Result<void> written = co_await socket.write(much, deadline_in(Milliseconds(50)));
  EXPECT_FALSE(written.has_value());
  if (!written) EXPECT_EQ(written.error().code, Errc::timed_out);
  co_await socket.close();
  co_await (*listener)->close();
}

TEST(Socket, a_peer_that_never_reads_runs_into_the_deadline) {
  test::on_one_core(&never_reading_peer);
}

}  // namespace
}  // namespace kurir::io
