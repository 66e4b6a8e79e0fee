#pragma once
// One core's part of the server: its shard's logs, queue and mailboxes, its listeners and sessions,
// from recovery to the graceful stop. Core-local. Private to server/.

#include <memory>
#include <optional>
#include <vector>

#include "checkpoints.hh"
#include "front_end.hh"
#include "kurir/auth/authenticator.hh"
#include "kurir/auth/signed_tokens.hh"
#include "kurir/directory/directory.hh"
#include "kurir/dns/resolver.hh"
#include "kurir/mailbox/content_caches.hh"
#include "kurir/mda/delivery.hh"
#include "kurir/queue/queue.hh"
#include "kurir/relay/bounces.hh"
#include "kurir/relay/relay.hh"
#include "kurir/server/compaction.hh"
#include "kurir/smtp/server_session.hh"
#include "mail_intake.hh"
#include "protocol_services.hh"
#include "shared_state.hh"
#include "stranger_guard.hh"
#include "tls_service.hh"

namespace kurir::server {

struct ExtraShard;   // resharding.cc
struct ShardHolder;  // the same

queue::QueueOptions queue_options(const Configuration& configuration);

class CoreServer {
 public:
  CoreServer(SharedState& shared, CoreIndex core);
  ~CoreServer();

  Task<void> run();
  void ask_to_stop() {
    stop_.set();
    checkpoint_wanted_.notify_all();
  }
  CoreIndex core() const { return core_; }
  // Ends connections that nothing is lost with, at most so many.
  void shed(unsigned count);
  // Whether every core serves; known once all have recovered and listen, or one of them could not.
  Task<bool> started();
  // The guest has left, or never came.
  Event& guest_left() { return guest_left_; }

  // For another core's checkpoint, on this core: waits until what deliveries had come to by now is
  // durable in this shard's queue. False: that cannot be promised.
  Task<bool> outcomes_are_durable();

  // For another core's resharding, on this core.
  using Deliveries = std::vector<std::pair<QueueId, std::uint16_t>>;
  Deliveries delivered_among(const Deliveries& asked);
  Result<void> adopt_account(AccountId account, const std::vector<std::string>& pieces);

  // For the control socket, on this core.
  queue::Queue& queue() { return *queue_; }
  directory::Directory& directory() { return *directory_; }
  store::Reader& reader() { return *reader_; }
  const smtp::ServerServices& smtp() { return protocols_->smtp; }
  TlsService& tls() { return tls_; }
  auth::SignedTokens* tokens() { return tokens_.get(); }  // null: none are taken

 private:
  enum class Protocol : std::uint8_t {  // in the order of listen_names
    smtp,
    submission,
    submissions,
    imap,
    imaps,
    pop3,
    pop3s,
    lmtp,
  };

  // recovery.cc: logs opened, what they hold applied
  Task<Result<void>> recover();
  void tell_damage(const store::RecordRef& where);
  // resharding.cc
  Task<bool> reshard(bool is_well);
  Task<bool> all_are_well(bool is_well);
  std::vector<ShardHolder> holders();
  Task<Result<void>> recover_extras();
  Task<Result<void>> end_what_was_delivered();
  void tell_foreign();
  void drop_doubles();
  Task<Result<void>> send_accounts_home();
  Task<Result<void>> take_queued_over();
  Task<Result<void>> take_over(const queue::Message& message);
  Task<Result<void>> checkpoint_now();
  Task<Result<void>> empty_extras();
  void give_accounts_away();
  // checkpointing.cc
  void count_commits();
  Task<void> keep_checkpoints();
  Task<void> take_checkpoint();
  Task<void> checkpoint_at_stop();
  // front_ends.cc
  Result<void> open_listeners();
  void adopt_listeners();
  void add_front_ends();

  Result<void> listen_on(std::vector<io::SocketAddress>& addresses, Protocol protocol);
  FrontEnd::Serve serve_of(Protocol protocol);
  TlsService::Run sessions_of(Protocol protocol);
  static FrontEndNames names_of(Protocol protocol);
  ProxiedFrom proxied_from(Protocol protocol) const;

  Task<bool> start();
  Task<void> host_guest();
  Task<void> stop();
  void install_turn_hooks();
  Task<void> forget_old_deliveries();
  void start_compaction();

  SharedState& shared_;
  const CoreIndex core_;
  const Configuration& configuration_;
  observe::Counters& counters_;
  observe::EventLog events_;
  std::unique_ptr<store::Log> spool_, mail_, journal_;
  queue::ShardLogs logs_;  // the three, once they are open
  std::unique_ptr<store::Reader> reader_;
  std::unique_ptr<mailbox::Owner> owner_;
  std::unique_ptr<mailbox::Mailboxes> mailboxes_;
  mailbox::ChangeBroadcast broadcast_;
  std::unique_ptr<queue::Queue> queue_;
  std::unique_ptr<Checkpoints> checkpoints_;  // once the logs are open
  std::unique_ptr<Compaction> compaction_;    // once all cores have recovered
  std::unique_ptr<directory::Directory> directory_;
  std::unique_ptr<auth::SignedTokens> tokens_;
  std::unique_ptr<auth::Authenticator> authenticator_;
  std::unique_ptr<mda::Delivery> delivery_;
  std::unique_ptr<dns::Resolver> resolver_;
  std::unique_ptr<relay::Relay> relay_;
  std::unique_ptr<relay::Bounces> bounces_;
  std::unique_ptr<smtp::MailboxRooms> rooms_;
  std::unique_ptr<StrangerGuard> guard_;
  std::unique_ptr<smtp::QueueStarter> queue_starter_;
  std::unique_ptr<ProtocolServices> protocols_;
  TlsService tls_;
  std::unique_ptr<MailIntake> intake_;  // where there is a guest
  Connections connections_;
  std::vector<std::pair<std::unique_ptr<io::Listener>, Protocol>>
      listeners_;  // until their front ends are made
  std::vector<std::unique_ptr<FrontEnd>> front_ends_;
  std::vector<std::unique_ptr<ExtraShard>> extras_;  // while the number of shards changes
  std::vector<store::RecordRef> taken_over_;         // then: content of queued messages
  Event stop_, decided_, guest_left_;
  Signal checkpoint_wanted_;
  std::uint64_t commits_counted_ = 0;
  bool serving_ = false;
  bool may_checkpoint_ = false;  // nobody asks about deliveries of before the start any more
  Scope scope_, guests_;
};

}  // namespace kurir::server
