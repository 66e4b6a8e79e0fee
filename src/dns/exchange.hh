#pragma once
// Exchange: one question to one server, over UDP and, where that is not enough, TCP. Core-local.
// Private to dns/.

#include <string>

#include "kurir/coro/task.hh"
#include "kurir/dns/packet.hh"
#include "kurir/dns/servers.hh"
#include "kurir/io/connect.hh"
#include "kurir/io/datagram.hh"

namespace kurir::dns {

class Exchange {
 public:
  Exchange(const io::SocketAddress& server, const Key& key, Servers::Manner manner)
      : server_(server), key_(key), manner_(manner) {}

  enum class Outcome : std::uint8_t {
    replied,
    timed_out,
    unreachable,  // ICMP or TCP says so
    exhausted,    // of our own descriptors
    stopped,      // abort() was called
  };
  struct Told {
    Outcome outcome = Outcome::timed_out;
    Reply reply;
    bool alive = false;       // it has sent something that matched
    bool folds_case = false;  // it does not send the name back as it was written
    bool over_tcp = false;
    unsigned disbelieved = 0;
  };
  // Over UDP until `until`; over TCP as long as that again, from when it is turned to.
  Task<Told> run(Deadline until);
  // Ends it.
  void abort();

 private:
  Task<Told> over_udp(Deadline until);
  Task<Told> hear(io::Datagram& datagram, const std::string& query, Deadline until);
  Task<void> turn_to_tcp(Told& told);
  Task<Told> over_tcp(Deadline until);
  Task<Told> converse(io::Stream& stream, Deadline until);
  QueryOptions query_options(bool mixed_case) const;
  Outcome outcome_of(const Error& error) const;

  const io::SocketAddress server_;
  const Key key_;
  const Servers::Manner manner_;
  Nanoseconds patience_{};
  io::Datagram* datagram_ = nullptr;  // the one in use, for abort()
  io::Connector connector_;
  io::Stream* stream_ = nullptr;
  bool aborted_ = false;
};

}  // namespace kurir::dns
