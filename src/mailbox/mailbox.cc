#include "kurir/mailbox/mailbox.hh"

#include <algorithm>
#include <bit>
#include <memory>

#include "expunge.hh"
#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"

namespace kurir::mailbox {
namespace {

constexpr std::uint64_t modseq_max = (std::uint64_t{1} << 63) - 1;
const Keywords no_keywords;

// Only the owner writes these, so that no read-modify-write is needed.
template <class T>
void add(std::atomic<T>& counter, T number) {
  counter.store(counter.load(std::memory_order_relaxed) + number, std::memory_order_relaxed);
}
template <class T>
void subtract(std::atomic<T>& counter, T number) {
  const T before = counter.load(std::memory_order_relaxed);
  KURIR_ASSERT(before >= number);
  counter.store(before - number, std::memory_order_relaxed);
}

std::uint32_t bit(FlagWord flags, FlagWord flag) { return (flags & flag) != 0 ? 1 : 0; }

}  // namespace

std::optional<std::size_t> Keywords::find(std::string_view name) const {
  for (std::size_t index = 0; index < names.size(); ++index)
    if (wire::same_keyword(names[index], name)) return index;
  return std::nullopt;
}

Mailbox::~Mailbox() {
  Shared<const Version>::drop(current_.load(std::memory_order_relaxed));
  delete keywords_.load(std::memory_order_relaxed);
}

Shared<const Version> Mailbox::pin() const {
  // The turn keeps the version until its count is up: it is retired by quiescence only.
  const Version* version = current_.load(std::memory_order_acquire);
  return version == nullptr ? Shared<const Version>() : Shared<const Version>::share(*version);
}

const Keywords& Mailbox::keywords() const {
  const Keywords* keywords = keywords_.load(std::memory_order_acquire);
  return keywords == nullptr ? no_keywords : *keywords;
}

Result<Uid> Mailbox::reserve_uids(std::uint32_t count) {
  // The greatest uid stays free, so that uid_next is a uid too (RFC 9051 2.3.1.1).
  if (uid_reserved_ + count > ~std::uint32_t{0}) return fail(Errc::exhausted, Origin::mailbox);
  const Uid first(static_cast<std::uint32_t>(uid_reserved_));
  uid_reserved_ += count;
  return first;
}

ModSeq Mailbox::reserve_modseq() {
  KURIR_ASSERT(modseq_reserved_ < modseq_max);
  return ModSeq(++modseq_reserved_);
}

void Mailbox::append(std::span<const NewMessage> messages, RetireQueue& retired) {
  ModSeq highest = highest_modseq();
  for (const NewMessage& message : messages) highest = std::max(highest, message.modseq);
  while (!messages.empty()) {
    std::uint32_t done = fill_tail(messages);
    if (done == 0) done = add_chunk(messages, retired);
    messages = messages.subspan(done);
  }
  raise_modseq(highest);
}

std::uint32_t Mailbox::fill_tail(std::span<const NewMessage> messages) {
  const Version* version = current_.load(std::memory_order_relaxed);
  if (version == nullptr) return 0;
  Chunk& chunk = *version->rows().back().chunk;
  const std::uint32_t from = version->tail_fill();
  const auto count =
      static_cast<std::uint32_t>(std::min<std::size_t>(messages.size(), chunk.capacity() - from));
  if (count == 0) return 0;
  for (std::uint32_t n = 0; n < count; ++n) fill(chunk, from + n, messages[n]);
  // The owner made the version; readers never write its count.
  const_cast<Version*>(version)->publish_tail_fill(from + count);
  return count;
}

std::uint32_t Mailbox::add_chunk(std::span<const NewMessage> messages, RetireQueue& retired) {
  const Snapshot now = snapshot();
  const std::size_t wanted = std::max<std::size_t>(messages.size(), now.messages());
  const auto capacity = static_cast<std::uint32_t>(std::bit_ceil(
      std::clamp(wanted, limits::mailbox_chunk_entries_min, limits::mailbox_chunk_entries_max)));
  const Shared<Chunk> chunk = Shared<Chunk>::adopt(Chunk::create(capacity));
  const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(messages.size(), capacity));
  std::vector<Row> rows(now.rows().begin(), now.rows().end());
  rows.push_back({.chunk = chunk.get(),
                  .expunged = nullptr,
                  .live_before = now.messages(),
                  .uid_first = messages.front().uid.value});
  for (std::uint32_t n = 0; n < count; ++n) fill(*chunk, n, messages[n]);
  publish(Version::create(rows, count), retired);
  return count;
}

void Mailbox::fill(Chunk& chunk, std::uint32_t position, const NewMessage& message) {
  KURIR_ASSERT(message.uid >= uid_next());
  KURIR_ASSERT(message.uid.value != ~std::uint32_t{0});
  chunk.fill(position, message);
  count_flags(chunk, message.uid, flag::seen, message.flags);
  add(octets_, std::uint64_t{message.size});
  uid_next_.store(message.uid.value + 1, std::memory_order_release);
  uid_reserved_ = std::max<std::uint64_t>(uid_reserved_, message.uid.value + std::uint64_t{1});
}

