// Recovery: what the shard's logs hold becomes its queue and mailboxes again. The journal first,
// because it says what came of the messages, and where to begin with them; then the messages.

#include <algorithm>

#include "core_server.hh"
#include "kurir/base/limits.hh"
#include "kurir/io/file.hh"
#include "kurir/store/message_record.hh"

namespace kurir::server {
namespace {

void report_damage(const store::RecordRef& where) {
  io::print_error("kurir: damaged record in shard " + std::to_string(where.shard) + ", stream " +
                  std::to_string(static_cast<int>(where.stream)) + ", segment " +
                  std::to_string(where.segment) + ", offset " + std::to_string(where.offset));
}

// Damage is said, counted as one message or change each, and passed over: everything else is
// served.
class Visitor : public store::RecordVisitor {
 public:
  void on_corrupt(const store::RecordRef& where) override { report_damage(where); }
  std::uint64_t octets = 0;  // of the records shown
};

class JournalVisitor final : public Visitor {
 public:
  JournalVisitor(queue::Queue& queue, mailbox::Owner& owner) : queue_(queue), owner_(owner) {}
  void on_record(const store::RecordView& record) override {
    octets += record.ref.octets;
    if (record.type == mailbox::record_changes || record.type == mailbox::record_snapshot)
      return note(owner_.recover(record.type, record.payload));
    if (record.type != store::record_type::checkpoint_complete)
      return queue_.recover_change(record.type, record.payload);
    const Result<CheckpointEnd> end = decode_checkpoint_end(record.payload);
    if (end) checkpoint = *end;
    if (!end) failed = end.error();
  }
  CheckpointEnd checkpoint;     // the last
  std::optional<Error> failed;  // a change that this version does not know: serving would be wrong

 private:
  void note(const Result<void>& recovered) {
    if (!recovered) failed = recovered.error();
  }
  queue::Queue& queue_;
  mailbox::Owner& owner_;
};

class MessageVisitor final : public Visitor {
 public:
  explicit MessageVisitor(queue::Queue& queue) : queue_(queue) {}
  void on_record(const store::RecordView& record) override {
    octets += record.ref.octets;
    if (record.type == store::record_type::message)
      queue_.recover_message(record.ref, record.payload);
  }

 private:
  queue::Queue& queue_;
};

// Messages that are read one by one, many at a time.
struct QueuedReads {
  std::vector<store::RecordRef> records;
  std::size_t next = 0;
  std::optional<Error> failed;
};

// A record that is damaged, or gone with its file, is said and passed over, as in a scan. Where the
// disk does not answer, the next checkpoint must not take the message for ended.
Task<void> read_some(QueuedReads& reads, store::Reader& reader, queue::Queue& queue) {
  while (reads.next < reads.records.size() && !reads.failed) {
    const store::RecordRef ref = reads.records[reads.next++];
    const Result<store::Record> record = co_await reader.read(ref);
    if (record) {
      queue.recover_message(ref, record->payload());
    } else if (record.error().code == Errc::corrupt || record.error().code == Errc::not_found) {
      report_damage(ref);
    } else {
      reads.failed = record.error();
    }
  }
}

}  // namespace

Task<Result<std::unique_ptr<store::Log>>> CoreServer::open_log(store::StreamKind stream,
                                                               store::LogPosition start_from,
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
  options.start_from = start_from;
  co_return co_await store::Log::open(std::move(options), visitor);
}

Task<Result<void>> CoreServer::recover() {
  JournalVisitor changes(*queue_, *owner_);
  Result<std::unique_ptr<store::Log>> journal =
      co_await open_log(store::StreamKind::journal, {}, changes);
  if (!journal) co_return std::unexpected(journal.error());
  journal_ = std::move(*journal);
  if (changes.failed) co_return std::unexpected(*changes.failed);
  const queue::StreamPositions& positions = changes.checkpoint.positions;
  MessageVisitor messages(*queue_);
  Result<std::unique_ptr<store::Log>> mail =
      co_await open_log(store::StreamKind::mail, positions.mail, messages);
  if (!mail) co_return std::unexpected(mail.error());
  mail_ = std::move(*mail);
  Result<std::unique_ptr<store::Log>> spool =
      co_await open_log(store::StreamKind::spool, positions.spool, messages);
  if (!spool) co_return std::unexpected(spool.error());
  spool_ = std::move(*spool);
  const Result<void> queued = co_await recover_queued(positions);
  if (!queued) co_return queued;
  logs_ = {spool_.get(), mail_.get(), journal_.get()};
  owner_->start(*journal_);
  checkpoints_ =
      std::make_unique<Checkpoints>(configuration_.store.checkpoint_size, logs_, *queue_, *owner_);
  checkpoints_->recovered(changes.checkpoint, changes.octets + messages.octets);
  co_return Result<void>();
}

Task<Result<void>> CoreServer::recover_queued(const queue::StreamPositions& positions) {
  QueuedReads reads;
  reads.records = queue_->queued_before(positions);
  Scope readers;
  for (std::size_t n = 0; n < std::min(reads.records.size(), limits::recovery_reads_max); ++n)
    readers.start(read_some(reads, *reader_, *queue_));
  co_await readers.join();
  if (reads.failed) co_return std::unexpected(*reads.failed);
  co_return Result<void>();
}

}  // namespace kurir::server
