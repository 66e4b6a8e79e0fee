// Recovery: what the shard's logs hold becomes its queue and mailboxes again. The journal first,
// because it says what came of the messages, and where to begin with them; then the messages.

#include <algorithm>

#include "core_server.hh"
#include "kurir/base/limits.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/file.hh"
#include "kurir/store/message_record.hh"
#include "shard_recovery.hh"

namespace kurir::server {
namespace {

// Damage is said, counted as one message or change each, and passed over: everything else is
// served.
class Visitor : public store::RecordVisitor {
 public:
  explicit Visitor(TellDamage tell) : tell_(std::move(tell)) {}
  void on_corrupt(const store::RecordRef& where) override { tell_(where); }
  std::uint64_t octets = 0;  // of the records shown

 private:
  TellDamage tell_;
};

class JournalVisitor final : public Visitor {
 public:
  JournalVisitor(TellDamage tell, queue::Queue& queue, mailbox::Owner& owner)
      : Visitor(std::move(tell)), queue_(queue), owner_(owner) {}
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
  MessageVisitor(TellDamage tell, queue::Queue& queue) : Visitor(std::move(tell)), queue_(queue) {}
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
  TellDamage tell;
  std::vector<queue::Queue::QueuedRecord> records;
  std::size_t next = 0;
  std::optional<Error> failed;
};

// A record that is damaged, or gone with its file, is said and passed over, as in a scan. Where the
// disk does not answer, the next checkpoint must not take the message for ended.
Task<void> read_some(QueuedReads& reads, store::Reader& reader, queue::Queue& queue) {
  while (reads.next < reads.records.size() && !reads.failed) {
    const auto [id, ref] = reads.records[reads.next++];
    const Result<store::Record> record = co_await reader.read(ref);
    if (record) {
      queue.recover_message(ref, record->payload());
    } else if (record.error().code == Errc::not_found && queue.has_ended(id)) {
      continue;  // its place was given back
    } else if (record.error().code == Errc::corrupt || record.error().code == Errc::not_found) {
      if (!reader.is_known_damaged(ref)) reads.tell(ref);
    } else {
      reads.failed = record.error();
    }
  }
}

Task<Result<std::unique_ptr<store::Log>>> open_log(const Configuration& configuration,
                                                   const store::DataDirectory& data,
                                                   ShardIndex shard, store::StreamKind stream,
                                                   store::LogPosition start_from,
                                                   store::RecordVisitor& visitor) {
  const Result<std::string> folder = data.shard_directory(shard);
  if (!folder) co_return std::unexpected(folder.error());
  store::LogOptions options;
  options.directory = *folder;
  options.instance = data.instance();
  options.stream = stream;
  options.shard = shard;
  options.segment_octets = static_cast<std::uint32_t>(configuration.store.segment_size);
  // What is kept free is the journal's: deliveries, deletions and what leaves the queue still go on
  // where no more mail is taken, and free the disk.
  if (stream != store::StreamKind::journal)
    options.reserve_octets = configuration.store.free_space_min;
  options.sync = configuration.store.sync;
  options.durability = configuration.store.durability;
  options.sync_interval = configuration.store.durability_interval;
  options.start_from = start_from;
  co_return co_await store::Log::open(std::move(options), visitor);
}

Task<Result<void>> recover_queued(const queue::StreamPositions& positions, queue::Queue& queue,
                                  store::Reader& reader, TellDamage tell) {
  QueuedReads reads;
  reads.tell = std::move(tell);
  reads.records = queue.queued_before(positions);
  Scope readers;
  for (std::size_t n = 0; n < std::min(reads.records.size(), limits::recovery_reads_max); ++n)
    readers.start(read_some(reads, reader, queue));
  co_await readers.join();
  if (reads.failed) co_return std::unexpected(*reads.failed);
  co_return Result<void>();
}

}  // namespace

Task<Result<RecoveredShard>> recover_shard(const Configuration& configuration,
                                           const store::DataDirectory& data,
                                           RecoveringShard shard) {
  JournalVisitor changes(shard.tell, shard.queue, shard.owner);
  Result<std::unique_ptr<store::Log>> journal =
      co_await open_log(configuration, data, shard.shard, store::StreamKind::journal, {}, changes);
  if (!journal) co_return std::unexpected(journal.error());
  shard.journal = std::move(*journal);
  if (changes.failed) co_return std::unexpected(*changes.failed);
  const queue::StreamPositions& positions = changes.checkpoint.positions;
  MessageVisitor messages(shard.tell, shard.queue);
  Result<std::unique_ptr<store::Log>> mail = co_await open_log(
      configuration, data, shard.shard, store::StreamKind::mail, positions.mail, messages);
  if (!mail) co_return std::unexpected(mail.error());
  shard.mail = std::move(*mail);
  Result<std::unique_ptr<store::Log>> spool = co_await open_log(
      configuration, data, shard.shard, store::StreamKind::spool, positions.spool, messages);
  if (!spool) co_return std::unexpected(spool.error());
  shard.spool = std::move(*spool);
  const Result<void> queued =
      co_await recover_queued(positions, shard.queue, shard.reader, shard.tell);
  if (!queued) co_return std::unexpected(queued.error());
  shard.logs = {shard.spool.get(), shard.mail.get(), shard.journal.get()};
  co_return RecoveredShard{.checkpoint = changes.checkpoint,
                           .octets = changes.octets + messages.octets};
}

// Whoever runs the server sees it, and so does whoever reads the events.
void CoreServer::tell_damage(const store::RecordRef& where) {
  const std::string text = store::describe(where);
  io::print_error("kurir: damaged record in " + text);
  observe::Event event;
  event.type = observe::EventType::damage;
  event.event_time = io::wall_now();
  event.size = where.octets;
  event.response.content = text;
  event.shard = where.shard;
  events_.write(event);
}

Task<Result<void>> CoreServer::recover() {
  const TellDamage tell = [this](const store::RecordRef& where) { tell_damage(where); };
  reader_->on_damage(tell);
  const RecoveringShard parts{
      ShardIndex(core_.value), journal_, mail_, spool_, logs_, *queue_, *owner_, *reader_, tell};
  const Result<RecoveredShard> recovered =
      co_await recover_shard(configuration_, shared_.data, parts);
  if (!recovered) co_return std::unexpected(recovered.error());
  checkpoints_ =
      std::make_unique<Checkpoints>(configuration_.store.checkpoint_size, logs_, *queue_, *owner_);
  checkpoints_->recovered(recovered->checkpoint, recovered->octets);
  co_return Result<void>();
}

}  // namespace kurir::server
