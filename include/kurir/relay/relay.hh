#pragma once
// Relay: the queue's deliverer for recipients elsewhere. Jobs wait by domain until it is known
// where their mail goes, then by path (an egress source to a site) until a connection takes them.
// Core-local; the limits of a path hold for the whole process (site_table.hh).

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kurir/coro/scope.hh"
#include "kurir/dns/resolver.hh"
#include "kurir/observe/counters.hh"
#include "kurir/queue/queue.hh"
#include "kurir/relay/shaping.hh"
#include "kurir/relay/site_table.hh"
#include "kurir/store/reader.hh"
#include "kurir/tls/context.hh"

namespace kurir::relay {

struct RelayOptions {
  Shaping shaping;
  std::string hostname;
  std::uint16_t port = 25;  // of next hosts
  // Where we listen ourselves: mail to these would loop. Port 0 stands for every port.
  std::vector<io::SocketAddress> own_addresses;
  std::size_t connections_max = 4096;  // of a shard
  Nanoseconds back_off_min = Seconds(60);
  Nanoseconds back_off_max = std::chrono::minutes(30);
  Nanoseconds stop_grace = Seconds(10);
  Shared<const tls::ClientContext> tls;  // null: never
};

class Destination;
class Path;
class Router;
enum class TlsWish : std::uint8_t;

class Relay final : public queue::Deliverer {
 public:
  Relay(RelayOptions options, CoreIndex core, queue::Queue& queue, dns::Resolver& resolver,
        store::Reader& reader, SiteTable& sites, observe::Counters& counters);
  ~Relay() override;

  bool takes(const queue::Recipient& recipient) const override { return !recipient.is_local; }
  std::string_view group_of(const queue::Recipient& recipient) const override;
  void offer(queue::Job& job) override;
  void withdraw(queue::Job& job) override;
  void hurry(queue::Job& job) override;
  std::string explain(const queue::Job& job) const override;
  std::string_view trouble_of(const queue::Job& job) const override;
  std::string_view site_of(const queue::Job& job) const override;
  // Begins nothing any more; what waits stays waiting. Before the resolver stops.
  void begin_stop();
  // Lets transactions that run end within the grace, then cuts them off.
  Task<void> stop() override;

  // Another core gave a connection slot back that this one waits for.
  void slot_free(const std::string& path);
  // Another core waits for a slot.
  void give_way(const std::string& path);

 private:
  friend class Destination;
  friend class Path;
  friend class Connection;
  std::string_view domain_of(const queue::Job& job) const;
  Destination& destination_of(std::string_view domain);
  void forget_idle_destinations();
  Path& path_to(const std::string& site, const std::string& source, const std::string& pool,
                const PathLimits& limits, TlsWish tls);
  void connection_ended();

  RelayOptions options_;
  const CoreIndex core_;
  queue::Queue& queue_;
  dns::Resolver& resolver_;
  store::Reader& reader_;
  SiteTable& sites_;
  observe::Counters& counters_;
  std::unique_ptr<Router> router_;
  std::unordered_map<std::string, std::unique_ptr<Path>> paths_;  // destinations hold them
  std::map<std::string, std::unique_ptr<Destination>, std::less<>> destinations_;
  std::size_t destinations_before_pruning_ = 4096;
  std::size_t connections_ = 0;
  IntrusiveList<Path> starved_;  // wanted a connection when there were connections_max
  bool stopping_ = false;
  Scope scope_;
};

}  // namespace kurir::relay
