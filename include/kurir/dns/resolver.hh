#pragma once
// Resolver: asks recursive name servers, on sockets of our own, and remembers what they said. Each
// question has a socket with a random port, a random id and a random pattern of upper and lower
// case; what does not match all of it is not believed (RFC 5452). Core-local, one a core.
//
// A question that is under way is asked once, whoever waits for it. Answers are kept for their time
// to live, within bounds; failures for some seconds (RFC 9520); what is asked often is asked anew
// shortly before it ends.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kurir/base/limits.hh"
#include "kurir/coro/event.hh"
#include "kurir/coro/scope.hh"
#include "kurir/coro/task.hh"
#include "kurir/dns/answer.hh"
#include "kurir/dns/cache.hh"
#include "kurir/dns/packet.hh"
#include "kurir/dns/servers.hh"

namespace kurir::dns {

class Exchange;

struct ResolverOptions {
  std::vector<io::SocketAddress> servers;  // in the order of preference; none: 127.0.0.1:53
  Nanoseconds timeout = Seconds(10);       // for one question, all servers and tries together
  Nanoseconds first_timeout = Seconds(1);  // for each server in the first round; it doubles
  unsigned exchanges_max = limits::dns_exchanges_max;  // sockets at once
  CacheOptions cache;
};

// Since the start.
struct ResolverFigures {
  std::uint64_t questions = 0;  // asked of this resolver
  std::uint64_t from_cache = 0;
  std::uint64_t joined = 0;     // waited for the same question of somebody else
  std::uint64_t exchanges = 0;  // with a server, each try
  std::uint64_t over_tcp = 0;
  std::uint64_t refreshed = 0;    // asked anew before their end
  std::uint64_t disbelieved = 0;  // replies that did not match
  std::uint64_t failures = 0;     // questions that nobody could answer
};

class Resolver {
 public:
  explicit Resolver(ResolverOptions options);
  ~Resolver();  // asserts that stop() was awaited

  // CNAMEs are followed, but for RecordType::cname. The deadline ends this wait only: the question
  // goes on for whoever asks next. A text that is no domain name is no_such_name.
  Task<Answer> query(Name name, RecordType type, Deadline deadline);
  Task<MxAnswer> lookup_mx(std::string_view domain, Deadline deadline);
  // A and AAAA at the same time. Where only one family could be asked for, that is an answer,
  // valid for some seconds only.
  Task<AddressAnswer> lookup_addresses(std::string_view host, Deadline deadline);
  Task<TxtAnswer> lookup_txt(std::string_view name, Deadline deadline);
  Task<PtrAnswer> lookup_ptr(const io::SocketAddress& address, Deadline deadline);
  Task<TlsaAnswer> lookup_tlsa(std::string_view host, std::uint16_t port, Deadline deadline);

  // Questions under way end with try_later/stopped, as do those to come. To be awaited once.
  Task<void> stop();

  const ResolverFigures& figures() const { return figures_; }
  std::size_t cached() const { return cache_.entries(); }

 private:
  struct Flight;
  using FlightPtr = std::shared_ptr<Flight>;
  struct KeyHash {
    std::uint64_t seed;
    std::size_t operator()(const Key& key) const { return key.hash(seed); }
  };

  // An answer at once, or the flight that will bring it.
  struct Begun {
    FlightPtr flight;
    Answer known;
  };
  struct Heard {
    Reply reply;
    Trouble trouble = Trouble::none;
  };
  Begun begin(const Key& key);
  FlightPtr launch(const Key& key);
  Answer failure(Trouble trouble) const;
  Task<Answer> await_answer(Begun begun, Deadline deadline);
  Task<void> fly(FlightPtr flight);
  Task<Reply> resolve(Key key, Deadline deadline);
  Task<Heard> ask_all(Key key, Deadline deadline);
  Task<Heard> ask_round(Key key, Nanoseconds patience, Deadline deadline,
                        std::vector<bool>& settled);
  Task<Heard> ask_one(std::size_t server, Key key, Nanoseconds patience, Deadline deadline);
  Task<Trouble> take_slot(Deadline deadline);
  void probe_failed_servers();
  Task<void> probe(std::size_t server);

  ResolverOptions options_;
  Servers servers_;
  Cache cache_;
  std::unordered_map<Key, FlightPtr, KeyHash> flights_;
  std::vector<Exchange*> exchanges_;  // under way, so that stop() can end them
  unsigned slots_taken_ = 0;
  Signal slot_free_;
  Scope scope_;
  ResolverFigures figures_;
  bool stopping_ = false, stopped_ = false;
};

}  // namespace kurir::dns
