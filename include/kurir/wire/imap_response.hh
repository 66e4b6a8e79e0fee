#pragma once
// What an IMAP server says (RFC 9051 7), appended to a string that the session sends. Nothing here
// decides; every method writes one thing. Text that peers influence is made harmless: no line end
// leaves where none belongs. Core-local.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kurir/base/ids.hh"
#include "kurir/wire/imap_command.hh"
#include "kurir/wire/imap_date.hh"
#include "kurir/wire/imap_fetch.hh"
#include "kurir/wire/imap_flags.hh"
#include "kurir/wire/imap_name.hh"
#include "kurir/wire/imap_set.hh"

namespace kurir::wire {

enum class ImapCondition : std::uint8_t { ok, no, bad, bye, preauth };

// Response codes (RFC 9051 7.1, RFC 5530 and the extensions named in imap_command.hh), without
// brackets.
namespace imap_code {
inline constexpr std::string_view none = "";
inline constexpr std::string_view alert = "ALERT";
inline constexpr std::string_view already_exists = "ALREADYEXISTS";
inline constexpr std::string_view authentication_failed = "AUTHENTICATIONFAILED";
inline constexpr std::string_view authorization_failed = "AUTHORIZATIONFAILED";
inline constexpr std::string_view cannot = "CANNOT";
inline constexpr std::string_view client_bug = "CLIENTBUG";
inline constexpr std::string_view closed = "CLOSED";
inline constexpr std::string_view compression_active = "COMPRESSIONACTIVE";
inline constexpr std::string_view contact_admin = "CONTACTADMIN";
inline constexpr std::string_view expired = "EXPIRED";
inline constexpr std::string_view expunge_issued = "EXPUNGEISSUED";
inline constexpr std::string_view has_children = "HASCHILDREN";
inline constexpr std::string_view in_use = "INUSE";
inline constexpr std::string_view limit = "LIMIT";
inline constexpr std::string_view no_modseq = "NOMODSEQ";
inline constexpr std::string_view no_permission = "NOPERM";
inline constexpr std::string_view nonexistent = "NONEXISTENT";
inline constexpr std::string_view not_saved = "NOTSAVED";
inline constexpr std::string_view over_quota = "OVERQUOTA";
inline constexpr std::string_view parse = "PARSE";
inline constexpr std::string_view privacy_required = "PRIVACYREQUIRED";
inline constexpr std::string_view read_only = "READ-ONLY";
inline constexpr std::string_view read_write = "READ-WRITE";
inline constexpr std::string_view server_bug = "SERVERBUG";
inline constexpr std::string_view too_big = "TOOBIG";
inline constexpr std::string_view try_create = "TRYCREATE";
inline constexpr std::string_view uid_not_sticky = "UIDNOTSTICKY";
inline constexpr std::string_view unavailable = "UNAVAILABLE";
inline constexpr std::string_view unknown_cte = "UNKNOWN-CTE";
inline constexpr std::string_view use_attribute = "USEATTR";

std::string append_limit(std::uint64_t octets);
std::string append_uid(UidValidity validity, const NumberSet& uids);
std::string bad_charset(std::span<const std::string_view> known);
std::string capability(std::span<const std::string_view> names);
std::string copy_uid(UidValidity validity, const NumberSet& from, const NumberSet& to);
std::string highest_modseq(ModSeq modseq);
std::string mailbox_id(std::string_view object_id);
std::string modified(const NumberSet& numbers);
// may_create: "\*", clients may make new keywords.
std::string permanent_flags(FlagWord flags, std::span<const std::string_view> keywords,
                            bool may_create);
std::string uid_next(Uid uid);
std::string uid_validity(UidValidity validity);
std::string unseen(std::uint32_t sequence);  // RFC 3501
}  // namespace imap_code

// Mailbox attributes of LIST (RFC 9051 7.3.1); the special uses are a word of their own.
using MailboxAttributeWord = std::uint16_t;
namespace mailbox_attribute {
inline constexpr MailboxAttributeWord no_inferiors = 1u << 0;
inline constexpr MailboxAttributeWord no_select = 1u << 1;
inline constexpr MailboxAttributeWord nonexistent = 1u << 2;
inline constexpr MailboxAttributeWord has_children = 1u << 3;
inline constexpr MailboxAttributeWord has_no_children = 1u << 4;
inline constexpr MailboxAttributeWord marked = 1u << 5;
inline constexpr MailboxAttributeWord unmarked = 1u << 6;
inline constexpr MailboxAttributeWord subscribed = 1u << 7;
inline constexpr MailboxAttributeWord remote = 1u << 8;
}  // namespace mailbox_attribute

struct ImapListEntry {
  std::string_view name;  // UTF-8
  MailboxAttributeWord attributes = 0;
  SpecialUseWord use = 0;
  bool subscribed_children = false;  // ("CHILDINFO" ("SUBSCRIBED")), for RECURSIVEMATCH
  std::optional<std::string_view>
      old_name{};  // after a RENAME, or where the client's spelling differed
};

struct ImapMailboxStatus {
  std::uint32_t messages = 0;
  std::uint32_t recent = 0;
  Uid uid_next{};
  UidValidity uid_validity{};
  std::uint32_t unseen = 0;
  std::uint32_t deleted = 0;
  std::uint64_t size = 0;
  ModSeq highest_modseq{};
  std::optional<std::uint64_t> append_limit{};
  std::string_view mailbox_id{};
};

// Only what is set is written; an empty `all` is left out, as RFC 4731 3.1 demands.
struct ImapEsearch {
  std::string_view tag;
  ImapNumbering numbering{};
  std::optional<std::uint32_t> min{};
  std::optional<std::uint32_t> max{};
  const NumberSet* all = nullptr;
  std::optional<std::uint32_t> count{};
  std::optional<ModSeq> modseq{};
};

struct ImapQuotaResource {
  std::string_view name;  // STORAGE (in 1024 octets), MESSAGE
  std::uint64_t usage = 0;
  std::uint64_t limit = 0;
};

// Chains: ImapWriter(out).raw("* ").number(3).raw(" EXISTS\r\n"). Words and then lines.
class ImapWriter {
 public:
  // With utf8 (IMAP4rev2 or UTF8=ACCEPT enabled) names and quoted strings may be UTF-8.
  explicit ImapWriter(std::string& out, ImapNameEncoding encoding = ImapNameEncoding::modified_utf7)
      : out_(out), encoding_(encoding) {}

