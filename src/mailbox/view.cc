#include "kurir/mailbox/view.hh"

#include <algorithm>
#include <bit>

namespace kurir::mailbox {
namespace {

void add_number(std::vector<NumberRange>& ranges, std::uint32_t first, std::uint32_t last) {
  if (!ranges.empty() && ranges.back().last + 1 == first) {
    ranges.back().last = last;
  } else {
    ranges.push_back({first, last});
  }
}

// Collects what is live in one row before and not afterwards; numbers rise from call to call.
class ExpungedFinder {
 public:
  ExpungedFinder(const Snapshot& before, Update& update) : before_(before), update_(update) {}

  // expunged: of the same chunk in the later version; nullptr: the whole chunk is gone.
  void compare(std::uint32_t index, const ExpungedBits* expunged) {
    const Row& row = before_.rows()[index];
    if (expunged != nullptr && expunged == row.expunged) return;
    std::uint32_t sequence = row.live_before;
    for (std::uint32_t position = 0; position < before_.fill(index); ++position) {
      if (!row.live(position)) continue;
      ++sequence;
      if (expunged != nullptr && !expunged->test(position)) continue;
      update_.expunged.push_back(sequence);
      const std::uint32_t uid = row.chunk->entry(position).uid().value;
      add_number(update_.vanished, uid, uid);
    }
  }

 private:
  const Snapshot& before_;
  Update& update_;
};

}  // namespace

View::View(Shared<Mailbox> mailbox, store::Reader* reader) : mailbox_(std::move(mailbox)) {
  if (reader != nullptr) use_ = store::Reader::Use(*reader);
  // The modseq first: the version is then at least as new.
  told_ = flags_told_ = mailbox_->highest_modseq();
  pin_ = mailbox_->pin();
  snapshot_ = Snapshot(pin_.get());
}

FlagState View::flags(const Located& at) const {
  const ModSeq modseq = at.entry().modseq();
  return {.flags = at.entry().flags(), .modseq = modseq};
}

std::uint32_t View::first_unseen() const {
  const Uid hint = mailbox_->first_unseen();
  if (hint == Uid(0)) return 0;
  for (Located at = snapshot_.by_sequence(snapshot_.live_below(hint.value) + 1); at;
       at = snapshot_.after(at))
    if ((at.entry().flags() & flag::seen) == 0) return at.sequence;
  return 0;
}

std::vector<NumberRange> View::missing(std::span<const NumberRange> uids) const {
  std::vector<NumberRange> missing;
  for (const NumberRange& range : uids) {
    std::uint64_t next = range.first;
    snapshot_.walk_uids(range, [&](const Located& at) {
      const std::uint32_t uid = at.entry().uid().value;
      if (next < uid) add_number(missing, static_cast<std::uint32_t>(next), uid - 1);
      next = std::uint64_t{uid} + 1;
    });
    if (next <= range.last) add_number(missing, static_cast<std::uint32_t>(next), range.last);
  }
  return missing;
}

Update View::refresh(Expunges expunges) {
  Update update;
  const ModSeq highest = mailbox_->highest_modseq();
  const bool release = held_ && expunges == Expunges::tell;
  if (highest == flags_told_ && !release) {
    if (!held_) use_.renew();  // the pin is the newest version
    return update;
  }
  update.flags_after = flags_told_;
  update.flags_changed = highest != flags_told_;
  update.uid_new = Uid(snapshot_.uid_last() + 1);
  flags_told_ = highest;

  Shared<const Version> pin = mailbox_->pin();
  const Snapshot fresh(pin.get());
  if (pin != pin_) find_expunged(fresh, update);
  held_ = expunges == Expunges::hold && !update.expunged.empty();
  if (held_) {
    update.expunged.clear();
    update.vanished.clear();
    return update;
  }
  const std::uint32_t kept = messages() - static_cast<std::uint32_t>(update.expunged.size());
  if (fresh.messages() != kept) update.exists = fresh.messages();
  pin_ = std::move(pin);
  snapshot_ = fresh;
  told_ = highest;
  use_.renew();
  return update;
}

void View::find_expunged(const Snapshot& fresh, Update& update) const {
  ExpungedFinder finder(snapshot_, update);
  std::size_t later = 0;
  for (std::uint32_t index = 0; index < snapshot_.rows().size(); ++index) {
    const Row& row = snapshot_.rows()[index];
    while (later < fresh.rows().size() && fresh.rows()[later].uid_first < row.uid_first) ++later;
    const bool there = later < fresh.rows().size() && fresh.rows()[later].chunk == row.chunk;
    if (!there) {
      finder.compare(index, nullptr);
    } else if (fresh.rows()[later].expunged != nullptr) {
      finder.compare(index, fresh.rows()[later].expunged);
    }
  }
  std::ranges::reverse(update.expunged);
}

void View::told_own_flags(ModSeq modseq) {
  if (modseq.value != flags_told_.value + 1) return;
  if (told_ == flags_told_) told_ = modseq;
  flags_told_ = modseq;
}

}  // namespace kurir::mailbox
