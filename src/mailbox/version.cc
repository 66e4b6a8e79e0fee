#include "kurir/mailbox/version.hh"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>

namespace kurir::mailbox {
namespace {

std::uint32_t words_for(std::uint32_t capacity) { return (capacity + 63) / 64; }

// The first position in [0, fill) whose uid is not below uid; fill if there is none.
std::uint32_t lower_bound(Chunk& chunk, std::uint32_t uid_first, std::uint32_t fill,
                          std::uint64_t uid) {
  if (uid <= uid_first) return 0;
  // Uids are most often consecutive.
  const std::uint64_t guess = uid - uid_first;
  if (guess < fill && chunk.entry(static_cast<std::uint32_t>(guess)).uid().value == uid)
    return static_cast<std::uint32_t>(guess);
  std::uint32_t below = 0;
  std::uint32_t end = fill;
  while (below < end) {
    const std::uint32_t middle = below + (end - below) / 2;
    if (chunk.entry(middle).uid().value < uid) {
      below = middle + 1;
    } else {
      end = middle;
    }
  }
  return below;
}

}  // namespace

Chunk* Chunk::create(std::uint32_t capacity) {
  KURIR_ASSERT(capacity > 0);
  void* memory = ::operator new(sizeof(Chunk) + capacity * sizeof(Entry), std::align_val_t{64});
  return new (memory) Chunk(capacity);
}

void Chunk::fill(std::uint32_t position, const NewMessage& message) {
  KURIR_ASSERT(position < capacity_);
  new (&reinterpret_cast<Entry*>(this + 1)[position]) Entry(message);
  if (message.modseq > modseq_max()) raise_modseq(message.modseq);
}

ExpungedBits* ExpungedBits::create(std::uint32_t capacity) {
  const std::uint32_t words = words_for(capacity);
  void* memory = ::operator new(sizeof(ExpungedBits) + words * sizeof(std::uint64_t));
  auto* bits = new (memory) ExpungedBits(words);
  std::memset(bits->begin(), 0, words * sizeof(std::uint64_t));
  return bits;
}

ExpungedBits* ExpungedBits::copy_of(const ExpungedBits& other) {
  ExpungedBits* bits = create(other.words_ * 64);
  std::memcpy(bits->begin(), other.begin(), other.words_ * sizeof(std::uint64_t));
  bits->count_ = other.count_;
  return bits;
}

void ExpungedBits::set(std::uint32_t position) {
  KURIR_ASSERT(position / 64 < words_);
  KURIR_ASSERT(!test(position));
  begin()[position / 64] |= std::uint64_t{1} << position % 64;
  ++count_;
}

std::uint32_t ExpungedBits::count_below(std::uint32_t position) const {
  std::uint32_t count = 0;
  for (std::uint32_t word = 0; word < position / 64; ++word)
    count += static_cast<std::uint32_t>(std::popcount(begin()[word]));
  const std::uint64_t below = (std::uint64_t{1} << position % 64) - 1;
  if (below != 0)
    count += static_cast<std::uint32_t>(std::popcount(begin()[position / 64] & below));
  return count;
}

std::uint32_t ExpungedBits::live_at(std::uint32_t rank) const {
  for (std::uint32_t word = 0;; ++word) {
    KURIR_ASSERT(word < words_);
    std::uint64_t live = ~begin()[word];
    const auto here = static_cast<std::uint32_t>(std::popcount(live));
    if (rank >= here) {
      rank -= here;
      continue;
    }
    for (; rank > 0; --rank) live &= live - 1;
    return word * 64 + static_cast<std::uint32_t>(std::countr_zero(live));
  }
}

Version* Version::create(std::span<const Row> rows, std::uint32_t tail_fill) {
  KURIR_ASSERT(!rows.empty());
  KURIR_ASSERT(tail_fill > 0 && tail_fill <= rows.back().chunk->capacity());
  void* memory = ::operator new(sizeof(Version) + rows.size_bytes());
  auto* version = new (memory) Version(static_cast<std::uint32_t>(rows.size()), tail_fill);
  std::uninitialized_copy(rows.begin(), rows.end(), reinterpret_cast<Row*>(version + 1));
  for (const Row& row : rows) {
    row.chunk->add_reference();
    if (row.expunged != nullptr) row.expunged->add_reference();
  }
  return version;
}

Version::~Version() {
  for (const Row& row : rows()) {
    Shared<Chunk>::drop(row.chunk);
    Shared<const ExpungedBits>::drop(row.expunged);
  }
}

Snapshot::Snapshot(const Version* version) : version_(version) {
  if (version == nullptr) return;
  tail_fill_ = version->tail_fill();
  const Row& last = rows().back();
  messages_ = last.live_before + tail_fill_ - last.expunged_count();
}

std::uint32_t Snapshot::uid_last() const {
  return version_ == nullptr ? 0 : rows().back().chunk->entry(tail_fill_ - 1).uid().value;
}

Located Snapshot::by_sequence(std::uint32_t sequence) const {
  if (sequence == 0 || sequence > messages_) return {};
  // The last row with fewer live entries before it; the rows behind it begin at sequence or later.
  const auto next = std::ranges::partition_point(
      rows(), [&](const Row& row) { return row.live_before < sequence; });
  const auto index = static_cast<std::uint32_t>(next - rows().begin() - 1);
  const Row& row = rows()[index];
  const std::uint32_t rank = sequence - row.live_before - 1;
  const std::uint32_t position = row.expunged == nullptr ? rank : row.expunged->live_at(rank);
  return {.sequence = sequence, .row = index, .position = position, .chunk = row.chunk};
}

std::uint32_t Snapshot::live_below(std::uint64_t uid) const {
  const auto next =
      std::ranges::partition_point(rows(), [&](const Row& row) { return row.uid_first < uid; });
  if (next == rows().begin()) return 0;
  const auto index = static_cast<std::size_t>(next - rows().begin() - 1);
  const Row& row = rows()[index];
  const std::uint32_t position = lower_bound(*row.chunk, row.uid_first, fill(index), uid);
  const std::uint32_t gone = row.expunged == nullptr ? 0 : row.expunged->count_below(position);
  return row.live_before + position - gone;
}

Located Snapshot::by_uid(Uid uid) const {
  const Located at = by_sequence(live_below(uid.value) + 1);
  return at && at.entry().uid() == uid ? at : Located{};
}

NumberRange Snapshot::sequences_of(NumberRange uids) const {
  const NumberRange sequences{live_below(uids.first) + 1, live_below(std::uint64_t{uids.last} + 1)};
  return sequences.first <= sequences.last ? sequences : NumberRange{1, 0};
}

Located Snapshot::after(Located at) const {
  if (at.sequence >= messages_) return {};
  ++at.sequence;
  ++at.position;
  for (;;) {
    const Row& row = rows()[at.row];
    const std::uint32_t end = fill(at.row);
    while (at.position < end && !row.live(at.position)) ++at.position;
    if (at.position < end) return at;
    ++at.row;
    at.position = 0;
    at.chunk = rows()[at.row].chunk;
  }
}

}  // namespace kurir::mailbox
