#include "kurir/mailbox/journal_record.hh"

#include <algorithm>
#include <optional>

#include "kurir/base/limits.hh"
#include "octets.hh"

namespace kurir::mailbox {
namespace {

constexpr std::uint8_t version_now = 1;
constexpr std::size_t folder_octets_min = 8 + 4 + 1 + 2;
constexpr std::size_t message_octets = 60;
constexpr std::size_t content_octets = 16;
constexpr std::size_t range_octets = 8;

// The kinds are the places in the variant, from 1: a new change goes to its end.
static_assert(std::variant_size_v<Change> == 12);
static_assert(std::is_same_v<std::variant_alternative_t<6, Change>, Appended>);
static_assert(std::is_same_v<std::variant_alternative_t<11, Change>, MailboxRestored>);

template <class IdType>
IdType read_id(OctetReader& in) {
  return IdType(in.number<decltype(IdType::value)>());
}

void write_content(OctetWriter& out, const store::RecordRef& content) {
  out.number(content.segment);
  out.number(content.offset);
  out.number(content.octets);
  out.number(content.shard);
  out.number(static_cast<std::uint8_t>(content.stream));
  out.number(std::uint8_t{0});
}

store::RecordRef read_content(OctetReader& in) {
  store::RecordRef content;
  content.segment = in.number<std::uint32_t>();
  content.offset = in.number<std::uint32_t>();
  content.octets = in.number<std::uint32_t>();
  content.shard = in.number<std::uint16_t>();
  const auto stream = in.number<std::uint8_t>();
  in.require(stream <= static_cast<std::uint8_t>(store::StreamKind::journal));
  in.require(in.number<std::uint8_t>() == 0);
  in.require(content.segment < std::uint32_t{1} << 30);  // what an entry can hold
  content.stream = static_cast<store::StreamKind>(stream);
  return content;
}

void write_folders(OctetWriter& out, const std::vector<NewFolder>& folders) {
  out.number(static_cast<std::uint32_t>(folders.size()));
  for (const NewFolder& folder : folders) {
    out.number(folder.id.value);
    out.number(folder.validity.value);
    out.number(static_cast<std::uint8_t>(folder.use));
    out.text(folder.name);
  }
}

std::vector<NewFolder> read_folders(OctetReader& in) {
  std::vector<NewFolder> folders(in.count(folder_octets_min));
  for (NewFolder& folder : folders) {
    folder.id = read_id<MailboxId>(in);
    folder.validity = read_id<UidValidity>(in);
    const auto use = in.number<std::uint8_t>();
    in.require(use <= static_cast<std::uint8_t>(special_use_last));
    folder.use = static_cast<SpecialUse>(use);
    folder.name = in.text();
    in.require(folder.name.size() <= limits::mailbox_name_octets_max);
  }
  return folders;
}

void write_ranges(OctetWriter& out, const std::vector<NumberRange>& ranges) {
  out.number(static_cast<std::uint32_t>(ranges.size()));
  for (const NumberRange& range : ranges) {
    out.number(range.first);
    out.number(range.last);
  }
}

std::vector<NumberRange> read_ranges(OctetReader& in) {
  std::vector<NumberRange> ranges(in.count(range_octets));
  std::uint32_t before = 0;
  for (NumberRange& range : ranges) {
    range.first = in.number<std::uint32_t>();
    range.last = in.number<std::uint32_t>();
    in.require(range.first > before && range.first <= range.last);
    before = range.last;
  }
  return ranges;
}

void write_message(OctetWriter& out, const NewMessage& message) {
  out.number(message.uid.value);
  out.number(message.flags);
  out.number(message.modseq.value);
  out.number(message.internal_date);
  write_content(out, message.content);
  out.number(message.origin.value);
  out.number(message.size);
  out.number(message.ordinal);
  out.number(message.prefix_octets);
}

NewMessage read_message(OctetReader& in) {
  NewMessage message;
  message.uid = read_id<Uid>(in);
  message.flags = in.number<FlagWord>();
  message.modseq = read_id<ModSeq>(in);
  message.internal_date = in.number<std::int64_t>();
  message.content = read_content(in);
  message.origin = read_id<QueueId>(in);
  message.size = in.number<std::uint32_t>();
  message.ordinal = in.number<std::uint16_t>();
  message.prefix_octets = in.number<std::uint16_t>();
  return message;
}

struct BodyWriter {
  OctetWriter& out;

