#pragma once
// A next host on one address of loopback: takes whatever it is sent, on the core of the test.
// Core-local.

#include <memory>
#include <string>
#include <vector>

#include "kurir/coro/scope.hh"
#include "kurir/io/socket.hh"

namespace kurir::relay::test {

class NextHop {
 public:
  // Port 0: a free one.
  explicit NextHop(std::uint8_t last, std::uint16_t port = 0)
      : address_(io::SocketAddress::ipv4({127, 0, 0, last}, port)) {
    auto opened = io::Listener::open(address_);
    KURIR_ASSERT(opened.has_value());
    listener_ = std::move(*opened);
    scope_.start(listen());
  }

  std::uint16_t port() const { return address_.port(); }
  std::size_t taken() const { return recipients_.size(); }
  const std::vector<std::string>& recipients() const { return recipients_; }
  std::size_t connections() const { return connections_; }

  Task<void> stop() {
    listener_->stop();
    for (io::Socket* socket : open_) socket->abort();
    co_await scope_.join();
    co_await listener_->close();
  }

 private:
  Task<void> listen() {
    for (;;) {
      const Result<io::Descriptor> accepted = co_await listener_->accept();
      if (!accepted) co_return;
      ++connections_;
      scope_.start(serve(std::make_unique<io::Socket>(*accepted)));
    }
  }

  Task<void> serve(std::unique_ptr<io::Socket> socket) {
    open_.push_back(socket.get());
    socket->output() += "220 next hop\r\n";
    std::string line;
    bool in_content = false, goes_on = true;
    while (goes_on) {
      const Result<void> flushed = co_await socket->flush(deadline_in(Seconds(10)));
      const Result<void> filled = co_await socket->fill(deadline_in(Seconds(20)));
      if (!flushed || !filled) break;
      for (const char c : socket->input().front()) {
        line += c;
        if (c == '\n') goes_on = goes_on && answer(*socket, std::exchange(line, {}), in_content);
      }
      socket->input().consume(socket->input().front().size());
    }
    std::erase(open_, socket.get());
    co_await socket->close();
  }

  // False: the client leaves.
  bool answer(io::Socket& socket, const std::string& line, bool& in_content) {
    if (in_content) {
      in_content = line != ".\r\n";
      if (!in_content) socket.output() += "250 taken\r\n";
    } else if (line.starts_with("EHLO")) {
      socket.output() += "250-next hop\r\n250 PIPELINING\r\n";
    } else if (line.starts_with("RCPT")) {
      recipients_.push_back(line.substr(9, line.find('>') - 9));
      socket.output() += "250 ok\r\n";
    } else if (line == "DATA\r\n") {
      in_content = true;
      socket.output() += "354 go on\r\n";
    } else {
      socket.output() += "250 ok\r\n";
    }
    return line != "QUIT\r\n";
  }

  io::SocketAddress address_;
  std::unique_ptr<io::Listener> listener_;
  std::vector<std::string> recipients_;
  std::size_t connections_ = 0;
  std::vector<io::Socket*> open_;
  Scope scope_;
};

}  // namespace kurir::relay::test
