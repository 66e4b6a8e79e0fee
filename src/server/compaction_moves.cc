// Emptying segments: copies, pointers turned to them, readers waited for.

#include <algorithm>

#include "kurir/io/mesh.hh"
#include "kurir/server/compaction.hh"
#include "kurir/store/message_record.hh"

namespace kurir::server {
namespace {

constexpr Nanoseconds room_wait_max = Seconds(30);
constexpr unsigned passes_max = 16, reserve_tries = 50;

bool is_damage(const Error& error) {
  return error.code == Errc::corrupt || error.code == Errc::not_found;
}

}  // namespace

// Until a look finds nobody who points there. What comes anew while one looks is seen by it.
Task<Result<void>> Compaction::empty(Segments segments) {
  Result<bool> moved = true;
  for (unsigned n = 0; n < passes_max && moved && *moved && !segments.empty() && !stopping_; ++n)
    moved = co_await pass(segments);
  release_copies();
  if (!moved) co_return std::unexpected(moved.error());
  if (*moved || stopping_) co_return Result<void>();  // the next look finds them again
  co_await wait_for_readers(segments);
  co_return Result<void>();
}

// Whether anything pointed there.
Task<Result<bool>> Compaction::pass(Segments& segments) {
  std::vector<std::vector<Pointer>> pointers;
  bool any = false;
  for (const CompactionPeer& peer : peers_) {
    auto found = co_await pointers_into(peer, segments);
    if (!found) co_return std::unexpected(found.error());
    any = any || !found->empty();
    pointers.push_back(std::move(*found));
  }
  if (!any) co_return false;
  for (const std::vector<Pointer>& of_peer : pointers) {
    for (const Pointer& pointer : of_peer) {
      if (stopping_) co_return true;
      const Result<void> copied = co_await copy(pointer.content, segments);
      if (!copied) co_return std::unexpected(copied.error());
    }
  }
  const Result<void> durable = co_await mail_.commit(copies_);
  if (!durable) co_return std::unexpected(durable.error());
  for (std::size_t n = 0; n < peers_.size(); ++n) {
    std::vector<mailbox::Owner::ContentMove> moves;
    for (const Pointer& pointer : pointers[n])
      if (const auto copied = copied_.find(place_of(pointer.content)); copied != copied_.end())
        moves.push_back(
            {pointer.account, pointer.mailbox, pointer.uid, pointer.content, copied->second});
    mailbox::Owner* owner = peers_[n].owner;
    const Result<void> turned = co_await io::on_core(
        peers_[n].core, [owner, &moves] { return owner->move_contents(std::move(moves)); });
    if (!turned) co_return std::unexpected(turned.error());
  }
  co_return true;
}

Task<Result<std::vector<Compaction::Pointer>>> Compaction::pointers_into(const CompactionPeer& peer,
                                                                         const Segments& segments) {
  std::vector<Pointer> found;
  mailbox::Owner* owner = peer.owner;
  const mailbox::Owner::SeeContent see = [&](AccountId account, MailboxId mailbox,
                                             const mailbox::NewMessage& message) {
    const bool large = is_large(message);
    if (is_ours(message.content) && (large || segments.contains(message.content.segment)))
      found.push_back({account, mailbox, message.uid, message.content, large});
  };
  co_await io::on_core(peer.core, [owner, see] { return owner->walk_contents(see); });
  std::vector<Pointer> pointers;
  for (const Pointer& pointer : found) {
    const Result<bool> lies = co_await lies_in(pointer, segments);
    if (!lies) co_return std::unexpected(lies.error());
    if (*lies) pointers.push_back(pointer);
  }
  // In the order of the disk.
  std::ranges::sort(pointers, {}, [](const Pointer& pointer) { return place_of(pointer.content); });
  co_return pointers;
}

Task<Result<bool>> Compaction::lies_in(const Pointer& pointer, const Segments& segments) {
  if (segments.contains(pointer.content.segment)) co_return true;
  if (!pointer.is_large) co_return false;
  const auto extents = co_await extents_of(pointer.content);
  if (!extents) co_return std::unexpected(extents.error());
  co_return std::ranges::any_of(
      *extents, [&](const store::RecordRef& extent) { return segments.contains(extent.segment); });
}

// The message record, and those of its extents that lie in the segments. Where any of it is damaged
// all of it stays where it is, and its segments too.
Task<Result<void>> Compaction::copy(store::RecordRef message, Segments& segments) {
  if (copied_.contains(place_of(message))) co_return Result<void>();
  const Result<store::Record> record = co_await reader_.read(message);
  if (!record && !is_damage(record.error())) co_return std::unexpected(record.error());
  const auto decoded =
      record ? store::decode_message(record->payload()) : std::unexpected(record.error());
  if (!decoded) {
    keep(message, segments);
    co_return Result<void>();
  }
  std::vector<store::RecordRef> extents = decoded->envelope.extents;
  for (store::RecordRef& extent : extents) {
    if (!is_ours(extent) || !segments.contains(extent.segment)) continue;
    const Result<store::Record> octets = co_await reader_.read(extent);
    if (!octets && !is_damage(octets.error())) co_return std::unexpected(octets.error());
    if (!octets) {
      keep(message, segments);
      co_return Result<void>();
    }
    const Result<store::RecordRef> copied =
        co_await copy_record(store::record_type::content_extent, octets->payload());
    if (!copied) co_return std::unexpected(copied.error());
    extent = *copied;
  }
  const std::string payload = store::with_extents(record->payload(), extents);
  const Result<store::RecordRef> copied =
      co_await copy_record(store::record_type::moved_message, payload);
  if (!copied) co_return std::unexpected(copied.error());
  copied_.emplace(place_of(message), *copied);
  if (!extents.empty()) extents_[place_of(*copied)] = std::move(extents);
  co_return Result<void>();
}

// Emptying gives back more than it takes: it may go below what is kept free, or a disk that is full
// of dead mail would stay full.
Task<Result<store::RecordRef>> Compaction::copy_record(std::uint16_t type,
                                                       std::string_view payload) {
  Result<void> roomy = co_await mail_.room(payload.size(), deadline_in(room_wait_max));
  const auto is_full = [&roomy] { return !roomy && roomy.error().code == Errc::no_space; };
  if (is_full() && options_.reserve_octets > 0) {
    mail_.set_reserve(0);
    for (unsigned n = 0; n < reserve_tries && is_full() && !stopping_; ++n) {
      co_await sleep_for(Milliseconds(100));  // the next file is being made
      roomy = co_await mail_.room(payload.size(), deadline_in(room_wait_max));
    }
    mail_.set_reserve(options_.reserve_octets);
  }
  if (!roomy) co_return std::unexpected(roomy.error());
  const Result<store::RecordRef> record = mail_.append(type, payload);
  if (!record) co_return record;
  copies_.push_back(*record);
  co_await slow_down(record->octets);
  co_return record;
}

void Compaction::keep(const store::RecordRef& message, Segments& segments) {
  const auto keep_one = [&](std::uint32_t segment) {
    if (segments.erase(segment) > 0) kept_.insert(segment);
  };
  keep_one(message.segment);
  const auto extents = extents_.find(place_of(message));
  if (extents == extents_.end()) return;
  for (const store::RecordRef& extent : extents->second) keep_one(extent.segment);
}

void Compaction::release_copies() {
  for (const store::RecordRef& record : copies_) mail_.release(record);
  copies_.clear();
  copied_.clear();
}

Task<void> Compaction::wait_for_readers(const Segments& segments) {
  std::vector<std::uint64_t> generations;
  for (const CompactionPeer& peer : peers_) {
    store::Reader* reader = peer.reader;
    generations.push_back(
        co_await io::on_core(peer.core, [reader] { return reader->next_generation(); }));
  }
  for (const std::uint32_t segment : segments) emptied_.push_back({segment, generations});
}

Task<void> Compaction::free_emptied() {
  std::vector<Emptied> waiting = std::exchange(emptied_, {});
  for (Emptied& emptied : waiting) {
    bool is_read = false;
    for (std::size_t n = 0; n < peers_.size() && !is_read; ++n) {
      store::Reader* reader = peers_[n].reader;
      const std::uint64_t generation = emptied.generations[n];
      is_read = co_await io::on_core(
          peers_[n].core, [reader, generation] { return reader->has_uses_before(generation); });
    }
    if (is_read) {
      emptied_.push_back(std::move(emptied));
      continue;
    }
    std::erase_if(extents_, [&](const auto& known) {
      return static_cast<std::uint32_t>(known.first >> 32) == emptied.segment;
    });
    for (const CompactionPeer& peer : peers_) {
      const store::RecordRef any{
          .segment = emptied.segment, .shard = shard_.value, .stream = store::StreamKind::mail};
      store::Reader* reader = peer.reader;  // which would hold the disk's blocks
      co_await io::on_core(peer.core, [reader, any] { reader->forget(any); });
    }
    mail_.drop(emptied.segment);
    ++freed_;
  }
}

}  // namespace kurir::server