  void operator()(const AccountCreated& change) {
    out.number(change.mailbox_last.value);
    out.number(change.validity_last.value);
    write_folders(out, change.folders);
  }
  void operator()(const AccountDeleted&) {}
  void operator()(const FoldersCreated& change) { write_folders(out, change.folders); }
  void operator()(const FolderDeleted& change) { out.number(change.mailbox.value); }
  void operator()(const FolderRenamed& change) {
    out.text(change.from);
    out.text(change.to);
    write_folders(out, change.created);
  }
  void operator()(const SubscriptionChanged& change) {
    out.number(static_cast<std::uint8_t>(change.subscribed ? 1 : 0));
    out.text(change.name);
  }
  void operator()(const Appended& change) {
    out.number(change.mailbox.value);
    out.number(static_cast<std::uint32_t>(change.messages.size()));
    for (const NewMessage& message : change.messages) write_message(out, message);
  }
  void operator()(const FlagsChanged& change) {
    out.number(change.mailbox.value);
    out.number(change.modseq.value);
    out.number(change.unchanged_since.value);
    out.number(change.edit.add);
    out.number(change.edit.remove);
    write_ranges(out, change.uids);
  }
  void operator()(const KeywordAdded& change) {
    out.number(change.mailbox.value);
    out.number(change.index);
    out.text(change.name);
  }
  void operator()(const Expunged& change) {
    out.number(change.mailbox.value);
    out.number(change.modseq.value);
    write_ranges(out, change.uids);
  }
  void operator()(const ContentMoved& change) {
    out.number(change.mailbox.value);
    out.number(static_cast<std::uint32_t>(change.moves.size()));
    for (const auto& [uid, content] : change.moves) {
      out.number(uid.value);
      write_content(out, content);
    }
  }
  void operator()(const MailboxRestored& change) {
    out.number(change.mailbox.value);
    out.number(change.uid_next.value);
    out.number(change.highest_modseq.value);
  }
};

void read(OctetReader& in, AccountCreated& change) {
  change.mailbox_last = read_id<MailboxId>(in);
  change.validity_last = read_id<UidValidity>(in);
  change.folders = read_folders(in);
}
void read(OctetReader&, AccountDeleted&) {}
void read(OctetReader& in, FoldersCreated& change) { change.folders = read_folders(in); }
void read(OctetReader& in, FolderDeleted& change) { change.mailbox = read_id<MailboxId>(in); }
void read(OctetReader& in, FolderRenamed& change) {
  change.from = in.text();
  change.to = in.text();
  change.created = read_folders(in);
}
void read(OctetReader& in, SubscriptionChanged& change) {
  const auto subscribed = in.number<std::uint8_t>();
  in.require(subscribed <= 1);
  change.subscribed = subscribed == 1;
  change.name = in.text();
}
void read(OctetReader& in, Appended& change) {
  change.mailbox = read_id<MailboxId>(in);
  change.messages.resize(in.count(message_octets));
  Uid before{0};
  for (NewMessage& message : change.messages) {
    message = read_message(in);
    in.require(message.uid > before && message.uid.value != ~std::uint32_t{0});
    before = message.uid;
  }
}
void read(OctetReader& in, FlagsChanged& change) {
  change.mailbox = read_id<MailboxId>(in);
  change.modseq = read_id<ModSeq>(in);
  change.unchanged_since = read_id<ModSeq>(in);
  change.edit.add = in.number<FlagWord>();
  change.edit.remove = in.number<FlagWord>();
  change.uids = read_ranges(in);
}
void read(OctetReader& in, KeywordAdded& change) {
  change.mailbox = read_id<MailboxId>(in);
  change.index = in.number<std::uint8_t>();
  in.require(change.index < limits::imap_keywords_max);
  change.name = in.text();
  in.require(!change.name.empty() && change.name.size() <= limits::imap_keyword_octets_max);
}
void read(OctetReader& in, Expunged& change) {
  change.mailbox = read_id<MailboxId>(in);
  change.modseq = read_id<ModSeq>(in);
  change.uids = read_ranges(in);
}
void read(OctetReader& in, ContentMoved& change) {
  change.mailbox = read_id<MailboxId>(in);
  change.moves.resize(in.count(4 + content_octets));
  Uid before{0};
  for (auto& [uid, content] : change.moves) {
    uid = read_id<Uid>(in);
    content = read_content(in);
    in.require(uid > before);
    before = uid;
  }
}
void read(OctetReader& in, MailboxRestored& change) {
  change.mailbox = read_id<MailboxId>(in);
  change.uid_next = read_id<Uid>(in);
  in.require(change.uid_next != Uid(0));
  change.highest_modseq = read_id<ModSeq>(in);
}

// The alternative of that place in the variant, its body read from in.
template <std::size_t index = 0>
std::optional<Change> read_kind(std::size_t wanted, OctetReader& in) {
  if constexpr (index < std::variant_size_v<Change>) {
    if (wanted != index) return read_kind<index + 1>(wanted, in);
    std::variant_alternative_t<index, Change> change;
    change.account = read_id<AccountId>(in);
    read(in, change);
    return Change(std::move(change));
  } else {
    return std::nullopt;
  }
}

}  // namespace

void encode(const Change& change, std::string& out) {
  OctetWriter writer(out);
  writer.number(static_cast<std::uint8_t>(change.index() + 1));
  writer.number(version_now);
  writer.number(std::uint16_t{0});
  const std::size_t length_at = writer.size();
  writer.number(std::uint32_t{0});
  const std::size_t begin = writer.size();
  writer.number(std::visit([](const auto& each) { return each.account.value; }, change));
  std::visit(BodyWriter{writer}, change);
  KURIR_ASSERT(writer.size() - begin <= ~std::uint32_t{0});
  writer.overwrite(length_at, static_cast<std::uint32_t>(writer.size() - begin));
}

Result<std::vector<Change>> decode(std::string_view payload) {
  std::vector<Change> changes;
  OctetReader in(payload);
  while (!in.empty()) {
    const auto kind = in.number<std::uint8_t>();
    const auto version = in.number<std::uint8_t>();
    const auto reserved = in.number<std::uint16_t>();
    OctetReader body(in.octets(in.number<std::uint32_t>()));
    if (!in.good() || reserved != 0) return fail(Errc::corrupt, Origin::mailbox);
    if (version != version_now) return fail(Errc::unsupported, Origin::mailbox);
    std::optional<Change> change = read_kind(kind - std::size_t{1}, body);
    if (!change) return fail(Errc::unsupported, Origin::mailbox);
    if (!body.finished()) return fail(Errc::corrupt, Origin::mailbox);
    changes.push_back(*std::move(change));
  }
  if (!in.good()) return fail(Errc::corrupt, Origin::mailbox);
  return changes;
}

}  // namespace kurir::mailbox
