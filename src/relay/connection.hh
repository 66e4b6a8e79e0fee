#pragma once
// Connection: the life of one connection of a path: reach a host, send message after message, go.
// Core-local; lives in the frame that runs it. Private to relay/.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kurir/base/intrusive_list.hh"
#include "kurir/coro/event.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/connect.hh"
#include "kurir/smtp/client_session.hh"
#include "path.hh"

namespace kurir::relay {

class Connection : public ListLink {
 public:
  explicit Connection(Path& path) : path_(path), started_(io::now()) {}
  Task<void> run();

  bool is_idle() const { return is_idle_; }
  void assign() { is_unassigned_ = true; }  // a job waits for it
  bool is_unassigned() const { return is_unassigned_; }
  void wake();
  void abort();

 private:
  enum class Reached : std::uint8_t { ready, failed, ourselves };
  Task<Reached> reach_a_host();
  Task<Reached> reach(const NextHost& next, bool bad_ones);
  Task<Reached> reach_address(const Host& host, io::SocketAddress address);
  enum class Security : std::uint8_t { as_configured, none };
  Task<Reached> open_session(const Host& next, io::SocketAddress address, Security security);
  smtp::ClientTls tls_for(const std::string& host, Security security) const;
  Task<std::vector<io::SocketAddress>> addresses_of(const NextHost& next);
  std::optional<io::SocketAddress> source_for(const io::SocketAddress& address) const;
  bool is_ourselves(const io::SocketAddress& address) const;

  Task<queue::Job*> next_job();
  Task<bool> pace();
  Task<bool> wait_until(Instant when);
  Task<void> deliver(queue::Job& job);
  Task<bool> send_some(queue::Job& job, std::size_t first, store::MessageContent& content);
  void settle(queue::Job& job, std::uint16_t ordinal, const smtp::Answer& answer);
  bool is_to_be_told(const queue::Envelope& envelope) const;
  queue::Hop hop() const;
  void no_longer_unassigned();

  Path& path_;
  const Instant started_;
  Instant sending_since_{};
  io::Connector connector_;
  std::unique_ptr<smtp::ClientSession> session_;
  std::string host_, address_;
  std::string trouble_ = "451 4.4.1 No host could be reached";
  Signal hurry_;
  std::uint64_t deliveries_ = 0;
  std::vector<io::SocketAddress> tried_;  // not again by this connection
  std::int64_t connect_us_ = -1;
  bool is_idle_ = false, is_unassigned_ = true, aborted_ = false;
  std::size_t without_tls_ = 0;  // of those tried: the hosts that have none, or none to be trusted
  bool is_tls_broken_ = false;   // the last host offered it, and its handshake failed
};

}  // namespace kurir::relay
