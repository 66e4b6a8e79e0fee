#pragma once
// The Guard of a core's sessions: block lists and reverse DNS through the core's resolver, which
// remembers answers; greylisting on core 0. A list that does not answer says nothing, and after
// some failures in a row it is not asked for a while: dead lists stop no mail. Core-local. Private
// to server/.

#include <memory>
#include <vector>

#include "kurir/coro/scope.hh"
#include "kurir/dns/resolver.hh"
#include "kurir/observe/counters.hh"
#include "kurir/server/block_list.hh"
#include "kurir/server/configuration.hh"
#include "kurir/server/connections.hh"
#include "kurir/server/greylist.hh"
#include "kurir/smtp/guard.hh"

namespace kurir::server {

class StrangerGuard final : public smtp::Guard {
 public:
  // `greylist`: core 0's.
  StrangerGuard(const Configuration& configuration, const ConnectionCounts& counts,
                dns::Resolver& resolver, Greylist& greylist, std::uint64_t triplet_key,
                observe::Counters& counters);

  bool is_trusted(const io::SocketAddress& peer) const override { return counts_.is_trusted(peer); }
  bool is_pressed() const override { return counts_.is_pressed(); }
  Nanoseconds greet_pause() const override { return options_.greet_pause; }
  bool is_curious() const override {
    return !lists_.empty() || options_.reverse_dns != Configuration::ReverseDns::off;
  }
  bool asks_at_recipients() const override {
    return is_curious() || options_.hello_check != Configuration::HelloCheck::off ||
           options_.greylist;
  }
  Task<smtp::Acquaintance> get_to_know(io::SocketAddress peer) override;
  Task<std::optional<smtp::GuardRefusal>> check_hello(io::SocketAddress peer,
                                                      std::string name) override;
  Task<std::optional<smtp::GuardRefusal>> check_triplet(io::SocketAddress peer, std::string sender,
                                                        std::string recipient) override;

 private:
  struct List {
    explicit List(BlockList parsed) : list(std::move(parsed)) {}
    BlockList list;
    unsigned failures = 0;  // in a row
    Instant rests_until{};
  };
  struct Inquiry;  // the questions about one peer, under way
  static Task<void> ask_list(StrangerGuard& guard, List& list, Inquiry& inquiry);
  static Task<void> ask_name(StrangerGuard& guard, Inquiry& inquiry);
  Task<void> explain(Inquiry& inquiry) const;

  const Configuration::Strangers& options_;
  const std::string hostname_;
  const ConnectionCounts& counts_;
  dns::Resolver& resolver_;
  Greylist& greylist_;
  const std::uint64_t triplet_key_;
  observe::Counters& counters_;
  std::vector<List> lists_;
};

}  // namespace kurir::server
