#pragma once
// Every change of an account, as a value: planned by the owner, kept by the journal
// (journal_record.hh), then applied by accounts.hh, live and in recovery alike. Sets of uids are
// sorted, disjoint ranges. Core-local values.

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kurir/base/ids.hh"
#include "kurir/mailbox/entry.hh"
#include "kurir/mailbox/mailbox.hh"
#include "kurir/mailbox/range.hh"
#include "kurir/store/record_ref.hh"

namespace kurir::mailbox {

// RFC 6154 2; what the account uses a mailbox for.
enum class SpecialUse : std::uint8_t { none = 0, all, archive, drafts, flagged, junk, sent, trash };
inline constexpr SpecialUse special_use_last = SpecialUse::trash;

struct NewFolder {
  MailboxId id;  // 0: only a name, with folders below it
  UidValidity validity;
  SpecialUse use = SpecialUse::none;
  std::string name;

  friend bool operator==(const NewFolder&, const NewFolder&) = default;
};

struct AccountCreated {
  AccountId account;
  MailboxId
      mailbox_last;  // greatest id and UIDVALIDITY ever given, also to mailboxes that are gone
  UidValidity validity_last;
  std::vector<NewFolder> folders;
  friend bool operator==(const AccountCreated&, const AccountCreated&) = default;
};
struct AccountDeleted {
  AccountId account;
  friend bool operator==(const AccountDeleted&, const AccountDeleted&) = default;
};
struct FoldersCreated {  // one and the parents that it lacked
  AccountId account;
  std::vector<NewFolder> folders;
  friend bool operator==(const FoldersCreated&, const FoldersCreated&) = default;
};
struct FolderDeleted {
  AccountId account;
  MailboxId mailbox;
  friend bool operator==(const FolderDeleted&, const FolderDeleted&) = default;
};
struct FolderRenamed {  // with all below it, unless it is INBOX
  AccountId account;
  std::string from;
  std::string to;
  std::vector<NewFolder>
      created;  // parents that the new name lacks; for INBOX also the INBOX that replaces it
  friend bool operator==(const FolderRenamed&, const FolderRenamed&) = default;
};
struct SubscriptionChanged {
  AccountId account;
  bool subscribed = false;
  std::string name;
  friend bool operator==(const SubscriptionChanged&, const SubscriptionChanged&) = default;
};
struct Appended {
  AccountId account;
  MailboxId mailbox;
  std::vector<NewMessage> messages;
  friend bool operator==(const Appended&, const Appended&) = default;
};
// The edit, not its result: so a change may be planned while the one before it is still being
// journaled.
struct FlagsChanged {
  AccountId account;
  MailboxId mailbox;
  ModSeq modseq;
  ModSeq unchanged_since = any_modseq;
  FlagsEdit edit;
  std::vector<NumberRange> uids;
  friend bool operator==(const FlagsChanged&, const FlagsChanged&) = default;
};
struct KeywordAdded {
  AccountId account;
  MailboxId mailbox;
  std::uint8_t index = 0;  // the mailbox's keywords before it
  std::string name;
  friend bool operator==(const KeywordAdded&, const KeywordAdded&) = default;
};
struct Expunged {
  AccountId account;
  MailboxId mailbox;
  ModSeq modseq;
  std::vector<NumberRange> uids;
  friend bool operator==(const Expunged&, const Expunged&) = default;
};
struct ContentMoved {  // to another segment; octets and shard stay
  AccountId account;
  MailboxId mailbox;
  std::vector<std::pair<Uid, store::RecordRef>> moves;
  friend bool operator==(const ContentMoved&, const ContentMoved&) = default;
};
struct MailboxRestored {  // ends a mailbox's part of a checkpoint
  AccountId account;
  MailboxId mailbox;
  Uid uid_next;
  ModSeq highest_modseq;
  friend bool operator==(const MailboxRestored&, const MailboxRestored&) = default;
};

using Change = std::variant<AccountCreated, AccountDeleted, FoldersCreated, FolderDeleted,
                            FolderRenamed, SubscriptionChanged, Appended, FlagsChanged,
                            KeywordAdded, Expunged, ContentMoved, MailboxRestored>;

}  // namespace kurir::mailbox
