#pragma once
// The index of one mailbox as its readers see it. Entries live in chunks that are filled once, in
// uid order, and never move. A Version is an immutable table of chunks with what is expunged in
// each; only the count of entries in its last chunk grows. Appending into room that is there
// changes that count; anything else makes a new version.
//
// Happens-before: the owner fills an entry, then stores tail_fill with release; a reader loads
// tail_fill with acquire and looks at no entry beyond it. A version is complete before its pointer
// is stored with release (mailbox.hh). Versions, chunks and bitmaps are counted: a version holds
// its chunks and bitmaps, a session's pin holds its version.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

#include "kurir/base/assert.hh"
#include "kurir/base/shared.hh"
#include "kurir/mailbox/entry.hh"
#include "kurir/mailbox/range.hh"

namespace kurir::mailbox {

// One header line, then the entries. Any core reads published entries; the owner core writes.
class alignas(64) Chunk : public Counted {
 public:
  static Chunk* create(std::uint32_t capacity);
  static void operator delete(void* chunk) { ::operator delete(chunk, std::align_val_t{64}); }

  std::uint32_t capacity() const { return capacity_; }
  Entry& entry(std::uint32_t position) {
    KURIR_ASSERT(position < capacity_);
    return reinterpret_cast<Entry*>(this + 1)[position];
  }
  // At least the modseq of every entry: a reader skips the chunk when it knows all up to there.
  ModSeq modseq_max() const { return ModSeq(modseq_max_.load(std::memory_order_acquire)); }

  // Owner core only.
  void fill(std::uint32_t position, const NewMessage& message);
  void raise_modseq(ModSeq modseq) { modseq_max_.store(modseq.value, std::memory_order_release); }
  std::uint32_t unseen = 0;  // live entries without \Seen; the owner's, not for readers

 private:
  explicit Chunk(std::uint32_t capacity) : capacity_(capacity) {}

  std::uint32_t capacity_;
  std::atomic<std::uint64_t> modseq_max_{0};
};
static_assert(sizeof(Chunk) == 64);

// Which entries of a chunk are expunged. Immutable once in a version.
class ExpungedBits : public Counted {
 public:
  static ExpungedBits* create(std::uint32_t capacity);
  static ExpungedBits* copy_of(const ExpungedBits& other);
  static void operator delete(void* bits) { ::operator delete(bits); }

  std::uint32_t count() const { return count_; }
  bool test(std::uint32_t position) const {
    return (words()[position / 64] >> position % 64 & 1) != 0;
  }
  std::uint32_t count_below(std::uint32_t position) const;
  // The position of the live entry that has rank live ones before it.
  std::uint32_t live_at(std::uint32_t rank) const;
  std::span<const std::uint64_t> words() const { return {begin(), words_}; }

  void set(std::uint32_t position);  // before it is in a version; not set yet

 private:
  explicit ExpungedBits(std::uint32_t words) : words_(words) {}
  std::uint64_t* begin() { return reinterpret_cast<std::uint64_t*>(this + 1); }
  const std::uint64_t* begin() const { return reinterpret_cast<const std::uint64_t*>(this + 1); }

  std::uint32_t words_;
  std::uint32_t count_ = 0;
  std::uint32_t reserved_ = 0;
};
static_assert(sizeof(ExpungedBits) % alignof(std::uint64_t) == 0);

// A chunk in a version's table. Every chunk but the last is full.
struct Row {
  Chunk* chunk;
  const ExpungedBits* expunged;  // nullptr: none
  std::uint32_t live_before;     // live entries in the rows before
  std::uint32_t uid_first;       // of the chunk, expunged or not

  std::uint32_t expunged_count() const { return expunged == nullptr ? 0 : expunged->count(); }
  bool live(std::uint32_t position) const {
    return expunged == nullptr || !expunged->test(position);
  }
};

class Version : public Counted {
 public:
  // At least one row; takes a reference on each chunk and bitmap. tail_fill entries of the last
  // chunk are filled.
  static Version* create(std::span<const Row> rows, std::uint32_t tail_fill);
  static void operator delete(void* version) { ::operator delete(version); }
  ~Version();

