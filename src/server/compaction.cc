// What to empty: how much of each segment somebody points at, and when to look.

#include "kurir/server/compaction.hh"

#include <algorithm>

#include "kurir/io/clock.hh"
#include "kurir/io/mesh.hh"
#include "kurir/store/message_record.hh"

namespace kurir::server {
namespace {

constexpr std::size_t head_octets = 4096, head_growth = 16;
constexpr Nanoseconds emptied_interval = Seconds(1);  // between two looks at who reads still

}  // namespace

Task<void> Compaction::run() {
  Instant next_look = io::now() + options_.interval;
  while (!stopping_) {
    const Instant next =
        emptied_.empty() ? next_look : std::min(next_look, io::now() + emptied_interval);
    co_await wake_.wait(next);
    if (stopping_) co_return;
    co_await free_emptied();
    if (io::now() < next_look) continue;
    // A disk that fails has been told of by whoever failed on it: the next look tries again.
    static_cast<void>(co_await round());
    next_look = io::now() + options_.interval;
  }
}

void Compaction::ask_to_stop() {
  stopping_ = true;
  wake_.notify_all();
}

Task<Result<void>> Compaction::round() {
  const bool has_news_now = co_await has_news();
  if (!has_news_now) co_return Result<void>();
  Result<Segments> segments = co_await choose();
  if (!segments) has_more_ = true;
  if (!segments) co_return std::unexpected(segments.error());
  if (segments->empty() || stopping_) co_return Result<void>();
  const Result<void> emptied = co_await empty(std::move(*segments));
  has_more_ = true;  // there may be more than one round does; after a failure, what it was at
  co_await free_emptied();
  co_return emptied;
}

// Content comes to nobody only where something is removed; and what a crash left is looked for
// once.
Task<bool> Compaction::has_news() {
  std::uint64_t removals = 0;
  for (const CompactionPeer& peer : peers_) {
    mailbox::Owner* owner = peer.owner;
    removals += co_await io::on_core(peer.core, [owner] { return owner->removals(); });
  }
  const bool has_news = removals != removals_seen_ || has_more_;
  removals_seen_ = removals;
  has_more_ = false;
  co_return has_news;
}

Task<Result<Compaction::Segments>> Compaction::choose() {
  std::map<std::uint32_t, std::uint64_t> whole, live;
  Segments closed;
  for (const store::Log::SegmentUse& use : mail_.segment_use()) {
    if (use.live_records > 0 || kept_.contains(use.segment)) continue;
    const auto is_it = [&](const Emptied& emptied) { return emptied.segment == use.segment; };
    if (std::ranges::any_of(emptied_, is_it)) continue;
    whole[use.segment] = use.octets - std::min<std::uint64_t>(use.octets, store::block_octets);
    closed.insert(use.segment);
  }
  co_await queue_.leave_unqueued(closed);
  if (closed.empty()) co_return Segments();
  std::vector<Use> uses;
  for (const CompactionPeer& peer : peers_) {
    const std::vector<Use> some = co_await uses_of(peer);
    uses.insert(uses.end(), some.begin(), some.end());
  }
  const Result<void> counted = co_await count(std::move(uses), live);
  if (!counted) co_return std::unexpected(counted.error());
  Segments chosen;
  std::uint64_t octets = 0;
  for (const std::uint32_t segment : closed) {
    const std::uint64_t left = live[segment];
    const bool is_dead = left == 0 || left * 100 < whole[segment] * (100 - options_.dead_percent);
    if (!is_dead || (octets > 0 && octets + left > options_.round_octets)) continue;
    octets += left;
    chosen.insert(segment);
  }
  co_return chosen;
}

// On the peer's core; sixteen octets a message, until they are counted.
Task<std::vector<Compaction::Use>> Compaction::uses_of(const CompactionPeer& peer) {
  std::vector<Use> uses;
  mailbox::Owner* owner = peer.owner;
  const mailbox::Owner::SeeContent see = [&](AccountId, MailboxId,
                                             const mailbox::NewMessage& message) {
    if (is_ours(message.content))
      uses.push_back({place_of(message.content), message.content.octets, is_large(message)});
  };
  co_await io::on_core(peer.core, [owner, see] { return owner->walk_contents(see); });
  co_return uses;
}

store::RecordRef Compaction::ref_of(const Use& use) const {
  return {.segment = static_cast<std::uint32_t>(use.place >> 32),
          .offset = static_cast<std::uint32_t>(use.place),
          .octets = use.octets,
          .shard = shard_.value,
          .stream = store::StreamKind::mail};
}

// Several recipients have one content: it counts once.
Task<Result<void>> Compaction::count(std::vector<Use> uses,
                                     std::map<std::uint32_t, std::uint64_t>& live) {
  std::ranges::sort(uses, {}, &Use::place);
  const auto same = std::ranges::unique(uses, {}, &Use::place);
  uses.erase(same.begin(), same.end());
  for (const Use& use : uses) {
    live[static_cast<std::uint32_t>(use.place >> 32)] += store::padded(use.octets);
    if (!use.is_large) continue;
    const auto extents = co_await extents_of(ref_of(use));
    if (!extents) co_return std::unexpected(extents.error());
    for (const store::RecordRef& extent : *extents)
      live[extent.segment] += store::padded(extent.octets);
  }
  co_return Result<void>();
}

// Looked for once in a run, at the record's begin. Where that is damaged nobody can read them.
Task<Result<std::span<const store::RecordRef>>> Compaction::extents_of(store::RecordRef message) {
  const auto known = extents_.find(place_of(message));
  if (known != extents_.end()) co_return std::span<const store::RecordRef>(known->second);
  std::optional<std::vector<store::RecordRef>> extents;
  for (std::size_t octets = head_octets; !extents; octets *= head_growth) {
    std::string head(std::min<std::size_t>(octets, message.octets), '\0');
    const Result<std::size_t> count = co_await reader_.read_range(message, 0, head);
    const bool is_damage =
        !count && (count.error().code == Errc::corrupt || count.error().code == Errc::not_found);
    if (!count && !is_damage) co_return std::unexpected(count.error());
    if (count) extents = store::extents_in(std::string_view(head).substr(0, *count));
    if (!extents && (is_damage || octets >= message.octets)) extents.emplace();
    co_await slow_down(head.size());
  }
  const auto place = extents_.insert_or_assign(place_of(message), *std::move(extents)).first;
  co_return std::span<const store::RecordRef>(place->second);
}

// Copying leaves the disk and the core to others most of the time.
Task<void> Compaction::slow_down(std::uint64_t octets) {
  constexpr std::uint64_t pauses_a_second = 20;
  octets_since_pause_ += octets;
  if (octets_since_pause_ < options_.octets_a_second / pauses_a_second) co_return;
  octets_since_pause_ = 0;
  co_await sleep_for(std::chrono::duration_cast<Nanoseconds>(Seconds(1)) / pauses_a_second);
}

}  // namespace kurir::server
