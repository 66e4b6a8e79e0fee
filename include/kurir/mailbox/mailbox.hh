#pragma once
// Mailbox: one folder's messages in memory. Its owner core alone writes, and only what the journal
// has already; any core reads, without waiting. What a reader gets by reference here is good until
// its turn ends; a View (view.hh) pins.
//
// Happens-before: each change stores its entries, then the version or its count, then
// highest_modseq, all with release. A reader that loads highest_modseq first (acquire) finds every
// change up to it.

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/ids.hh"
#include "kurir/base/quiescence.hh"
#include "kurir/base/result.hh"
#include "kurir/base/shared.hh"
#include "kurir/mailbox/entry.hh"
#include "kurir/mailbox/range.hh"
#include "kurir/mailbox/version.hh"

namespace kurir::mailbox {

// The keywords of one mailbox, in the order of their bits; immutable. Names compare without regard
// to ASCII case.
struct Keywords {
  std::vector<std::string> names;

  std::optional<std::size_t> find(std::string_view name) const;
};
constexpr FlagWord keyword_bit(std::size_t index) {
  return FlagWord{1} << (flag::keyword_bit_first + index);
}

// new flags = (flags without remove) with add. FLAGS (replace) removes all.
struct FlagsEdit {
  FlagWord add = 0;
  FlagWord remove = 0;

  static FlagsEdit replace(FlagWord flags) { return {.add = flags, .remove = ~FlagWord{0}}; }
  FlagWord of(FlagWord flags) const { return (flags & ~remove) | add; }
  friend bool operator==(const FlagsEdit&, const FlagsEdit&) = default;
};

struct FlagsOutcome {
  std::uint32_t changed =
      0;  // entries that have the new modseq; where nothing changes, nothing is stored
  std::vector<Uid>
      modified;  // left alone: their modseq was beyond unchanged_since (RFC 7162 3.1.3)
};

struct Removed {
  std::uint32_t messages = 0;
  std::uint64_t octets = 0;
};

inline constexpr ModSeq any_modseq{~std::uint64_t{0}};

class Mailbox : public Counted {
 public:
  Mailbox(MailboxId id, UidValidity validity) : id_(id), validity_(validity) {}
  ~Mailbox();

  MailboxId id() const { return id_; }
  UidValidity uid_validity() const { return validity_; }

  // Any core. Each number is right by itself; a View gives numbers that agree.
  Snapshot snapshot() const {
    return Snapshot(current_.load(std::memory_order_acquire));
  }  // for this turn
  Shared<const Version> pin() const;
  std::uint32_t messages() const { return snapshot().messages(); }
  ModSeq highest_modseq() const { return ModSeq(highest_modseq_.load(std::memory_order_acquire)); }
  Uid uid_next() const { return Uid(uid_next_.load(std::memory_order_acquire)); }
  std::uint32_t unseen() const { return unseen_.load(std::memory_order_relaxed); }
  std::uint32_t deleted() const {
    return deleted_.load(std::memory_order_relaxed);
  }  // with \Deleted (RFC 9051 STATUS)
  std::uint64_t octets() const { return octets_.load(std::memory_order_relaxed); }
  Uid first_unseen() const {
    return Uid(first_unseen_.load(std::memory_order_relaxed));
  }  // 0: none
  const Keywords& keywords() const;  // for this turn
  bool closed() const {
    return closed_.load(std::memory_order_acquire);
  }  // deleted: sessions leave it
  // What claim_recent() would give, left to whoever claims it: EXAMINE, STATUS.
  Uid recent_from() const { return Uid(recent_from_.load(std::memory_order_relaxed)); }
  // \Recent is told to one session: the uids from the result on are new to the caller (RFC
  // 3501 2.3.2). In memory only.
  Uid claim_recent() {
    return Uid(recent_from_.exchange(uid_next().value, std::memory_order_relaxed));
  }

  // Owner core only: numbers for a change that is about to be journaled. They are not given twice;
  // a change that fails leaves a gap. Changes are applied in the order of their modseqs.
  Result<Uid> reserve_uids(std::uint32_t count);  // the first of count; exhausted when uids run out
  ModSeq reserve_modseq();

  // Owner core only: the changes, after the journal has them. Return what changed, for quota and
  // for the session.
  void append(std::span<const NewMessage> messages,
              RetireQueue& retired);  // uids rising, from uid_next() on
  FlagsOutcome change_flags(std::span<const NumberRange> uids, FlagsEdit edit, ModSeq modseq,
                            ModSeq unchanged_since);
  Removed expunge(std::span<const NumberRange> uids, ModSeq modseq, RetireQueue& retired);
  // The keyword takes the next bit; there are fewer than limits::imap_keywords_max and none of that
  // name.
  void add_keyword(std::string name, RetireQueue& retired);
  void move_content(Uid uid, store::RecordRef to);  // an expunged or unknown uid is passed over
  void restore(Uid uid_next,
               ModSeq highest_modseq);  // a checkpoint's, which entries alone do not tell
  void close() { closed_.store(true, std::memory_order_release); }

 private:
  std::uint32_t fill_tail(std::span<const NewMessage> messages);
  std::uint32_t add_chunk(std::span<const NewMessage> messages, RetireQueue& retired);
  void fill(Chunk& chunk, std::uint32_t position, const NewMessage& message);
  void count_flags(Chunk& chunk, Uid uid, FlagWord before, FlagWord after);
  void uncount(Chunk& chunk, const Entry& entry);
  void find_first_unseen(Uid from);
  void publish(Version* version, RetireQueue& retired);
  void raise_modseq(ModSeq modseq);

  const MailboxId id_;
  const UidValidity validity_;
  std::atomic<std::uint32_t> uid_next_{1};
  std::atomic<const Version*> current_{
      nullptr};  // nullptr: no entries; most mailboxes cost just this
  std::atomic<const Keywords*> keywords_{nullptr};
  std::atomic<std::uint64_t> highest_modseq_{
      1};  // RFC 7162 3.1: never 0 for a mailbox that supports it
  std::atomic<std::uint64_t> octets_{0};
  std::atomic<std::uint32_t> unseen_{0};
  std::atomic<std::uint32_t> deleted_{0};
  std::atomic<std::uint32_t> first_unseen_{0};
  std::atomic<std::uint32_t> recent_from_{1};
  std::atomic<bool> closed_{false};
  std::uint64_t uid_reserved_ = 1;  // the owner's: the next to give
  std::uint64_t modseq_reserved_ = 1;
};

}  // namespace kurir::mailbox
