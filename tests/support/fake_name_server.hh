#pragma once
// A name server on loopback, UDP and TCP on one port, on a thread of its own: says whatever its
// script says. Independent of the sockets under test.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kurir/io/address.hh"
#include "support/dns_packet_builder.hh"

namespace kurir::dns::test {

struct Question {
  std::string packet;
  std::string name;
  RecordType type;
  bool over_tcp;
  bool extended;
  std::uint16_t from_port;
  std::uint16_t id() const {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(packet[0]) << 8 |
                                      static_cast<unsigned char>(packet[1]));
  }
};

class FakeServer {
 public:
  using Send = std::function<void(const std::string& packet)>;
  using Script = std::function<void(const Question&, const Send&)>;
  enum class Tcp : bool { no, yes };

  explicit FakeServer(Script script, Tcp tcp = Tcp::yes) : script_(std::move(script)) {
    bind_both(tcp);
    EXPECT_EQ(::pipe(stop_), 0);
    thread_ = std::thread([this] { serve(); });
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;
  ~FakeServer() {
    EXPECT_EQ(::write(stop_[1], "", 1), 1);
    thread_.join();
    for (const int descriptor : {udp_, tcp_, stop_[0], stop_[1]})
      if (descriptor >= 0) ::close(descriptor);
  }

  io::SocketAddress address() const { return io::SocketAddress::ipv4({127, 0, 0, 1}, port_); }
  std::vector<Question> heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  std::size_t count() const { return heard().size(); }

 private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  // One port for both; where somebody has its TCP side, another one.
  void bind_both(Tcp tcp) {
    for (int attempt = 0; attempt < 50; ++attempt) {
      udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      sockaddr_in address = loopback(0);
      socklen_t length = sizeof address;
      EXPECT_EQ(::bind(udp_, reinterpret_cast<sockaddr*>(&address), length), 0);
      ::getsockname(udp_, reinterpret_cast<sockaddr*>(&address), &length);
      port_ = ntohs(address.sin_port);
      if (tcp == Tcp::no) return;
      tcp_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (::bind(tcp_, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
          ::listen(tcp_, 64) == 0)
        return;
      ::close(tcp_);
      ::close(udp_);
    }
    ADD_FAILURE() << "no free port";
  }

  Question hear(std::string packet, bool over_tcp, std::uint16_t from_port) {
    Question question{.packet = packet,
                      .name = asked_name(packet),
                      .type = asked_type(packet),
                      .over_tcp = over_tcp,
                      .extended = is_extended(packet),
                      .from_port = from_port};
    const std::lock_guard lock(mutex_);
    heard_.push_back(question);
    return question;
  }

  void serve_datagram() {
    char block[4096];
    sockaddr_in from{};
    socklen_t length = sizeof from;
    const ssize_t octets =
        ::recvfrom(udp_, block, sizeof block, 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (octets < 12) return;
    const Question question =
        hear({block, static_cast<std::size_t>(octets)}, false, ntohs(from.sin_port));
    script_(question, [&](const std::string& packet) {
      ::sendto(udp_, packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&from),
               sizeof from);
    });
  }

  void serve_stream() {
    const int stream = ::accept(tcp_, nullptr, nullptr);
    if (stream < 0) return;
    char block[4096];
    const ssize_t octets = ::recv(stream, block, sizeof block, 0);
    if (octets > 14) {
      const Question question = hear({block + 2, static_cast<std::size_t>(octets) - 2}, true, 0);
      script_(question, [&](const std::string& packet) {
        const std::string framed = u16(static_cast<unsigned>(packet.size())) + packet;
        ::send(stream, framed.data(), framed.size(), MSG_NOSIGNAL);
      });
    }
    ::close(stream);
  }

  void serve() {
    for (;;) {
      pollfd waited[] = {{stop_[0], POLLIN, 0}, {udp_, POLLIN, 0}, {tcp_, POLLIN, 0}};
      ::poll(waited, std::size(waited), -1);
      if (waited[0].revents != 0) return;
      if (waited[1].revents != 0) serve_datagram();
      if (waited[2].revents != 0) serve_stream();
    }
  }

  Script script_;
  int udp_ = -1, tcp_ = -1;
  int stop_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<Question> heard_;
  std::thread thread_;
};

}  // namespace kurir::dns::test
