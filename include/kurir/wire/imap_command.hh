#pragma once
// The commands of IMAP4rev2 and IMAP4rev1 (RFC 9051, RFC 3501) and of LITERAL+, SASL-IR, ID,
// NAMESPACE, UIDPLUS, MOVE, ENABLE, ESEARCH, SEARCHRES, WITHIN, LIST-EXTENDED, LIST-STATUS,
// SPECIAL-USE, CONDSTORE, QRESYNC, BINARY, MULTIAPPEND, QUOTA and COMPRESS, as values. Whether a
// command is allowed now, and what it does, is the session's business. Every view in a command
// views the parsed buffer: own() what outlives it. Mailbox names are as sent: see imap_name.hh. Any
// core.

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kurir/base/ids.hh"
#include "kurir/base/parsed.hh"
#include "kurir/wire/imap_fault.hh"
#include "kurir/wire/imap_fetch.hh"
#include "kurir/wire/imap_flags.hh"
#include "kurir/wire/imap_literal.hh"
#include "kurir/wire/imap_search.hh"
#include "kurir/wire/imap_set.hh"
#include "kurir/wire/imap_string.hh"

namespace kurir::wire {

// Whether a set's and a reply's numbers are sequence numbers or, after "UID ", UIDs.
enum class ImapNumbering : std::uint8_t { sequence, uid };

// Any state.
struct ImapCapability {};
struct ImapNoop {};
struct ImapLogout {};
struct ImapId {
  // Empty for NIL. A value may be NIL.
  std::vector<std::pair<ImapString, std::optional<ImapString>>> parameters{};
};

// Before login.
struct ImapStartTls {};
struct ImapLogin {
  ImapString user{};
  ImapString password{};
};
struct ImapAuthenticate {
  std::string_view mechanism{};
  // Base64 (RFC 4959); an empty view for "=", an initial response of no octets.
  std::optional<std::string_view> initial_response{};
};

// After login.
struct ImapEnable {
  std::vector<std::string_view> capabilities{};
};
// RFC 7162 3.2.5. The sets are empty when not given.
struct ImapQresync {
  UidValidity validity{};
  ModSeq modseq{};
  std::optional<ImapSet> known_uids{};
  std::optional<std::pair<ImapSet, ImapSet>> sequence_match{};  // sequence numbers and their UIDs
};
struct ImapSelect {
  ImapString mailbox{};
  bool read_only = false;  // EXAMINE
  bool condstore = false;
  std::optional<ImapQresync> qresync{};
};

// Attributes of mailboxes that a client or server names (RFC 6154, RFC 9051 7.3.1).
using SpecialUseWord = std::uint8_t;
namespace special_use {
inline constexpr SpecialUseWord all = 1u << 0;
inline constexpr SpecialUseWord archive = 1u << 1;
inline constexpr SpecialUseWord drafts = 1u << 2;
inline constexpr SpecialUseWord flagged = 1u << 3;
inline constexpr SpecialUseWord junk = 1u << 4;
inline constexpr SpecialUseWord sent = 1u << 5;
inline constexpr SpecialUseWord trash = 1u << 6;
inline constexpr SpecialUseWord important = 1u << 7;  // RFC 8457
}  // namespace special_use

struct ImapCreate {
  ImapString
      mailbox{};  // a "/" at the end only says that children will follow: strip_create_suffix()
  SpecialUseWord use = 0;
  bool unknown_use = false;  // names a use that is none of special_use: NO [USEATTR]
};
struct ImapDelete {
  ImapString mailbox{};
};
struct ImapRename {
  ImapString from{};
  ImapString to{};
};
struct ImapSubscribe {
  ImapString mailbox{};
};
struct ImapUnsubscribe {
  ImapString mailbox{};
};

using StatusWord = std::uint16_t;
namespace status {
inline constexpr StatusWord messages = 1u << 0;
inline constexpr StatusWord recent = 1u << 1;  // RFC 3501
inline constexpr StatusWord uid_next = 1u << 2;
inline constexpr StatusWord uid_validity = 1u << 3;
inline constexpr StatusWord unseen = 1u << 4;
inline constexpr StatusWord deleted = 1u << 5;
inline constexpr StatusWord size = 1u << 6;
inline constexpr StatusWord highest_modseq = 1u << 7;  // RFC 7162
inline constexpr StatusWord append_limit = 1u << 8;    // RFC 7889
inline constexpr StatusWord mailbox_id = 1u << 9;      // RFC 8474
}  // namespace status
struct ImapStatus {
  ImapString mailbox{};
  StatusWord items = 0;
};

// RFC 5258 and RFC 5819. LSUB is the old form: no options, one pattern.
using ListWord = std::uint8_t;
namespace list {
inline constexpr ListWord subscribed = 1u << 0;
inline constexpr ListWord remote = 1u << 1;
inline constexpr ListWord recursive_match = 1u << 2;
inline constexpr ListWord special_use = 1u << 3;
inline constexpr ListWord children = 1u << 4;  // RETURN only
}  // namespace list
struct ImapList {
  ListWord select = 0;
  ImapString reference{};
  std::vector<ImapString> patterns{};
  ListWord returns = 0;
  StatusWord status = 0;  // RETURN (STATUS (...))
  bool extended = false;  // selection or return options or a pattern list were given
};
struct ImapLsub {
  ImapString reference{};
  ImapString pattern{};
};
struct ImapNamespace {};
// Only for messages small enough to lie in the command's buffer: a session streams others, see
// parse_append_head().
struct ImapAppend {
  struct Message {
    ImapAppendMessage head{};
    std::string_view octets{};
  };
  ImapString mailbox{};
  std::vector<Message> messages{};
};
struct ImapIdle {};
struct ImapDone {};  // ends IDLE; has no tag
struct ImapGetQuota {
  ImapString root{};
};
struct ImapGetQuotaRoot {
  ImapString mailbox{};
};
struct ImapCompress {
  std::string_view mechanism{};
};

// With a mailbox selected.
struct ImapCheck {};
struct ImapClose {};
struct ImapUnselect {};
struct ImapExpunge {
  std::optional<ImapSet> uids{};  // UID EXPUNGE
};

using SearchReturnWord = std::uint8_t;
namespace search_return {
inline constexpr SearchReturnWord min = 1u << 0;
inline constexpr SearchReturnWord max = 1u << 1;
inline constexpr SearchReturnWord all = 1u << 2;
inline constexpr SearchReturnWord count = 1u << 3;
inline constexpr SearchReturnWord save = 1u << 4;
}  // namespace search_return
struct ImapSearch {
  ImapNumbering numbering{};
  // None: reply with SEARCH (with ESEARCH in IMAP4rev2). RETURN () means all (RFC 4731 3.1).
  std::optional<SearchReturnWord> returns{};
  ImapString charset{};  // empty: not given
  SearchProgram program{};
};
struct ImapFetch {
  ImapNumbering numbering{};
  ImapSet set{};
  FetchItems items{};  // UID is included in a UID FETCH
  std::optional<ModSeq> changed_since{};
  bool vanished = false;
};
enum class StoreChange : std::uint8_t { replace, add, remove };
struct ImapStore {
  ImapNumbering numbering{};
  ImapSet set{};
  std::optional<ModSeq> unchanged_since{};
  StoreChange change{};
  bool silent = false;
  ImapFlagList flags{};
};
struct ImapCopy {
  ImapNumbering numbering{};
  ImapSet set{};
  ImapString mailbox{};
};
struct ImapMove {
  ImapNumbering numbering{};
  ImapSet set{};
  ImapString mailbox{};
};

using ImapAction =
    std::variant<ImapCapability, ImapNoop, ImapLogout, ImapId, ImapStartTls, ImapLogin,
                 ImapAuthenticate, ImapEnable, ImapSelect, ImapCreate, ImapDelete, ImapRename,
                 ImapSubscribe, ImapUnsubscribe, ImapStatus, ImapList, ImapLsub, ImapNamespace,
                 ImapAppend, ImapIdle, ImapDone, ImapGetQuota, ImapGetQuotaRoot, ImapCompress,
                 ImapCheck, ImapClose, ImapUnselect, ImapExpunge, ImapSearch, ImapFetch, ImapStore,
                 ImapCopy, ImapMove>;

struct ImapCommand {
  std::string_view tag{};   // empty for DONE
  std::string_view name{};  // as sent, without "UID ": for "tag OK name completed"
  ImapAction action{};
};

// whole: a command with its literals, from its tag to its last CR LF; what follows is not looked
// at.
[[nodiscard]] Parsed<ImapCommand, ImapFault> parse_imap_command(std::string_view whole);

}  // namespace kurir::wire
