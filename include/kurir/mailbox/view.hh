#pragma once
// View: a mailbox as one session has been told of it. It pins a version, so that sequence numbers
// mean what the client thinks they mean until refresh(), which says what to tell and moves on.
// Core-local to its session, on any core; the mailbox lives as long as the view. Flags are the
// current ones always.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kurir/base/ids.hh"
#include "kurir/base/shared.hh"
#include "kurir/mailbox/mailbox.hh"
#include "kurir/mailbox/version.hh"
#include "kurir/store/reader.hh"

namespace kurir::mailbox {

// Whether the client may be told of expunges now: not while a command with sequence numbers runs
// (RFC 9051 7.5.1).
enum class Expunges : std::uint8_t { tell, hold };

// What a refresh found. Expunges are told first, then EXISTS, then flags: all numbers fit in that
// order.
struct Update {
  std::vector<std::uint32_t> expunged;  // falling: each is right when those before it were told
  std::vector<NumberRange> vanished;    // the same as uids, for VANISHED (RFC 7162 3.2.10)
  std::optional<std::uint32_t> exists;  // messages(), if there are new ones
  ModSeq flags_after;                   // walk_flag_changes: what changed beyond this
  Uid uid_new;  // the first that EXISTS told of in this update, whose flags are not news

  bool empty() const { return expunged.empty() && !exists && !flags_changed; }
  bool flags_changed = false;  // maybe: the walk decides
};

struct FlagState {
  FlagWord flags;
  ModSeq modseq;
};

class View {
 public:
  // reader: of this core, where contents are read by this view: what has to stay of an expunged
  // message then stays until the client was told.
  explicit View(Shared<Mailbox> mailbox, store::Reader* reader = nullptr);

  const Mailbox& mailbox() const { return *mailbox_; }
  std::uint32_t messages() const { return snapshot_.messages(); }
  Uid uid_last() const { return Uid(snapshot_.uid_last()); }  // 0: none
  // All changes up to here were told: HIGHESTMODSEQ for a client that will resynchronise (RFC
  // 7162).
  ModSeq told() const { return told_; }

  Located by_sequence(std::uint32_t sequence) const { return snapshot_.by_sequence(sequence); }
  Located by_uid(Uid uid) const { return snapshot_.by_uid(uid); }
  const Snapshot& snapshot() const { return snapshot_; }
  FlagState flags(const Located& at) const;
  // The least sequence number without \Seen, 0 if none (RFC 3501 SELECT UNSEEN).
  std::uint32_t first_unseen() const;

  // f(const Located&) in rising order for each message in the sorted ranges; numbers of no message
  // are passed over.
  template <class F>
  void walk_sequences(std::span<const NumberRange> sequences, F&& f) const {
    for (const NumberRange& range : sequences) snapshot_.walk(range, f);
  }
  template <class F>
  void walk_uids(std::span<const NumberRange> uids, F&& f) const {
    for (const NumberRange& range : uids) snapshot_.walk_uids(range, f);
  }
  template <class F>
  void walk_changed_since(ModSeq modseq, F&& f) const {
    snapshot_.walk_changed_since(modseq, f);
  }
  // The messages in the sorted ranges of uids that exist no more: what QRESYNC calls VANISHED
  // (EARLIER).
  std::vector<NumberRange> missing(std::span<const NumberRange> uids) const;

  // One atomic load when nothing changed. While held expunges wait, EXISTS waits too, flags do not.
  Update refresh(Expunges expunges);
  // f(const Located&) for each message known before whose flags are news.
  template <class F>
  void walk_flag_changes(const Update& update, F&& f) const {
    if (!update.flags_changed) return;
    snapshot_.walk_changed_since(update.flags_after, [&](const Located& at) {
      if (at.entry().uid() < update.uid_new) f(at);
    });
  }
  // The session itself made the change and told its result: no news if nothing came between.
  void told_own_flags(ModSeq modseq);

 private:
  void find_expunged(const Snapshot& fresh, Update& update) const;

  Shared<Mailbox> mailbox_;
  Shared<const Version> pin_;
  store::Reader::Use use_;
  Snapshot snapshot_;
  ModSeq told_;
  ModSeq flags_told_;  // at least told_: flags are told also while expunges are held
  bool held_ = false;
};

}  // namespace kurir::mailbox
