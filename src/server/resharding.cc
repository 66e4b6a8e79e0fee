// A start with another number of cores than the last: accounts go to the shards of their cores, and
// what is queued in shards that no core has any more to those that are left. Nobody is served
// meanwhile, so that nothing changes but its place, and each step can be done again:
//
//   what was delivered      ends in the queues, on the disk: mailboxes may forget where it came
//   from accounts                are described to the cores they belong to; those have them already
//   where
//                           an earlier start was cut
//   queued messages         of shards without a core are copied; the copies are no messages to a
//                           scan, only the checkpoint that names them makes them such
//   a checkpoint            of each shard, with what came to it
//   what has gone           is forgotten, and another checkpoint says so; shards without a core
//                           become empty
//
// A crash in between leaves accounts and messages in two shards, alike: one of them goes then.

#include <algorithm>
#include <unordered_map>

#include "core_server.hh"
#include "extra_shard.hh"
#include "kurir/io/file.hh"
#include "kurir/io/mesh.hh"
#include "kurir/mailbox/description.hh"
#include "kurir/mailbox/journal_record.hh"
#include "kurir/queue/queue_id.hh"
#include "kurir/store/message_record.hh"
#include "shard_recovery.hh"

namespace kurir::server {
namespace {

constexpr Nanoseconds room_wait_max = Seconds(30);
constexpr int exit_io_error = 74;  // EX_IOERR

}  // namespace

CoreServer::~CoreServer() = default;

std::vector<ShardHolder> CoreServer::holders() {
  std::vector<ShardHolder> all{
      {ShardIndex(core_.value), owner_.get(), queue_.get(), journal_.get()}};
  for (const auto& extra : extras_)
    all.push_back({extra->shard, &extra->owner, &extra->queue, extra->journal.get()});
  return all;
}

Task<bool> CoreServer::all_are_well(bool is_well) {
  co_return co_await shared_.barrier.arrive(is_well);
}

// Every core comes to each barrier, however it fares.
Task<bool> CoreServer::reshard(bool is_well) {
  Result<void> done;
  if (!is_well) done = fail(Errc::interrupted, Origin::core);
  if (done) done = co_await recover_extras();
  bool well = co_await all_are_well(done.has_value());
  if (well) done = co_await end_what_was_delivered();
  if (well) tell_foreign();
  if (well) well = co_await all_are_well(done.has_value());
  if (well) drop_doubles();
  if (well) done = co_await send_accounts_home();
  if (well) well = co_await all_are_well(done.has_value());
  if (well) done = co_await take_queued_over();
  if (well && done) done = co_await checkpoint_now();
  if (well) well = co_await all_are_well(done.has_value());
  if (well) give_accounts_away();
  if (well) done = co_await checkpoint_now();
  if (well && done) done = co_await empty_extras();
  for (const auto& extra : extras_)
    for (store::Log* log : {extra->journal.get(), extra->mail.get(), extra->spool.get()})
      if (log != nullptr) co_await log->stop();
  for (const auto& extra : extras_) co_await extra->events.stop();
  if (well) well = co_await all_are_well(done.has_value());
  extras_.clear();
  const bool speaks = well && core_.value == 0;
  if (speaks) done = shared_.data.set_layout({.shards = shared_.cores, .is_changing = false});
  if (is_well && !done) {
    io::print_error("kurir: what is stored cannot be shared out to " +
                    std::to_string(shared_.cores) + " cores (errno " +
                    std::to_string(done.error().os_errno) + "); the next start tries again");
    shared_.failed(exit_io_error);
  }
  if (well) well = co_await all_are_well(done.has_value());
  co_return well;
}

Task<Result<void>> CoreServer::recover_extras() {
  for (unsigned shard = shared_.cores + core_.value; shard < shared_.shards_present;
       shard += shared_.cores) {
    ExtraShard& extra = *extras_.emplace_back(std::make_unique<ExtraShard>(
        configuration_, shared_.data, ShardIndex(static_cast<std::uint16_t>(shard))));
    const RecoveringShard parts{
        extra.shard, extra.journal, extra.mail,
        extra.spool, extra.logs,    extra.queue,
        extra.owner, *reader_,      [this](const store::RecordRef& where) { tell_damage(where); }};
    const Result<RecoveredShard> recovered =
        co_await recover_shard(configuration_, shared_.data, parts);
    if (!recovered) co_return std::unexpected(recovered.error());
  }
  co_return Result<void>();
}

// --- deliveries of before

CoreServer::Deliveries CoreServer::delivered_among(const Deliveries& asked) {
  Deliveries delivered;
  const std::vector<ShardHolder> all = holders();
  for (const auto& [id, ordinal] : asked) {
    const auto knows = [&](const ShardHolder& one) {
      return one.owner->was_delivered(id, ordinal);
    };
    if (std::ranges::any_of(all, knows)) delivered.emplace_back(id, ordinal);
  }
  return delivered;
}

Task<Result<void>> CoreServer::end_what_was_delivered() {
  for (const ShardHolder& holder : holders()) {
    Deliveries asked;
    holder.queue->for_each([&asked](const queue::Message& message) {
      for (std::uint16_t n = 0; n < message.envelope.recipients.size(); ++n) {
        const queue::Recipient& recipient = message.envelope.recipients[n];
        if (recipient.is_local && recipient.state == queue::RecipientState::waiting)
          asked.emplace_back(message.id, n);
      }
    });
    Deliveries delivered;
    for (CoreServer* server : shared_.servers) {
      if (asked.empty()) break;
      const Deliveries some = co_await io::on_core(
          server->core(), [server, &asked] { return server->delivered_among(asked); });
      delivered.insert(delivered.end(), some.begin(), some.end());
    }
    std::ranges::sort(delivered);
    const auto same = std::ranges::unique(delivered);
    delivered.erase(same.begin(), same.end());
    for (const auto& [id, ordinal] : delivered) {
      const Result<void> roomy =
          co_await holder.journal->room(queue::reply_octets_max, deadline_in(room_wait_max));
      if (!roomy) co_return roomy;
      holder.queue->end_delivered(id, ordinal);
    }
    const Result<void> synced = co_await holder.journal->commit_appended();
    if (!synced) co_return synced;
  }
  co_return Result<void>();
}

// --- what two shards have

void CoreServer::tell_foreign() {
  for (const ShardHolder& holder : holders())
    holder.queue->for_each([&](const queue::Message& message) {
      if (queue::shard_of(message.id) != holder.shard)
        shared_.foreign[core_.value].emplace_back(message.id, holder.shard);
    });
}

// Whoever took a message over has it whole. Of two who did, one keeps it.
void CoreServer::drop_doubles() {
  for (const ShardHolder& holder : holders()) {
    for (const auto& of_core : shared_.foreign) {
      for (const auto& [id, shard] : of_core) {
        if (shard == holder.shard || !holder.queue->has(id)) continue;
        const bool is_own = queue::shard_of(id) == holder.shard;
        if (is_own || shard.value < holder.shard.value) holder.queue->give_away(id);
      }
    }
  }
}

// --- accounts

Task<Result<void>> CoreServer::send_accounts_home() {
  for (const ShardHolder& holder : holders()) {
    std::vector<AccountId> going;
    holder.owner->accounts().for_each([&](const mailbox::Account& account) {
      const CoreIndex home = mailbox::Mailboxes::owner_of(account.id(), shared_.cores);
      if (home.value != holder.shard.value) going.push_back(account.id());
    });
    for (const AccountId account : going) {
      const CoreIndex home = mailbox::Mailboxes::owner_of(account, shared_.cores);
      CoreServer* server = shared_.servers[home.value];
      const std::vector<std::string> pieces =
          mailbox::describe(*holder.owner->accounts().find(account));
      const Result<void> adopted = co_await io::on_core(
          home, [server, account, &pieces] { return server->adopt_account(account, pieces); });
      if (!adopted) co_return adopted;
    }
  }
  co_return Result<void>();
}

Result<void> CoreServer::adopt_account(AccountId account, const std::vector<std::string>& pieces) {
  if (owner_->accounts().find(account) != nullptr) return {};  // from a start that was cut
  for (const std::string& piece : pieces) {
    const Result<void> applied = owner_->recover(mailbox::record_snapshot, piece);
    if (!applied) return applied;
  }
  return {};
}

void CoreServer::give_accounts_away() {
  std::vector<AccountId> gone;
  owner_->accounts().for_each([&](const mailbox::Account& account) {
    if (mailbox::Mailboxes::owner_of(account.id(), shared_.cores).value != core_.value)
      gone.push_back(account.id());
  });
  for (const AccountId account : gone) {
    std::string payload;
    mailbox::encode(mailbox::AccountDeleted{account}, payload);
    static_cast<void>(owner_->recover(mailbox::record_changes, payload));
  }
}

// --- the queue

Task<Result<void>> CoreServer::take_queued_over() {
  for (const auto& extra : extras_) {
    std::vector<const queue::Message*> messages;
    extra->queue.for_each(
        [&messages](const queue::Message& message) { messages.push_back(&message); });
    for (const queue::Message* message : messages) {
      if (queue_->has(message->id)) continue;
      const Result<void> taken = co_await take_over(*message);
      // Content that is damaged is lost wherever it lies: that was told when it was read.
      const bool is_lost =
          !taken && (taken.error().code == Errc::corrupt || taken.error().code == Errc::not_found);
      if (!taken && !is_lost) co_return taken;
    }
  }
  // Each: the end of a log does not speak for a segment that was fenced before it.
  for (const store::RecordRef& record : taken_over_) {
    store::Log& log = record.stream == store::StreamKind::mail ? *mail_ : *spool_;
    const Result<void> durable = co_await log.commit(record);
    if (!durable) co_return durable;
  }
  co_return Result<void>();
}

Task<Result<void>> CoreServer::take_over(const queue::Message& message) {
  store::Log& log = message.goes_to_mail() ? *mail_ : *spool_;
  const Result<store::Record> record = co_await reader_->read(message.record);
  if (!record) co_return std::unexpected(record.error());
  const auto append = [&](std::uint16_t type, std::string_view payload) {
    const Result<store::RecordRef> appended = log.append(type, payload);
    if (appended) taken_over_.push_back(*appended);
    return appended;
  };
  std::vector<store::RecordRef> extents;
  for (const store::RecordRef& from : message.envelope.extents()) {
    const Result<store::Record> extent = co_await reader_->read(from);
    if (!extent) co_return std::unexpected(extent.error());
    const Result<void> roomy =
        co_await log.room(extent->payload().size(), deadline_in(room_wait_max));
    if (!roomy) co_return roomy;
    const Result<store::RecordRef> copied =
        append(store::record_type::content_extent, extent->payload());
    if (!copied) co_return std::unexpected(copied.error());
    extents.push_back(*copied);
  }
  const std::string payload = store::with_extents(record->payload(), extents);
  const Result<void> roomy = co_await log.room(payload.size(), deadline_in(room_wait_max));
  if (!roomy) co_return roomy;
  const Result<store::RecordRef> copied = append(store::record_type::moved_message, payload);
  if (!copied) co_return std::unexpected(copied.error());
  queue_->take_over(message, *copied, extents);
  co_return Result<void>();
}

// --- checkpoints

Task<Result<void>> CoreServer::checkpoint_now() {
  const Result<void> written = co_await checkpoints_->write();
  if (!written) co_return written;
  co_return co_await checkpoints_->finish();
}

Task<Result<void>> CoreServer::empty_extras() {
  for (const auto& extra : extras_) {
    const Result<void> begun = co_await extra->journal->begin_checkpoint();
    if (!begun) co_return begun;
    const CheckpointEnd end{.positions = {.mail = extra->mail->end(), .spool = extra->spool->end()},
                            .octets = 0};
    const Result<void> finished = co_await extra->journal->finish_checkpoint(encode(end));
    if (!finished) co_return finished;
    extra->spool->begin_reclaiming();
  }
  co_return Result<void>();
}

}  // namespace kurir::server
