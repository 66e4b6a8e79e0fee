#pragma once
// Entry: what the index knows of one message, one cache line. The owner core fills it before it is
// published (see version.hh) and afterwards changes flags, modseq and the content's place only; any
// core reads.

#include <atomic>
#include <cstdint>

#include "kurir/base/assert.hh"
#include "kurir/base/ids.hh"
#include "kurir/store/record_ref.hh"
#include "kurir/wire/imap_flags.hh"

namespace kurir::mailbox {

using wire::FlagWord;
namespace flag = wire::flag;

// A message about to be appended, and what a journal keeps of it.
struct NewMessage {
  Uid uid;  // of the appending owner's reservation
  FlagWord flags = 0;
  ModSeq modseq;
  std::int64_t internal_date = 0;  // seconds since 1970 UTC
  store::RecordRef content;
  QueueId origin;             // the accepted message that it was delivered from; 0: APPEND, COPY
  std::uint32_t size = 0;     // RFC822.SIZE: octets of prefix and content
  std::uint16_t ordinal = 0;  // which recipient of origin
  std::uint16_t prefix_octets = 0;

  friend bool operator==(const NewMessage&, const NewMessage&) = default;
};

class alignas(64) Entry {
 public:
  explicit Entry(const NewMessage& message);

  // Immutable once published.
  Uid uid() const { return uid_; }
  std::uint32_t size() const { return size_; }
  std::int64_t internal_date() const { return internal_date_; }
  QueueId origin() const { return origin_; }
  std::uint16_t ordinal() const { return ordinal_; }
  std::uint16_t prefix_octets() const { return prefix_octets_; }

  // A reader that wants both loads modseq first: the flags are then at least as new as it says, so
  // that a client is told of a change twice at worst, never not at all.
  ModSeq modseq() const { return ModSeq(modseq_.load(std::memory_order_acquire)); }
  FlagWord flags() const { return flags_.load(std::memory_order_acquire); }
  store::RecordRef content() const;

  // Owner core only.
  void set_flags(FlagWord flags, ModSeq modseq) {
    flags_.store(flags, std::memory_order_release);
    modseq_.store(modseq.value, std::memory_order_release);
  }
  // The content was copied, within its shard, to another segment or from the spool to the mail
  // stream.
  void move_content(store::RecordRef to);
  NewMessage describe() const;

 private:
  // Stream (2 bits), segment (30), offset (32) change together, when content is copied, hence one
  // word.
  static std::uint64_t place_of(store::RecordRef content);

  std::atomic<FlagWord> flags_;
  std::atomic<std::uint64_t> modseq_;
  std::atomic<std::uint64_t> place_;
  std::int64_t internal_date_;
  QueueId origin_;
  Uid uid_;
  std::uint32_t size_;
  std::uint32_t content_octets_;
  std::uint16_t content_shard_;
  std::uint16_t ordinal_;
  std::uint16_t prefix_octets_;
};
static_assert(sizeof(Entry) == 64);

}  // namespace kurir::mailbox