  std::string& out() { return out_; }

  ImapWriter& raw(std::string_view text);
  ImapWriter& number(std::uint64_t value);
  ImapWriter& string(std::string_view octets);   // quoted where it can be, else a literal
  ImapWriter& astring(std::string_view octets);  // an atom where it can be
  ImapWriter& nstring(std::optional<std::string_view> octets);
  ImapWriter& literal(std::string_view octets);
  // Announces octets that the caller sends itself.
  ImapWriter& literal_header(std::uint64_t octets, bool binary = false);
  ImapWriter& mailbox(std::string_view name);  // UTF-8, valid
  // keywords[i] names flag::keyword(i); bits without a name are not written.
  ImapWriter& flags(FlagWord word, std::span<const std::string_view> keywords);
  ImapWriter& date_time(ImapDateTime moment);
  ImapWriter& set(const NumberSet& numbers);

  // tag "" or "*": untagged.
  void condition(std::string_view tag, ImapCondition condition, std::string_view code,
                 std::string_view text);
  void fault(const ImapFault& fault);  // BAD, tagged if the tag is known
  void continuation(std::string_view text);
  void capability(std::span<const std::string_view> names);
  void enabled(std::span<const std::string_view> names);
  void exists(std::uint32_t count);
  void recent(std::uint32_t count);
  void expunge(std::uint32_t sequence);
  void vanished(const NumberSet& uids, bool earlier);
  void flags_line(FlagWord word, std::span<const std::string_view> keywords);
  void list(const ImapListEntry& entry);
  void lsub(const ImapListEntry& entry);
  void status(std::string_view mailbox, StatusWord items, const ImapMailboxStatus& status);
  void search(const NumberSet& numbers, std::optional<ModSeq> modseq);
  void esearch(const ImapEsearch& result);
  void personal_namespace();  // everything is the user's own
  // Pairs of field and value; none: NIL.
  void id(std::span<const std::pair<std::string_view, std::string_view>> fields);
  void quota(std::string_view root, std::span<const ImapQuotaResource> resources);
  void quota_root(std::string_view mailbox, std::string_view root);

 private:
  ImapWriter& names(std::span<const std::string_view> names);
  void human_text(std::string_view text);  // and the line end
  void list_line(std::string_view keyword, const ImapListEntry& entry);

  std::string& out_;
  ImapNameEncoding encoding_;
};

// One "* n FETCH (...)" line, item by item; the destructor asserts that finish() was called.
class ImapFetchWriter {
 public:
  ImapFetchWriter(ImapWriter& writer, std::uint32_t sequence);
  ~ImapFetchWriter();
  ImapFetchWriter(const ImapFetchWriter&) = delete;
  ImapFetchWriter& operator=(const ImapFetchWriter&) = delete;

  void uid(Uid uid);
  void flags(FlagWord word, std::span<const std::string_view> keywords);
  void internal_date(ImapDateTime moment);
  void size(std::uint64_t octets);
  void modseq(ModSeq modseq);
  // The name of an item, RFC822.HEADER for one; its value is written by the caller behind it.
  ImapWriter& item(std::string_view name);
  // BODY[...] or BINARY[...] and the announcement of octets that the caller sends.
  void section(const FetchSection& section, std::uint64_t octets);
  void no_section(const FetchSection& section);  // the message has no such part
  void binary_size(const FetchSection& section, std::uint64_t octets);
  void finish();

 private:
  ImapWriter& writer_;
  bool first_ = true;
  bool finished_ = false;
};

}  // namespace kurir::wire
