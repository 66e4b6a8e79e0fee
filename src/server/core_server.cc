// The life of one core: recover, serve, stop.

#include "core_server.hh"

#include <algorithm>

#include "extra_shard.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/file.hh"
#include "kurir/io/mesh.hh"

namespace kurir::server {
namespace {

constexpr int exit_io_error = 74;       // EX_IOERR
constexpr int exit_cannot_create = 73;  // EX_CANTCREAT

relay::RelayOptions relay_options(const SharedState& shared) {
  const Configuration& configuration = shared.configuration;
  relay::RelayOptions options;
  options.shaping = configuration.shaping;
  options.hostname = configuration.hostname;
  options.port = static_cast<std::uint16_t>(configuration.relay.port);
  options.own_addresses = shared.listening.smtp;
  options.back_off_min = std::min(options.back_off_min, configuration.queue.retry_interval);
  options.back_off_max = std::min(options.back_off_max, configuration.queue.max_retry_interval);
  options.stop_grace = configuration.shutdown.grace;
  options.tls = shared.client_tls_context;
  return options;
}

// Answers RCPT's question about a quota from the mailboxes.
class Rooms final : public smtp::MailboxRooms {
 public:
  explicit Rooms(mailbox::Mailboxes& mailboxes) : mailboxes_(mailboxes) {}
  Task<smtp::MailboxRoom> room_for(AccountId account, std::uint64_t quota_octets,
                                   std::uint64_t octets) override {
    if (octets > quota_octets) co_return smtp::MailboxRoom::never;
    const std::uint64_t used = co_await mailboxes_.used_octets(account);
    co_return used + octets > quota_octets || used >= quota_octets ? smtp::MailboxRoom::not_now
                                                                   : smtp::MailboxRoom::yes;
  }

