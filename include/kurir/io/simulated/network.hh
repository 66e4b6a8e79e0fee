#pragma once
// Network: connections that carry octets with delay, in pieces of any size, within windows, until
// something cuts them; and datagrams that may get lost. Endpoints belong to simulated processes
// through their driver.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/io/address.hh"
#include "kurir/io/simulated/random.hh"

namespace kurir::io::simulated {

class World;

// How it is on the network; changes count for what begins after them.
struct NetworkWeather {
  Nanoseconds latency_min = std::chrono::microseconds(50), latency_max = Milliseconds(2);
  double tiny_pieces = 0;  // of connections: pieces of some octets
  double cut = 0;          // of connections: something happens at a random octet
  std::uint64_t cut_octets_max = 20'000;
  double refuse = 0;        // of attempts: refused, unreachable, reset at once
  double silent = 0;        // of attempts: no answer at all
  double small_window = 0;  // of connections
  double short_send = 0;    // of sends: only a part is taken
  double lose_datagram = 0, repeat_datagram = 0;
};

enum class Cut : std::uint8_t { none, reset, half_close, silence };

// One end of a connection.
class Endpoint : public std::enable_shared_from_this<Endpoint> {
 public:
  Endpoint(World& world, SocketAddress local, SocketAddress peer);

  std::uint64_t number = 0;  // of the connection
  SocketAddress local, peer;
  std::function<void()> on_change;  // something can be read or written, or it is over

  // --- its owner's side
  std::size_t send(std::string_view octets);  // how many were taken
  std::size_t readable() const { return inbox_.size() - consumed_; }
  std::size_t read(char* into, std::size_t octets);
  bool at_end() const { return has_ended_ && readable() == 0; }
  int failure() const { return failure_; }  // an errno once it is broken
  bool sends_no_more() const { return wants_end_; }
  bool is_connected() const { return other_ != nullptr; }
  void shut_down_send();
  void shut_down();
  void close();  // a reset where something is unread

  // --- the network's side
  void connect_with(std::shared_ptr<Endpoint> other);
  void break_now(int error);  // this end of it
  void reset(int error);      // and the other hears of it
  void set_cut(Cut cut, std::uint64_t after) { cut_ = cut, cut_after_ = after; }
  void set_window(std::size_t octets) { window_ = octets; }
  void set_tiny() { is_tiny_ = true; }

 private:
  void pump();  // sends on what the window allows
  void carry(std::string octets, bool end);
  void arrive(std::string_view octets, bool end);
  void happen();  // the cut
  void give_up_later();
  void changed() {
    if (on_change) on_change();
  }

  World& world_;
  std::shared_ptr<Endpoint> other_;
  std::string outbox_, inbox_;
  std::size_t consumed_ = 0, under_way_ = 0, window_ = 64 << 10, capacity_ = 64 << 10;
  std::uint64_t sent_ = 0, cut_after_ = 0;
  Cut cut_ = Cut::none;
  Instant last_arrival_{};
  int failure_ = 0;
  bool wants_end_ = false, end_sent_ = false, has_ended_ = false, is_closed_ = false;
  bool is_silent_ = false, is_tiny_ = false, reads_no_more_ = false;
  bool gives_up_ = false;
};

// What listens on an address: one a core.
class Acceptor {
 public:
  SocketAddress address;
  std::deque<std::shared_ptr<Endpoint>> waiting;
  std::function<void()> on_change;
};

// A datagram socket that speaks with one peer.
class DatagramEnd {
 public:
  SocketAddress local, peer;
  std::deque<std::string> received;
  int failure = 0;  // what ICMP said
  bool is_closed = false;
  std::function<void()> on_change;
};

class Network {
 public:
  explicit Network(World& world) : world_(world) {}
  NetworkWeather weather;

  // Port 0: one is chosen. Any number of acceptors share an address; connections go to any of them.
  std::shared_ptr<Acceptor> listen(SocketAddress& address);
  void stop_listening(const std::shared_ptr<Acceptor>& acceptor);
  // The result is told by connected(0 or errno) at some time, or never.
  void connect(const std::shared_ptr<Endpoint>& from, const SocketAddress& to,
               std::function<void(int)> connected);
  SocketAddress choose_local(const SocketAddress& to);

  // What answers datagrams to an address: nothing, or one answer.
  using Answerer = std::function<std::string(std::string_view datagram)>;
  void answer_datagrams(const SocketAddress& address, Answerer answerer);
  void send_datagram(const std::shared_ptr<DatagramEnd>& from, std::string octets);

  Nanoseconds latency();
  std::uint64_t connections() const { return connections_; }
  std::uint64_t cuts = 0;

 private:
  void meet(const std::shared_ptr<Endpoint>& from, const SocketAddress& to,
            const std::function<void(int)>& connected);
  void set_fate(Endpoint& endpoint);
  void deliver(const std::shared_ptr<DatagramEnd>& to, std::string octets);

  World& world_;
  std::map<std::string, std::vector<std::shared_ptr<Acceptor>>> acceptors_;
  std::map<std::string, Answerer> answerers_;
  std::uint64_t connections_ = 0;
  std::uint16_t next_port_ = 30'000;
};

}  // namespace kurir::io::simulated
