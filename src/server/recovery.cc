// Recovery: what the shard's logs hold becomes its queue and mailboxes again. The journal first,
// because it says what came of the messages; then the messages.

#include "core_server.hh"
#include "kurir/io/file.hh"
#include "kurir/store/message_record.hh"

namespace kurir::server {
namespace {

// Damage is said, counted as one message or change each, and passed over: everything else is
// served.
class Visitor : public store::RecordVisitor {
 public:
  void on_corrupt(const store::RecordRef& where) override {
    io::print_error("kurir: damaged record in shard " + std::to_string(where.shard) + ", stream " +
                    std::to_string(static_cast<int>(where.stream)) + ", segment " +
                    std::to_string(where.segment) + ", offset " + std::to_string(where.offset));
  }
};

class JournalVisitor final : public Visitor {
 public:
  JournalVisitor(queue::Queue& queue, mailbox::Owner& owner) : queue_(queue), owner_(owner) {}
  void on_record(const store::RecordView& record) override {
    if (record.type != mailbox::record_changes)
      return queue_.recover_change(record.type, record.payload);
    const Result<void> recovered = owner_.recover(record.payload);
    if (!recovered) failed = recovered.error();
  }
  std::optional<Error> failed;  // a change that this version does not know: serving would be wrong

 private:
  queue::Queue& queue_;
  mailbox::Owner& owner_;
};

class MessageVisitor final : public Visitor {
 public:
  explicit MessageVisitor(queue::Queue& queue) : queue_(queue) {}
  void on_record(const store::RecordView& record) override {
    if (record.type == store::record_type::message)
      queue_.recover_message(record.ref, record.payload);
  }

 private:
  queue::Queue& queue_;
};

}  // namespace

Task<Result<std::unique_ptr<store::Log>>> CoreServer::open_log(store::StreamKind stream,
                                                               store::RecordVisitor& visitor) {
  const Result<std::string> folder = shared_.data.shard_directory(ShardIndex(core_.value));
  if (!folder) co_return std::unexpected(folder.error());
  store::LogOptions options;
  options.directory = *folder;
  options.instance = shared_.data.instance();
  options.stream = stream;
  options.shard = ShardIndex(core_.value);
  options.segment_octets = static_cast<std::uint32_t>(configuration_.store.segment_size);
  options.reserve_octets = configuration_.store.free_space_min;
  options.sync = configuration_.store.sync;
  options.durability = configuration_.store.durability;
  options.sync_interval = configuration_.store.durability_interval;
  co_return co_await store::Log::open(std::move(options), visitor);
}

Task<Result<void>> CoreServer::recover() {
  JournalVisitor changes(*queue_, *owner_);
  Result<std::unique_ptr<store::Log>> journal =
      co_await open_log(store::StreamKind::journal, changes);
  if (!journal) co_return std::unexpected(journal.error());
  journal_ = std::move(*journal);
  if (changes.failed) co_return std::unexpected(*changes.failed);
  MessageVisitor messages(*queue_);
  Result<std::unique_ptr<store::Log>> mail = co_await open_log(store::StreamKind::mail, messages);
  if (!mail) co_return std::unexpected(mail.error());
  mail_ = std::move(*mail);
  Result<std::unique_ptr<store::Log>> spool = co_await open_log(store::StreamKind::spool, messages);
  if (!spool) co_return std::unexpected(spool.error());
  spool_ = std::move(*spool);
  logs_ = {spool_.get(), mail_.get(), journal_.get()};
  owner_->start(*journal_);
  co_return Result<void>();
}

}  // namespace kurir::server
