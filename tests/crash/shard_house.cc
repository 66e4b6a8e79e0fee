#include "shard_house.hh"

#include "kurir/server/checkpoint_end.hh"
#include "kurir/store/message_record.hh"

namespace kurir::crash {
namespace {

constexpr std::uint32_t segment_octets = 64 << 10, batch_octets = 32 << 10;

// As server/recovery.cc's visitors.
class Shows final : public store::RecordVisitor {
 public:
  Shows(ShardHouse& house, bool is_journal) : house_(house), is_journal_(is_journal) {}
  void on_record(const store::RecordView& record) override {
    if (!is_journal_) {
      if (record.type == store::record_type::message)
        house_.queue().recover_message(record.ref, record.payload);
      return;
    }
    if (record.type == mailbox::record_changes || record.type == mailbox::record_snapshot) {
      if (!house_.owner().recover(record.type, record.payload)) ++house_.damaged;
    } else if (record.type != store::record_type::checkpoint_complete) {
      house_.queue().recover_change(record.type, record.payload);
    } else {
      const Result<server::CheckpointEnd> end = server::decode_checkpoint_end(record.payload);
      if (end) positions = end->positions;
      if (!end) ++house_.damaged;
    }
  }
  void on_corrupt(const store::RecordRef&) override { ++house_.damaged; }
  queue::StreamPositions positions;

 private:
  ShardHouse& house_;
  bool is_journal_;
};

}  // namespace

ShardHouse::ShardHouse() {
  owner_.emplace(quiescence_, [](mailbox::MailboxKey) {});
}

Task<Result<std::unique_ptr<store::Log>>> ShardHouse::open_log(store::StreamKind stream,
                                                               store::LogPosition from,
                                                               store::RecordVisitor& visitor) {
  const Result<std::string> folder = data_->shard_directory(ShardIndex(0));
  if (!folder) co_return std::unexpected(folder.error());
  store::LogOptions options;
  options.directory = *folder;
  options.instance = data_->instance();
  options.stream = stream;
  options.segment_octets = segment_octets;
  options.batch_octets = batch_octets;
  options.start_from = from;
  co_return co_await store::Log::open(std::move(options), visitor);
}

Task<Result<void>> ShardHouse::open() {
  Result<store::DataDirectory> data = store::DataDirectory::open("/data", {.new_instance = 42});
  if (!data) co_return std::unexpected(data.error());
  data_.emplace(std::move(*data));
  reader_.emplace("/data", data_->instance());
  queue_.emplace(queue::QueueOptions{}, ShardIndex(0), data_->epoch(), logs_, events_, counters_);
  const Result<void> opened = co_await open_logs();
  if (!opened) {
    for (const auto* log : {&journal_, &mail_, &spool_})
      if (*log) co_await (*log)->stop();
    queue_.reset();
    co_return opened;
  }
  owner_->start(*journal_);
  queue_->add_deliverer(holds);
  queue_->start();
  server::CompactionOptions options;
  options.dead_percent = 33;
  options.octets_a_second = 1 << 30;
  options.extents_from = 8000;
  compaction_.emplace(options, ShardIndex(0), *mail_, *queue_, *reader_,
                      std::vector<server::CompactionPeer>{{CoreIndex(0), &*owner_, &*reader_}});
  co_return opened;
}

// What a disk that fails keeps from being done is found again.
Task<void> ShardHouse::compact() { static_cast<void>(co_await compaction_->round()); }

Task<Result<void>> ShardHouse::open_logs() {
  Shows changes(*this, true), messages(*this, false);
  auto journal = co_await open_log(store::StreamKind::journal, {}, changes);
  if (!journal) co_return std::unexpected(journal.error());
  journal_ = std::move(*journal);
  const queue::StreamPositions& from = changes.positions;
  auto mail = co_await open_log(store::StreamKind::mail, from.mail, messages);
  if (!mail) co_return std::unexpected(mail.error());
  mail_ = std::move(*mail);
  auto spool = co_await open_log(store::StreamKind::spool, from.spool, messages);
  if (!spool) co_return std::unexpected(spool.error());
  spool_ = std::move(*spool);
  logs_ = {spool_.get(), mail_.get(), journal_.get()};
  for (const auto& [id, ref] : queue_->queued_before(from)) {
    const Result<store::Record> record = co_await reader_->read(ref);
    if (!record && record.error().code == Errc::not_found && queue_->has_ended(id)) continue;
    const bool is_damage =
        !record && (record.error().code == Errc::corrupt || record.error().code == Errc::not_found);
    if (!record && !is_damage) co_return std::unexpected(record.error());
    if (is_damage) ++damaged;
    if (record) queue_->recover_message(ref, record->payload());
  }
  co_return Result<void>();
}

Task<void> ShardHouse::stop() {
  co_await queue_->stop();
  co_await owner_->stop();
  for (const auto* log : {&spool_, &mail_, &journal_}) co_await (*log)->stop();
  queue_.reset();
  co_await events_.stop();
}

// As server/checkpoints.cc's.
Task<bool> ShardHouse::checkpoint() {
  const Result<void> begun = co_await journal_->begin_checkpoint();
  if (!begun) co_return false;
  server::CheckpointEnd end{.positions = {.mail = mail_->end(), .spool = spool_->end()},
                            .octets = 0};
  store::CheckpointWriter writer(*journal_);
  Result<void> done = co_await owner_->write_snapshot(writer);
  if (done) done = co_await queue_->write_snapshot(writer, end.positions);
  if (done) done = co_await mail_->commit_appended();
  if (done) done = co_await spool_->commit_appended();
  if (done) done = co_await journal_->commit_appended();
  if (!done) {
    journal_->abandon_checkpoint();
    co_return false;
  }
  // The shard's own outcomes are in the checkpoint.
  static_cast<void>(co_await queue_->sync_outcomes());
  const Result<void> finished = co_await journal_->finish_checkpoint(encode(end));
  co_return finished.has_value();
}

}  // namespace kurir::crash
