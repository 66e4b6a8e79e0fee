#include "selected.hh"

#include <algorithm>

namespace kurir::imap {

// uid_next and recent are read before the view is made: it then holds at least what they speak of.
Selected::Selected(AccountId account, Shared<mailbox::Mailbox> opened, std::string name_of,
                   bool examine, store::Reader& reader)
    : mailbox(std::move(opened)),
      key{account, mailbox->id()},
      name(std::move(name_of)),
      read_only(examine),
      uid_next(mailbox->uid_next()),
      recent_from(examine ? mailbox->recent_from() : mailbox->claim_recent()),
      view(mailbox, &reader) {
  if (recent_from <= view.uid_last()) recent.add({recent_from.value, view.uid_last().value});
  uid_next = std::max(uid_next, Uid(view.uid_last().value + 1));
  static_cast<void>(learn_keywords());
}

Uid Selected::greatest_uid() const {
  if (view.messages() == 0) return Uid(0);
  return view.by_sequence(view.messages()).entry().uid();
}

std::optional<wire::NumberSet> Selected::sequences(wire::ImapNumbering numbering,
                                                   const wire::ImapSet& set) const {
  if (set.is_saved_result()) return sequences_of_uids(saved);
  if (numbering == wire::ImapNumbering::uid)
    return sequences_of_uids(set.resolve(greatest_uid().value));
  const bool star_of_nothing = view.messages() == 0 && !set.spans().empty();
  if (star_of_nothing || set.greatest_written() > view.messages()) return std::nullopt;
  return set.resolve(view.messages());
}

wire::NumberSet Selected::sequences_of_uids(const wire::NumberSet& uids) const {
  wire::NumberSet sequences;
  for (const wire::NumberRange& range : uids.ranges()) {
    const wire::NumberRange found = view.snapshot().sequences_of(range);
    if (found.first <= found.last) sequences.add(found);
  }
  return sequences;
}

wire::NumberSet Selected::uids_of(const wire::NumberSet& sequences) const {
  wire::NumberSet uids;
  view.walk_sequences(sequences.ranges(),
                      [&](const mailbox::Located& at) { uids.add(at.entry().uid().value); });
  return uids;
}

void Selected::claim_recent() {
  if (read_only) return;
  const Uid from = mailbox->claim_recent();
  if (from <= view.uid_last()) recent.add({from.value, view.uid_last().value});
}

std::uint32_t Selected::recent_count() const {
  return static_cast<std::uint32_t>(sequences_of_uids(recent).count());
}

bool Selected::learn_keywords() {
  const std::vector<std::string>& names = mailbox->keywords().names;
  if (names.size() == keyword_names_.size()) return false;
  keyword_names_ = names;
  keywords.assign(keyword_names_.begin(), keyword_names_.end());
  return true;
}

bool Selected::knows(wire::FlagWord flags) const {
  return keywords.size() >= limits::imap_keywords_max ||
         flags >> (wire::flag::keyword_bit_first + keywords.size()) == 0;
}

wire::FlagWord Selected::all_flags() const {
  wire::FlagWord flags = wire::flag::system;
  for (std::size_t index = 0; index < keywords.size(); ++index) flags |= wire::flag::keyword(index);
  return flags;
}

mailbox::Located MessageWalk::next() {
  while (range_ < sequences_.ranges().size()) {
    const wire::NumberRange& range = sequences_.ranges()[range_];
    at_ = at_ ? view_.snapshot().after(at_) : view_.by_sequence(range.first);
    if (at_ && at_.sequence <= range.last) return at_;
    at_ = {};
    ++range_;
  }
  return {};
}

}  // namespace kurir::imap
