#pragma once
// What the cores of one server share: made before they start, outlives them. Private to server/.

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kurir/auth/json_web_token.hh"
#include "kurir/auth/login_limits.hh"
#include "kurir/auth/sending_limits.hh"
#include "kurir/base/quiescence.hh"
#include "kurir/directory/database.hh"
#include "kurir/dns/resolver.hh"
#include "kurir/mailbox/content_caches.hh"
#include "kurir/mailbox/mailboxes.hh"
#include "kurir/observe/counters.hh"
#include "kurir/observe/event_log.hh"
#include "kurir/relay/site_table.hh"
#include "kurir/server/configuration.hh"
#include "kurir/server/connections.hh"
#include "kurir/server/greylist.hh"
#include "kurir/server/serve.hh"
#include "kurir/store/data_directory.hh"
#include "kurir/tls/ticket_keys.hh"

namespace kurir::server {

class CoreServer;

// Where every core waits for the others, on core 0. Says whether all of them were well so far.
class CoreBarrier {
 public:
  explicit CoreBarrier(unsigned cores) : cores_(cores) {}
  Task<bool> arrive(bool well);  // from any core

 private:
  Task<bool> arrive_here(bool well);  // on core 0
  unsigned cores_, arrived_ = 0;
  bool all_well_ = true;
  Signal complete_;
};

struct SharedState {
  SharedState(const Configuration& configuration_of, const ServeOptions& options_of,
              store::DataDirectory& data_of, directory::Database& database_of, unsigned cores_of,
              std::uint64_t hash_key);

  const Configuration& configuration;
  const ServeOptions& options;
  store::DataDirectory& data;
  directory::Database& database;  // on the offload pool, under database_mutex
  std::mutex database_mutex;
  const unsigned cores;
  const std::uint64_t hash_key;
  Shared<const directory::Snapshot> first_snapshot;
  QuiescenceDomain quiescence;
  mailbox::ContentCaches caches;
  ConnectionCounts connection_counts;
  Greylist greylist;  // core 0's
  auth::LoginLimits login_limits;
  auth::SendingLimits sending_limits;
  std::shared_ptr<const auth::KeySet> first_token_keys;  // null: no tokens
  observe::EventSink events;
  std::vector<observe::Counters> counters;  // by core
  Shared<const tls::ServerContext> first_tls_context;
  Shared<const tls::ClientContext> client_tls_context;
  tls::TicketKeys::Octets ticket_secret{};
  dns::ResolverOptions resolver_options;
  relay::SiteTable sites;
  CoreBarrier barrier;           // start and stop
  CoreBarrier recovered;         // every queue has tried what it recovered
  CoreBarrier outcomes_durable;  // at the stop: of every delivery, in every queue

  // By core; written by each core before the first barrier, read after it.
  std::vector<CoreServer*> servers;
  std::vector<mailbox::Owner*> owners;
  std::vector<mailbox::Mailboxes*> mailboxes;

  // Where the number of shards changes: how many folders of shards there are; and by core, between
  // barriers, queued messages whose ids another shard gave, with the shard that holds them.
  bool is_resharding = false;
  unsigned shards_present = 0;
  std::vector<std::vector<std::pair<QueueId, ShardIndex>>> foreign;

  // The addresses that are listened on, with the ports chosen: core 0 writes them before the
  // barrier.
  Configuration::Listen listening;
  // Where it is not every core that opens its own: taken by each core before the barrier.
  std::vector<BoundListener> bound;
  void adopt(std::vector<BoundListener> listeners);

  std::atomic<int> exit_code{0};  // the first failure's
  void failed(int code) {
    int none = 0;
    exit_code.compare_exchange_strong(none, code);
  }
};

}  // namespace kurir::server
