#pragma once
// Compaction of one shard's mail stream, while everything goes on: segments of which much is dead
// are emptied, their live content copied to the stream's end, and given back. Core-local; mailboxes
// of every core may point at the content.
//
// What keeps a segment: a record of it that nothing durable points at yet (the log counts those as
// live), a queued message, a mailbox's entry, a content that is being read, or a session that was
// not told yet of an expunged message. The order: copies become durable; then the mailboxes'
// journals say where the content is; then nobody points at the old place, which is looked for anew;
// then those who read it leave; then the segment is freed. A crash in between leaves a copy that
// nobody points at, or a segment that is emptied already: both are found by the next look.
//
// A segment with a damaged record that somebody points at stays as it is.

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "kurir/base/ids.hh"
#include "kurir/base/limits.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/event.hh"
#include "kurir/coro/task.hh"
#include "kurir/mailbox/owner.hh"
#include "kurir/queue/queue.hh"
#include "kurir/store/log.hh"
#include "kurir/store/reader.hh"

namespace kurir::server {

struct CompactionOptions {
  unsigned dead_percent = 50;  // a segment of which more is dead is emptied
  std::uint64_t octets_a_second = 16 << 20;
  Nanoseconds interval = std::chrono::minutes(1);
  std::uint64_t round_octets = 64 << 20;  // of live content that one round copies, about
  std::uint64_t reserve_octets = 0;       // of the mail stream's log; emptying may use it
  std::uint64_t extents_from = limits::content_extent_octets;  // smaller content is one record
};

// A core whose mailboxes may point at the shard's content.
struct CompactionPeer {
  CoreIndex core;
  mailbox::Owner* owner;
  store::Reader* reader;
};

class Compaction {
 public:
  Compaction(CompactionOptions options, ShardIndex shard, store::Log& mail, queue::Queue& queue,
             store::Reader& reader, std::vector<CompactionPeer> peers)
      : options_(options),
        shard_(shard),
        mail_(mail),
        queue_(queue),
        reader_(reader),
        peers_(std::move(peers)) {}

  // A look every interval, until ask_to_stop().
  Task<void> run();
  void ask_to_stop();
  // One look, and all that comes of it but for what readers hold. Errors: the log's and the
  // journals'; what was not done is found again.
  Task<Result<void>> round();
  // Frees emptied segments that nobody reads any more.
  Task<void> free_emptied();

  std::uint64_t segments_freed() const { return freed_; }
  std::size_t segments_emptied() const { return emptied_.size(); }  // and not free yet

 private:
  using Segments = std::set<std::uint32_t>;
  // A content by its message record: segment and offset.
  using Place = std::uint64_t;
  struct Use {
    std::uint64_t place;
    std::uint32_t octets;
    bool is_large;
  };
  struct Pointer {
    AccountId account;
    MailboxId mailbox;
    Uid uid;
    store::RecordRef content;
    bool is_large = false;
  };
  static Place place_of(const store::RecordRef& ref) {
    return std::uint64_t{ref.segment} << 32 | ref.offset;
  }
  store::RecordRef ref_of(const Use& use) const;
  bool is_ours(const store::RecordRef& ref) const {
    return ref.shard == shard_.value && ref.stream == store::StreamKind::mail;
  }
  bool is_large(const mailbox::NewMessage& message) const {
    return message.size - message.prefix_octets >= options_.extents_from;
  }

  // compaction.cc: what to empty
  Task<bool> has_news();
  Task<Result<Segments>> choose();
  Task<std::vector<Use>> uses_of(const CompactionPeer& peer);
  Task<Result<void>> count(std::vector<Use> uses, std::map<std::uint32_t, std::uint64_t>& live);
  Task<Result<std::span<const store::RecordRef>>> extents_of(store::RecordRef message);

  // compaction_moves.cc: emptying
  Task<Result<void>> empty(Segments segments);
  Task<Result<bool>> pass(Segments& segments);
  Task<Result<std::vector<Pointer>>> pointers_into(const CompactionPeer& peer,
                                                   const Segments& segments);
  Task<Result<bool>> lies_in(const Pointer& pointer, const Segments& segments);
  Task<Result<void>> copy(store::RecordRef message, Segments& segments);
  Task<Result<store::RecordRef>> copy_record(std::uint16_t type, std::string_view payload);
  void keep(const store::RecordRef& message, Segments& segments);
  void release_copies();
  Task<void> slow_down(std::uint64_t octets);
  Task<void> wait_for_readers(const Segments& segments);

  const CompactionOptions options_;
  const ShardIndex shard_;
  store::Log& mail_;
  queue::Queue& queue_;
  store::Reader& reader_;
  const std::vector<CompactionPeer> peers_;

  std::unordered_map<Place, std::vector<store::RecordRef>> extents_;  // of large messages
  std::unordered_map<Place, store::RecordRef> copied_;                // in this round: where to
  std::vector<store::RecordRef> copies_;                              // records, pinned
  Segments kept_;                                                     // for a damaged record
  struct Emptied {
    std::uint32_t segment;
    std::vector<std::uint64_t> generations;  // by peer: readers from before are waited for
  };
  std::vector<Emptied> emptied_;
  std::uint64_t freed_ = 0, removals_seen_ = ~std::uint64_t{0}, octets_since_pause_ = 0;
  bool stopping_ = false, has_more_ = false;
  Signal wake_;
};

}  // namespace kurir::server
