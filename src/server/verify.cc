#include "kurir/server/verify.hh"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "kurir/mailbox/owner.hh"
#include "kurir/mailbox/stored_message.hh"
#include "kurir/queue/queue.hh"
#include "kurir/queue/queue_id.hh"
#include "kurir/server/checkpoint_end.hh"
#include "kurir/store/message_record.hh"

namespace kurir::server {
namespace {

std::string explain(const Error& error) {
  switch (error.code) {
    case Errc::corrupt:
      return "does not match its checksum or size";
    case Errc::not_found:
      return "is not there";
    default:
      return fmt::format("cannot be read (errno {})", error.os_errno);
  }
}

std::string name_of(AccountId account, const AccountNames& names) {
  const auto found = names.find(account);
  return found == names.end() ? fmt::format("account {}", account.value) : found->second;
}

// One shard as its journal tells it. Nothing in it is ever started.
class ShardImage {
 public:
  ShardImage(const store::DataDirectory& data, ShardIndex shard, Verification& found)
      : data_(data),
        shard_(shard),
        found_(found),
        reader(data.path(), data.instance()),
        owner(quiescence_, [](mailbox::MailboxKey) {}),
        queue({}, shard, data.epoch(), logs_, events_, counters_) {}

  Task<Result<void>> read_journal();
  Task<Result<void>> read_messages();

 private:
  class Changes;
  class Messages;
  store::LogOptions options_of(store::StreamKind stream, store::LogPosition from) const;
  void note_damage(const store::RecordRef& where, std::string why);

  const store::DataDirectory& data_;
  const ShardIndex shard_;
  Verification& found_;
  queue::StreamPositions positions_;
  QuiescenceDomain quiescence_{1};
  observe::EventSink sink_{"none"};
  observe::Counters counters_;
  observe::EventLog events_{sink_, &counters_};
  queue::ShardLogs logs_;

 public:
  store::Reader reader;
  mailbox::Owner owner;
  queue::Queue queue;
};

class ShardImage::Changes final : public store::RecordVisitor {
 public:
  explicit Changes(ShardImage& shard) : shard_(shard) {}
  void on_record(const store::RecordView& record) override {
    if (record.type == mailbox::record_changes || record.type == mailbox::record_snapshot) {
      const Result<void> recovered = shard_.owner.recover(record.type, record.payload);
      if (!recovered) failed = recovered.error();
    } else if (record.type != store::record_type::checkpoint_complete) {
      shard_.queue.recover_change(record.type, record.payload);
    } else {
      const Result<CheckpointEnd> end = decode_checkpoint_end(record.payload);
      if (end) shard_.positions_ = end->positions;
      if (!end) failed = end.error();
    }
  }
  void on_corrupt(const store::RecordRef& where) override {
    shard_.note_damage(where, "does not match its checksum: changes are lost");
  }
  std::optional<Error> failed;

 private:
  ShardImage& shard_;
};

class ShardImage::Messages final : public store::RecordVisitor {
 public:
  explicit Messages(ShardImage& shard) : shard_(shard) {}
  void on_record(const store::RecordView& record) override {
    if (record.type == store::record_type::message)
      shard_.queue.recover_message(record.ref, record.payload);
  }
  void on_corrupt(const store::RecordRef& where) override {
    shard_.note_damage(where, "does not match its checksum: what was there may have been queued");
  }