  std::span<const Row> rows() const { return {reinterpret_cast<const Row*>(this + 1), rows_}; }
  std::uint32_t tail_fill() const { return tail_fill_.load(std::memory_order_acquire); }
  void publish_tail_fill(std::uint32_t fill) {
    tail_fill_.store(fill, std::memory_order_release);
  }  // owner core

 private:
  Version(std::uint32_t rows, std::uint32_t tail_fill) : rows_(rows), tail_fill_(tail_fill) {}

  std::uint32_t rows_;
  std::atomic<std::uint32_t> tail_fill_;
  std::uint32_t reserved_ = 0;
};
static_assert(sizeof(Version) % alignof(Row) == 0);

// An entry and its place in one snapshot; false: no such entry.
struct Located {
  std::uint32_t sequence = 0;  // 1-based
  std::uint32_t row = 0;
  std::uint32_t position = 0;
  Chunk* chunk = nullptr;

  explicit operator bool() const { return chunk != nullptr; }
  const Entry& entry() const {
    KURIR_ASSERT(chunk != nullptr);
    return chunk->entry(position);
  }
};

// A version as it was when the snapshot was taken: fixed count, fixed sequence numbers. Holds
// nothing: somebody else's pin, or the current turn, keeps the version. Any core.
class Snapshot {
 public:
  Snapshot() = default;  // of an empty mailbox
  explicit Snapshot(const Version* version);

  std::span<const Row> rows() const {
    return version_ == nullptr ? std::span<const Row>{} : version_->rows();
  }
  std::uint32_t fill(std::size_t row) const {
    return row + 1 == rows().size() ? tail_fill_ : rows()[row].chunk->capacity();
  }
  std::uint32_t messages() const { return messages_; }
  std::uint32_t uid_last() const;  // of the newest entry, expunged or not; 0: empty table

  Located by_sequence(std::uint32_t sequence) const;  // O(log n)
  Located by_uid(Uid uid) const;                      // O(log n)
  // How many live entries have a smaller uid.
  std::uint32_t live_below(std::uint64_t uid) const;
  // The sequence numbers of the live entries within a range of uids; {1, 0} if there are none.
  NumberRange sequences_of(NumberRange uids) const;
  // The next live entry; false behind the last.
  Located after(Located at) const;

  // Calls f(const Located&) for each live entry from sequence number first to last, which may
  // exceed messages().
  template <class F>
  void walk(NumberRange sequences, F&& f) const {
    for (Located at = by_sequence(sequences.first); at && at.sequence <= sequences.last;
         at = after(at))
      f(at);
  }
  template <class F>
  void walk_uids(NumberRange uids, F&& f) const {
    walk(sequences_of(uids), f);
  }
  // Live entries with a greater modseq, in uid order; skips chunks that have none.
  template <class F>
  void walk_changed_since(ModSeq modseq, F&& f) const {
    for (std::uint32_t row = 0; row < rows().size(); ++row)
      if (rows()[row].chunk->modseq_max() > modseq) walk_changed_in(row, modseq, f);
  }

 private:
  template <class F>
  void walk_changed_in(std::uint32_t row, ModSeq modseq, F& f) const {
    const std::uint32_t live = fill(row) - rows()[row].expunged_count();
    if (live == 0) return;
    const std::uint32_t first = rows()[row].live_before + 1;
    walk({first, first + live - 1}, [&](const Located& at) {
      if (at.entry().modseq() > modseq) f(at);
    });
  }

  const Version* version_ = nullptr;
  std::uint32_t tail_fill_ = 0;
  std::uint32_t messages_ = 0;
};

}  // namespace kurir::mailbox