// Moves the counters from one state of a live entry to another.
void Mailbox::count_flags(Chunk& chunk, Uid uid, FlagWord before, FlagWord after) {
  if (bit(before, flag::deleted) != bit(after, flag::deleted)) {
    if (bit(after, flag::deleted) != 0)
      add(deleted_, 1u);
    else
      subtract(deleted_, 1u);
  }
  if (bit(before, flag::seen) == bit(after, flag::seen)) return;
  if (bit(after, flag::seen) != 0) {
    subtract(unseen_, 1u);
    --chunk.unseen;
    return;
  }
  add(unseen_, 1u);
  ++chunk.unseen;
  const Uid first = first_unseen();
  if (first == Uid(0) || uid < first) first_unseen_.store(uid.value, std::memory_order_relaxed);
}

FlagsOutcome Mailbox::change_flags(std::span<const NumberRange> uids, FlagsEdit edit, ModSeq modseq,
                                   ModSeq unchanged_since) {
  FlagsOutcome outcome;
  const Snapshot now = snapshot();
  for (const NumberRange& range : uids) {
    now.walk_uids(range, [&](const Located& at) {
      Entry& entry = at.chunk->entry(at.position);
      if (entry.modseq() > unchanged_since) {
        outcome.modified.push_back(entry.uid());
        return;
      }
      const FlagWord before = entry.flags();
      const FlagWord after = edit.of(before);
      if (before == after) return;
      entry.set_flags(after, modseq);
      at.chunk->raise_modseq(modseq);
      count_flags(*at.chunk, entry.uid(), before, after);
      ++outcome.changed;
    });
  }
  const Uid first = first_unseen();
  if (first != Uid(0)) find_first_unseen(first);
  if (outcome.changed != 0) raise_modseq(modseq);
  return outcome;
}

Removed Mailbox::expunge(std::span<const NumberRange> uids, ModSeq modseq, RetireQueue& retired) {
  Removed removed;
  const Snapshot now = snapshot();
  ExpungePlan plan(now);
  for (const NumberRange& range : uids) {
    now.walk_uids(range, [&](const Located& at) {
      plan.expunge(at);
      uncount(*at.chunk, at.entry());
      ++removed.messages;
      removed.octets += at.entry().size();
    });
  }
  if (removed.messages == 0) return removed;
  publish(plan.make_version(), retired);
  const Uid first = first_unseen();
  if (first != Uid(0)) find_first_unseen(first);
  raise_modseq(modseq);
  return removed;
}

void Mailbox::uncount(Chunk& chunk, const Entry& entry) {
  count_flags(chunk, entry.uid(), entry.flags(), flag::seen);
  subtract(octets_, std::uint64_t{entry.size()});
}

// None below from is unseen. Whole chunks are passed by their count.
void Mailbox::find_first_unseen(Uid from) {
  const Snapshot now = snapshot();
  if (unseen() == 0) return first_unseen_.store(0, std::memory_order_relaxed);
  Located at = now.by_sequence(now.live_below(from.value) + 1);
  while (at) {
    const Row& row = now.rows()[at.row];
    if (row.chunk->unseen == 0) {
      const std::uint32_t live = now.fill(at.row) - row.expunged_count();
      at = now.by_sequence(row.live_before + live + 1);
      continue;
    }
    if (bit(at.entry().flags(), flag::seen) == 0) break;
    at = now.after(at);
  }
  KURIR_ASSERT(static_cast<bool>(at));
  first_unseen_.store(at.entry().uid().value, std::memory_order_relaxed);
}

void Mailbox::add_keyword(std::string name, RetireQueue& retired) {
  const Keywords* before = keywords_.load(std::memory_order_relaxed);
  auto after = std::make_unique<Keywords>(keywords());
  KURIR_ASSERT(after->names.size() < limits::imap_keywords_max);
  KURIR_ASSERT(!after->find(name));
  after->names.push_back(std::move(name));
  keywords_.store(after.release(), std::memory_order_release);
  retired.retire(std::unique_ptr<const Keywords>(before));
}

void Mailbox::move_content(Uid uid, store::RecordRef to) {
  const Located at = snapshot().by_uid(uid);
  if (at) at.chunk->entry(at.position).move_content(to);
}

void Mailbox::restore(Uid uid_next, ModSeq highest_modseq) {
  KURIR_ASSERT(uid_next >= this->uid_next());
  uid_next_.store(uid_next.value, std::memory_order_release);
  uid_reserved_ = std::max<std::uint64_t>(uid_reserved_, uid_next.value);
  raise_modseq(highest_modseq);
}

void Mailbox::publish(Version* version, RetireQueue& retired) {
  const Version* before = current_.load(std::memory_order_relaxed);
  current_.store(version, std::memory_order_release);
  if (before == nullptr) return;
  retired.retire(const_cast<Version*>(before),
                 [](void* it) { Shared<const Version>::drop(static_cast<const Version*>(it)); });
}

void Mailbox::raise_modseq(ModSeq modseq) {
  if (modseq <= highest_modseq()) return;
  highest_modseq_.store(modseq.value, std::memory_order_release);
  modseq_reserved_ = std::max(modseq_reserved_, modseq.value);
}

}  // namespace kurir::mailbox