 private:
  ShardImage& shard_;
};

store::LogOptions ShardImage::options_of(store::StreamKind stream, store::LogPosition from) const {
  store::LogOptions options;
  options.directory = data_.path() + "/" + store::shard_directory_name(shard_);
  options.instance = data_.instance();
  options.stream = stream;
  options.shard = shard_;
  options.start_from = from;
  return options;
}

void ShardImage::note_damage(const store::RecordRef& where, std::string why) {
  found_.damaged.push_back({.account = {},
                            .mailbox = {},
                            .queue_id = {},
                            .sender = {},
                            .record = where,
                            .why = std::move(why)});
}

Task<Result<void>> ShardImage::read_journal() {
  Changes changes(*this);
  const Result<void> read =
      co_await store::look_through(options_of(store::StreamKind::journal, {}), changes);
  if (!read) co_return read;
  if (changes.failed) co_return std::unexpected(*changes.failed);
  co_return Result<void>();
}

// As recovery does it.
Task<Result<void>> ShardImage::read_messages() {
  Messages messages(*this);
  Result<void> read =
      co_await store::look_through(options_of(store::StreamKind::mail, positions_.mail), messages);
  if (!read) co_return read;
  read = co_await store::look_through(options_of(store::StreamKind::spool, positions_.spool),
                                      messages);
  if (!read) co_return read;
  for (const auto& [id, ref] : queue.queued_before(positions_)) {
    const Result<store::Record> record = co_await reader.read(ref);
    if (record) queue.recover_message(ref, record->payload());
    if (!record && record.error().code == Errc::not_found && queue.has_ended(id)) continue;
    if (!record) note_damage(ref, "was queued, and " + explain(record.error()));
  }
  co_return Result<void>();
}

// --- mailboxes

struct Entry {
  AccountId account;
  std::string folder;
  mailbox::NewMessage message;
};

std::vector<Entry> entries_of(const mailbox::Owner& owner) {
  std::vector<Entry> entries;
  owner.accounts().for_each([&](const mailbox::Account& account) {
    for (const mailbox::Folder& folder : account.tree().folders) {
      if (!folder.mailbox) continue;
      constexpr mailbox::NumberRange all{1, ~std::uint32_t{0}};
      folder.mailbox->snapshot().walk(all, [&](const mailbox::Located& at) {
        entries.push_back({account.id(), folder.name, at.entry().describe()});
      });
    }
  });
  // In the order of the disk.
  std::ranges::sort(entries, {}, [](const Entry& entry) {
    const store::RecordRef& content = entry.message.content;
    return std::tuple(content.shard, content.stream, content.segment, content.offset);
  });
  return entries;
}

Task<Result<void>> read_whole(store::Reader& reader, mailbox::NewMessage entry) {
  Result<mailbox::StoredMessage> message = co_await mailbox::StoredMessage::open(reader, entry);
  if (!message) co_return std::unexpected(message.error());
  for (std::uint64_t offset = 0; offset < message->size();) {
    const Result<std::string_view> piece = co_await message->view(offset);
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return fail(Errc::corrupt, Origin::mailbox);
    offset += piece->size();
  }
  co_return Result<void>();
}

// --- the queue

Task<Result<void>> read_whole(store::Reader& reader, store::RecordRef record) {
  Result<store::MessageContent> content = co_await store::MessageContent::open(reader, record);
  if (!content) co_return std::unexpected(content.error());
  for (std::uint64_t offset = 0; offset < content->size();) {
    const Result<std::string_view> piece = co_await content->view(offset);
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return fail(Errc::corrupt, Origin::log);
    offset += piece->size();
  }
  co_return Result<void>();
}

Task<void> verify_entries(ShardImage& shard, const AccountNames& names, Verification& all) {
  for (const Entry& entry : entries_of(shard.owner)) {
    const Result<void> read = co_await read_whole(shard.reader, entry.message);
    ++all.messages;
    all.octets += entry.message.size;
    if (read) continue;
    all.damaged.push_back({.account = name_of(entry.account, names),
                           .mailbox = entry.folder,
                           .uid = entry.message.uid.value,
                           .queue_id = {},
                           .sender = {},
                           .record = entry.message.content,
                           .why = explain(read.error())});
  }
}

Task<void> verify_queued(ShardImage& shard, Verification& all) {
  std::vector<const queue::Message*> messages;
  shard.queue.for_each(
      [&messages](const queue::Message& message) { messages.push_back(&message); });
  for (const queue::Message* message : messages) {
    const Result<void> read = co_await read_whole(shard.reader, message->record);
    ++all.messages;
    all.octets += message->content_octets;
    if (read) continue;
    all.damaged.push_back({.account = {},
                           .mailbox = {},
                           .queue_id = queue::text_of(message->id),
                           .sender = std::string(std::string_view(message->envelope.reverse_path)),
                           .record = message->record,
                           .why = explain(read.error())});
  }
}

}  // namespace

Task<Result<Verification>> verify_mailboxes(const store::DataDirectory& data,
                                            const AccountNames& names) {
  Verification all;
  const Result<unsigned> shards = data.shards_present();
  if (!shards) co_return std::unexpected(shards.error());
  for (std::uint16_t number = 0; number < *shards; ++number) {
    ShardImage shard(data, ShardIndex(number), all);
    const Result<void> read = co_await shard.read_journal();
    if (!read) co_return std::unexpected(read.error());
    co_await verify_entries(shard, names, all);
  }
  co_return all;
}

Task<Result<Verification>> verify_queue(const store::DataDirectory& data) {
  Verification all;
  const Result<unsigned> shards = data.shards_present();
  if (!shards) co_return std::unexpected(shards.error());
  for (std::uint16_t number = 0; number < *shards; ++number) {
    ShardImage shard(data, ShardIndex(number), all);
    Result<void> read = co_await shard.read_journal();
    if (!read) co_return std::unexpected(read.error());
    read = co_await shard.read_messages();
    if (!read) co_return std::unexpected(read.error());
    co_await verify_queued(shard, all);
  }
  co_return all;
}

}  // namespace kurir::server