 private:
  mailbox::Mailboxes& mailboxes_;
};

directory::RecentLogins::Key random_key() {
  directory::RecentLogins::Key key{};
  io::random_octets(key);
  return key;
}

auth::TokenRules token_rules(const Configuration& configuration) {
  auth::TokenRules rules;
  rules.issuer = configuration.auth.token_issuer;
  rules.audience = configuration.auth.token_audience;
  rules.user_claim = configuration.auth.token_user_claim;
  return rules;
}

}  // namespace

queue::QueueOptions queue_options(const Configuration& configuration) {
  queue::QueueOptions options;
  options.max_age = configuration.queue.max_age;
  options.retry_interval = configuration.queue.retry_interval;
  options.max_retry_interval = configuration.queue.max_retry_interval;
  options.delay_warning = configuration.queue.delay_warning;
  options.hostname = configuration.hostname;
  return options;
}

CoreServer::CoreServer(SharedState& shared, CoreIndex core)
    : shared_(shared),
      core_(core),
      configuration_(shared.configuration),
      counters_(shared.counters[core.value]),
      events_(shared.events, &counters_),
      broadcast_(shared.mailboxes),
      tls_(shared.first_tls_context, shared.ticket_secret,
           shared.configuration.tls.handshake_timeout, counters_) {
  reader_ = std::make_unique<store::Reader>(shared.data.path(), shared.data.instance());
  owner_ = std::make_unique<mailbox::Owner>(
      shared.quiescence, [this](mailbox::MailboxKey key) { broadcast_.changed(key); });
  queue_ = std::make_unique<queue::Queue>(queue_options(configuration_), ShardIndex(core.value),
                                          shared.data.epoch(), logs_, events_, counters_);
  directory_ = std::make_unique<directory::Directory>(shared.first_snapshot, random_key());
  if (shared.first_token_keys)
    tokens_ =
        std::make_unique<auth::SignedTokens>(shared.first_token_keys, token_rules(configuration_));
  auth::AuthenticatorOptions login_options;
  login_options.allow_plaintext = configuration_.auth.allow_plaintext;
  for (const std::string& name : configuration_.auth.mechanisms)
    login_options.mechanisms.push_back(*auth::find_mechanism(name));
  authenticator_ = std::make_unique<auth::Authenticator>(std::move(login_options), *directory_,
                                                         shared.login_limits, tokens_.get(),
                                                         shared.data.instance());
  shared.servers[core.value] = this;
  shared.owners[core.value] = owner_.get();
}

Task<void> CoreServer::run() {
  install_turn_hooks();
  serving_ = co_await start();
  decided_.set();
  if (serving_ && shared_.options.guest != nullptr) guests_.start(host_guest());
  if (serving_) co_await stop_.wait();
  guest_left_.set();
  co_await stop();
  shared_.quiescence.offline(core_);
  io::Core::current().set_turn_hooks({});
}

Task<void> CoreServer::host_guest() {
  intake_ = std::make_unique<MailIntake>(shared_, *directory_, *mailboxes_, *queue_);
  co_await shared_.options.guest->run(core_, *intake_, shared_.listening);
  guest_left_.set();
}

Task<bool> CoreServer::started() {
  co_await decided_.wait();
  co_return serving_;
}

// Readers on all cores rely on it (base/quiescence.hh): a turn that is over holds no pointer into
// the index.
void CoreServer::install_turn_hooks() {
  shared_.quiescence.online(core_);
  io::Core::current().set_turn_hooks({.quiescent =
                                          [this] {
                                            shared_.quiescence.quiescent(core_);
                                            owner_->reclaim();
                                            count_commits();
                                          },
                                      .before_sleep = [this] { shared_.quiescence.offline(core_); },
                                      .after_sleep = [this] { shared_.quiescence.online(core_); }});
}

// Every core recovers before any core serves: deliveries ask the owner on another core what it has
// already.
Task<bool> CoreServer::start() {
  const Result<void> recovered = co_await recover();
  if (!recovered) {
    io::print_error("kurir: the data directory cannot be read (errno " +
                    std::to_string(recovered.error().os_errno) + ")");
    shared_.failed(exit_io_error);
  }
  if (shared_.is_resharding) {
    const bool resharded = co_await reshard(recovered.has_value());
    if (!resharded) co_return false;
  }
  if (recovered) owner_->start(*journal_);
  Result<void> listening = recovered;
  if (recovered && core_.value == 0) listening = open_listeners();
  const bool first_well = co_await shared_.barrier.arrive(listening.has_value());
  if (!first_well) co_return false;
  // Not before the barrier: every core has made its owner now.
  mailboxes_ = std::make_unique<mailbox::Mailboxes>(shared_.owners, *mail_, *reader_);
  shared_.mailboxes[core_.value] = mailboxes_.get();
  if (core_.value != 0) listening = open_listeners();  // the ports that core 0 was given
  if (!listening) shared_.failed(exit_cannot_create);
  const bool all_well = co_await shared_.barrier.arrive(listening.has_value());
  if (!all_well) co_return false;
  delivery_ = std::make_unique<mda::Delivery>(
      mda::DeliveryOptions{configuration_.mailbox.subaddress_create}, *queue_, *directory_,
      *mailboxes_, counters_);
  rooms_ = std::make_unique<Rooms>(*mailboxes_);
  resolver_ = std::make_unique<dns::Resolver>(shared_.resolver_options);
  relay_ = std::make_unique<relay::Relay>(relay_options(shared_), core_, *queue_, *resolver_,
                                          *reader_, shared_.sites, counters_);
  bounces_ = std::make_unique<relay::Bounces>(
      relay::BounceOptions{configuration_.hostname, configuration_.queue.double_bounce_to,
                           configuration_.queue.max_age},
      *queue_, *directory_, *reader_);
  // A relay may be told of another core's connection from now on.
  const bool all_have_relays = co_await shared_.barrier.arrive(true);
  if (!all_have_relays) co_return false;
  queue_->set_notifier(*bounces_);
  queue_->add_deliverer(*delivery_);
  queue_->add_deliverer(*relay_);
  queue_->start();
  for (const store::RecordRef& record : taken_over_)  // the queue holds it now
    (record.stream == store::StreamKind::mail ? *mail_ : *spool_).release(record);
  scope_.start(forget_old_deliveries());
  start_compaction();
  add_front_ends();
  for (const std::unique_ptr<FrontEnd>& front_end : front_ends_) front_end->start();
  co_return co_await shared_.barrier.arrive(true);
}

// When every queue has tried what it recovered, no owner is asked about the time before the restart
// any more.
Task<void> CoreServer::forget_old_deliveries() {
  const bool attempted = co_await queue_->recovered_attempted();
  may_checkpoint_ = co_await shared_.recovered.arrive(attempted);
  owner_->forget_deliveries();
  if (may_checkpoint_) co_await keep_checkpoints();
}

void CoreServer::start_compaction() {
  std::vector<CompactionPeer> peers;
  for (CoreServer* server : shared_.servers)
    peers.push_back({server->core(), server->owner_.get(), server->reader_.get()});
  const Configuration::Store& store = configuration_.store;
  CompactionOptions options;
  options.dead_percent = static_cast<unsigned>(store.compact_dead_percent);
  options.octets_a_second = store.compact_rate;
  options.interval = store.compact_interval;
  options.round_octets = store.segment_size;
  options.reserve_octets = store.free_space_min;
  compaction_ = std::make_unique<Compaction>(options, ShardIndex(core_.value), *mail_, *queue_,
                                             *reader_, std::move(peers));
  scope_.start(compaction_->run());
}

// Front ends first, then what they used, then what that used.
Task<void> CoreServer::stop() {
  if (shared_.options.guest != nullptr) shared_.options.guest->ask_to_stop();
  co_await guests_.join();
  for (const std::unique_ptr<FrontEnd>& front_end : front_ends_)
    co_await front_end->stop_listening();
  co_await connections_.end_all(deadline_in(configuration_.shutdown.grace));
  for (const std::unique_ptr<FrontEnd>& front_end : front_ends_) co_await front_end->join();
  front_ends_.clear();
  for (auto& [listener, protocol] : listeners_) co_await listener->close();
  if (relay_) relay_->begin_stop();
  if (resolver_) co_await resolver_->stop();
  if (compaction_) compaction_->ask_to_stop();
  co_await queue_->stop();
  co_await scope_.join();
  static_cast<void>(co_await shared_.barrier.arrive(true));  // no core delivers to another any more
  co_await owner_->stop();
  if (serving_) co_await checkpoint_at_stop();
  co_await broadcast_.stop();
  if (journal_) co_await journal_->stop();
  if (mail_) co_await mail_->stop();
  if (spool_) co_await spool_->stop();
  co_await events_.stop();
}

}  // namespace kurir::server
