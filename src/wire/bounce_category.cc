#include "kurir/wire/bounce_category.hh"

#include <algorithm>
#include <array>
#include <optional>

#include "kurir/base/limits.hh"
#include "kurir/wire/ascii.hh"

namespace kurir::wire {
namespace {

using enum BounceCategory;

constexpr std::string_view names[] = {
    "bad-configuration",   "bad-connection",
    "bad-domain",          "bad-mailbox",
    "content-related",     "inactive-mailbox",
    "invalid-sender",      "message-expired",
    "no-answer-from-host", "other",
    "policy-related",      "protocol-errors",
    "quota-issues",        "relaying-issues",
    "routing-errors",      "spam-related",
    "virus-related",
};

// Words as normal_text() leaves them: lower case, one space for what is neither letter nor digit.
// A phrase is found where a word begins and may end within one. The first row in the table wins,
// wherever in the text it stands.
struct Phrase {
  std::string_view words;
  BounceCategory category;
};

// These say more than any enhanced code.
constexpr Phrase clear_phrases[] = {
    {"virus", virus_related},
    {"malware", virus_related},
    {"infected", virus_related},
    {"trojan", virus_related},
    {"phishing", virus_related},
    {"worm detected", virus_related},

    {"message expired", message_expired},
    {"delivery time expired", message_expired},
    {"retry timeout exceeded", message_expired},
    {"retry time exceeded", message_expired},
    {"message has expired", message_expired},
    {"too long in the queue", message_expired},
    {"queue lifetime", message_expired},

    {"relay access denied", relaying_issues},
    {"relaying denied", relaying_issues},
    {"relaying not", relaying_issues},
    {"relay not permitted", relaying_issues},
    {"relay denied", relaying_issues},
    {"relaying is not", relaying_issues},
    {"relay is not", relaying_issues},
    {"unable to relay", relaying_issues},
    {"not permitted to relay", relaying_issues},
    {"not allowed to relay", relaying_issues},
    {"we do not relay", relaying_issues},
    {"we don t relay", relaying_issues},
    {"cannot relay", relaying_issues},
    {"no relay", relaying_issues},
    {"authentication required", relaying_issues},
    {"authentication is required", relaying_issues},
    {"rcpthosts", relaying_issues},
    {"gateway of any kind", relaying_issues},

    {"over quota", quota_issues},
    {"overquota", quota_issues},
    {"quota exceeded", quota_issues},
    {"exceeded quota", quota_issues},
    {"exceeds quota", quota_issues},
    {"exceeded his quota", quota_issues},
    {"exceeded their quota", quota_issues},
    {"exceeded storage", quota_issues},
    {"exceeded his her quota", quota_issues},
    {"out of storage", quota_issues},
    {"storage limit", quota_issues},
    {"storage allocation", quota_issues},
    {"insufficient storage", quota_issues},
    {"insufficient system storage", quota_issues},
    {"insufficient disk", quota_issues},
    {"mailbox full", quota_issues},
    {"mailbox is full", quota_issues},
    {"mail box full", quota_issues},
    {"inbox is full", quota_issues},
    {"inbox full", quota_issues},
    {"disk full", quota_issues},
    {"no space left", quota_issues},
    {"would exceed", quota_issues},
    {"mailbox size limit", quota_issues},

    {"sender address rejected", invalid_sender},
    {"sender domain", invalid_sender},
    {"sender verify", invalid_sender},
    {"sender unknown", invalid_sender},
    {"invalid sender", invalid_sender},
    {"sender address does not exist", invalid_sender},
    {"domain of sender", invalid_sender},
    {"bad sender", invalid_sender},
    {"return path does not exist", invalid_sender},
    {"mail from domain", invalid_sender},

    {"spamhaus", spam_related},
    {"spamcop", spam_related},
    {"barracudacentral", spam_related},
    {"sorbs", spam_related},
    {"uceprotect", spam_related},
    {"invaluement", spam_related},
    {"surbl", spam_related},
    {"cloudmark", spam_related},
    {"dnsbl", spam_related},
    {"rbl", spam_related},
    {"blacklist", spam_related},
    {"black list", spam_related},
    {"blocklist", spam_related},
    {"block list", spam_related},
    {"denylist", spam_related},
    {"banned sending ip", spam_related},
    {"poor reputation", spam_related},
    {"low reputation", spam_related},
    {"bad reputation", spam_related},
    {"reputation of", spam_related},
    {"s reputation", spam_related},
    {"unsolicited", spam_related},
    {"user complaints", spam_related},
    {"junk mail", spam_related},
    {"bulk mail", spam_related},
    {"spam", spam_related},

    {"greylist", policy_related},
    {"graylist", policy_related},
    {"greylisted", policy_related},
    {"dmarc", policy_related},
    {"dkim", policy_related},
    {"spf ", policy_related},
    {"sender policy framework", policy_related},
    {"reverse dns", policy_related},
    {"reverse hostname", policy_related},
    {"ptr record", policy_related},
    {"rdns", policy_related},
    {"cannot find your hostname", policy_related},
    {"unauthenticated email", policy_related},
    {"unauthenticated mail", policy_related},
    {"rate limit", policy_related},
    {"ratelimit", policy_related},
    {"receiving mail at a rate", policy_related},
    {"receiving mail too quickly", policy_related},
    {"too many messages", policy_related},
    {"too many connections", policy_related},
    {"too many concurrent", policy_related},
    {"too many recipients", policy_related},
    {"too much mail", policy_related},
    {"throttl", policy_related},
    {"must issue a starttls", policy_related},
    {"starttls is required", policy_related},
    {"encryption required", policy_related},

    {"account disabled", inactive_mailbox},
    {"account is disabled", inactive_mailbox},
    {"account has been disabled", inactive_mailbox},
    {"account suspended", inactive_mailbox},
    {"account inactive", inactive_mailbox},
    {"account is inactive", inactive_mailbox},
    {"account expired", inactive_mailbox},
    {"mailbox disabled", inactive_mailbox},
    {"mailbox is disabled", inactive_mailbox},
    {"mailbox has been disabled", inactive_mailbox},
    {"mailbox is inactive", inactive_mailbox},
    {"mailbox inactive", inactive_mailbox},
    {"mailbox temporarily disabled", inactive_mailbox},
    {"user is inactive", inactive_mailbox},
    {"user disabled", inactive_mailbox},
    {"user suspended", inactive_mailbox},
    {"inactive user", inactive_mailbox},
    {"inactive recipient", inactive_mailbox},
    {"recipient suspended", inactive_mailbox},
    {"no longer active", inactive_mailbox},
    {"no longer in use", inactive_mailbox},
    {"has been suspended", inactive_mailbox},

    {"too many hops", routing_errors},
    {"hop count exceeded", routing_errors},
    {"mail loop", routing_errors},
    {"routing loop", routing_errors},
    {"loops back to", routing_errors},
    {"mail for this host loops", routing_errors},
    {"unrouteable", routing_errors},
    {"unroutable", routing_errors},
    {"no route to", routing_errors},

    {"domain not found", bad_domain},
    {"domain does not exist", bad_domain},
    {"domain doesn t exist", bad_domain},
    {"host not found", bad_domain},
    {"host unknown", bad_domain},
    {"unknown host", bad_domain},
    {"nxdomain", bad_domain},
    {"no such domain", bad_domain},
    {"null mx", bad_domain},
    {"accepts no mail", bad_domain},
    {"does not accept mail", bad_domain},
    {"no longer hosted", bad_domain},
    {"no mail server", bad_domain},

    {"user unknown", bad_mailbox},
    {"unknown user", bad_mailbox},
    {"unknown recipient", bad_mailbox},
    {"recipient unknown", bad_mailbox},
    {"unknown mailbox", bad_mailbox},
    {"unknown local part", bad_mailbox},
    {"unknown address", bad_mailbox},
    {"no such user", bad_mailbox},
    {"no such recipient", bad_mailbox},
    {"no such mailbox", bad_mailbox},
    {"no such person", bad_mailbox},
    {"no such address", bad_mailbox},
    {"no such account", bad_mailbox},
    {"no mailbox", bad_mailbox},
    {"no account", bad_mailbox},
    {"no user", bad_mailbox},
    {"not a valid mailbox", bad_mailbox},
    {"not our customer", bad_mailbox},
    {"invalid recipient", bad_mailbox},
    {"invalid mailbox", bad_mailbox},
    {"invalid address", bad_mailbox},
    {"bad destination mailbox", bad_mailbox},
    {"user not found", bad_mailbox},
    {"recipient not found", bad_mailbox},
    {"mailbox not found", bad_mailbox},
    {"address not found", bad_mailbox},
    {"account not found", bad_mailbox},
    {"account that you tried to reach does not exist", bad_mailbox},
    {"user doesn t", bad_mailbox},
    {"user does not", bad_mailbox},
    {"account does not exist", bad_mailbox},
    {"mailbox does not exist", bad_mailbox},
    {"address does not exist", bad_mailbox},
    {"recipient does not exist", bad_mailbox},
    {"mailbox unavailable", bad_mailbox},
    {"recipient address rejected", bad_mailbox},
    {"recipient rejected", bad_mailbox},
    {"not known here", bad_mailbox},
    {"unknown or illegal alias", bad_mailbox},

    {"message too large", content_related},
    {"message too big", content_related},
    {"message size exceeds", content_related},
    {"exceeds fixed maximum", content_related},
    {"exceeds maximum message size", content_related},
    {"maximum message size", content_related},
    {"message file too big", content_related},
    {"attachment", content_related},
    {"message content", content_related},
    {"content rejected", content_related},
    {"message header", content_related},
    {"rfc 5322", content_related},
    {"rfc 2822", content_related},

    {"connection refused", no_answer_from_host},
    {"connection timed out", no_answer_from_host},
    {"no answer from", no_answer_from_host},
    {"host unreachable", no_answer_from_host},
    {"network is unreachable", no_answer_from_host},
    {"connection reset", bad_connection},
    {"connection dropped", bad_connection},
    {"connection closed", bad_connection},
    {"connection lost", bad_connection},
    {"lost connection", bad_connection},
    {"timed out", bad_connection},
    {"timeout", bad_connection},
    {"local configuration error", bad_configuration},
    {"local error in processing", bad_configuration},
    {"misconfigur", bad_configuration},
};

// These only where the enhanced code says nothing definite.
constexpr Phrase vague_phrases[] = {
    {"temporarily deferred", policy_related},
    {"blocked", spam_related},
    {"reputation", spam_related},
    {"suspicious", spam_related},
    {"bulk", spam_related},
    {"access denied", policy_related},
    {"policy", policy_related},
    {"policies", policy_related},
    {"not authorized", policy_related},
    {"not allowed", policy_related},
    {"banned", policy_related},
    {"prohibited", policy_related},
    {"try again later", policy_related},
    {"unusual rate", policy_related},
    {"syntax error", protocol_errors},
    {"not implemented", protocol_errors},
    {"unrecognized", protocol_errors},
    {"bad sequence", protocol_errors},
    {"quota", quota_issues},
    {"does not exist", bad_mailbox},
    {"unknown", bad_mailbox},
    {"not found", bad_mailbox},
    {"inactive", inactive_mailbox},
    {"disabled", inactive_mailbox},
    {"service unavailable", bad_connection},
    {"closing", bad_connection},
};

struct StatusRow {
  std::uint16_t subject, detail;
  BounceCategory category;
};
constexpr StatusRow definite_statuses[] = {
    {1, 1, bad_mailbox},         {1, 2, bad_domain},        {1, 3, bad_mailbox},
    {1, 4, bad_mailbox},         {1, 6, bad_mailbox},       {1, 7, invalid_sender},
    {1, 8, invalid_sender},      {1, 9, bad_configuration}, {1, 10, bad_domain},
    {2, 1, inactive_mailbox},    {2, 2, quota_issues},      {2, 3, content_related},
    {3, 1, quota_issues},        {3, 3, protocol_errors},   {3, 4, content_related},
    {4, 1, no_answer_from_host}, {4, 2, bad_connection},    {4, 3, routing_errors},
    {4, 4, routing_errors},      {4, 6, routing_errors},    {4, 7, message_expired},
    {5, 1, protocol_errors},     {5, 2, protocol_errors},   {5, 3, policy_related},
    {5, 4, protocol_errors},     {5, 5, protocol_errors},   {6, 7, protocol_errors},
    {6, 8, protocol_errors},     {6, 9, protocol_errors},   {6, 10, protocol_errors},
    {7, 8, relaying_issues},     {7, 13, inactive_mailbox}, {7, 17, bad_mailbox},
    {7, 18, bad_mailbox},        {7, 27, invalid_sender},
};
// By subject, where nothing said more: x.0 to x.7.
constexpr BounceCategory subject_categories[] = {
    other,          bad_mailbox,     bad_mailbox,     bad_configuration,
    bad_connection, protocol_errors, content_related, policy_related,
};

struct CodeRow {
  std::uint16_t code;
  BounceCategory category;
};
constexpr CodeRow codes[] = {
    {421, bad_connection},  {452, quota_issues},    {500, protocol_errors}, {501, protocol_errors},
    {502, protocol_errors}, {503, protocol_errors}, {504, protocol_errors}, {521, bad_domain},
    {530, relaying_issues}, {535, relaying_issues}, {551, bad_mailbox},     {552, quota_issues},
    {553, bad_mailbox},     {555, protocol_errors}, {556, bad_domain},
};

// The phrases of a table by their first letter, so that one pass over the words finds them all.
template <std::size_t count>
class Phrases {
 public:
  consteval explicit Phrases(const Phrase (&rows)[count]) {
    for (std::size_t i = 0; i < count; ++i) by_letter_[i] = {rows[i], i};
    std::ranges::sort(by_letter_, {}, [](const Ranked& row) { return row.phrase.words; });
    for (std::size_t letter = 0, i = 0; letter <= letters; ++letter) {
      while (i < count && letter_of(by_letter_[i].phrase.words[0]) < letter) ++i;
      begins_[letter] = i;
    }
  }

  std::optional<BounceCategory> find(std::string_view text) const {
    const Ranked* best = nullptr;
    for (std::size_t at = 0; at < text.size(); at = std::min(text.find(' ', at), text.size()) + 1) {
      if (!is_alpha(text[at])) continue;
      const std::string_view words = text.substr(at);
      const std::size_t letter = letter_of(words[0]);
      for (std::size_t i = begins_[letter]; i < begins_[letter + 1]; ++i) {
        const Ranked& row = by_letter_[i];
        if ((best == nullptr || row.rank < best->rank) && words.starts_with(row.phrase.words))
          best = &row;
      }
    }
    return best == nullptr ? std::nullopt : std::optional(best->phrase.category);
  }

 private:
  struct Ranked {
    Phrase phrase{};
    std::size_t rank = 0;
  };
  static constexpr std::size_t letters = 26;
  static constexpr std::size_t letter_of(char c) { return static_cast<std::size_t>(c - 'a'); }

  std::array<Ranked, count> by_letter_{};
  std::array<std::size_t, letters + 1> begins_{};
};

constexpr Phrases clear_words(clear_phrases);
constexpr Phrases vague_words(vague_phrases);

// Takes a reply's code and enhanced status off the front of one of its lines.
std::string_view text_of_line(std::string_view line) {
  const bool has_code = line.size() > 3 && (line[3] == ' ' || line[3] == '-') &&
                        parse_decimal<unsigned>(line.substr(0, 3)).has_value();
  if (has_code) line.remove_prefix(4);
  if (parse_enhanced_status(line)) take_word(line);
  return line;
}

struct NormalText {
  std::array<char, limits::report_reply_octets_max> octets;
  std::size_t size = 0;

  void append(std::string_view text) {
    for (const char c : text) {
      if (size == octets.size()) return;
      if (is_alphanumeric(c)) {
        octets[size++] = to_lower(c);
      } else if (size > 0 && octets[size - 1] != ' ') {
        octets[size++] = ' ';
      }
    }
  }
};

NormalText normal_text(std::string_view text) {
  NormalText normal;
  text = text.substr(0, limits::report_reply_octets_max);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    normal.append(text_of_line(line));
    normal.append(" ");
  }
  return normal;
}

std::optional<BounceCategory> definite_category(EnhancedStatus status) {
  if (!status.is_given()) return std::nullopt;
  for (const StatusRow& row : definite_statuses) {
    if (row.subject == status.subject && row.detail == status.detail) return row.category;
  }
  return std::nullopt;
}

std::optional<BounceCategory> code_category(std::uint16_t code) {
  for (const CodeRow& row : codes) {
    if (row.code == code) return row.category;
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(BounceCategory category) {
  return names[static_cast<std::size_t>(category)];
}

BounceCategory bounce_category(std::uint16_t code, EnhancedStatus status, std::string_view text) {
  const NormalText normal = normal_text(text);
  const std::string_view words(normal.octets.data(), normal.size);
  if (const auto category = clear_words.find(words)) return *category;
  if (const auto category = definite_category(status)) return *category;
  if (const auto category = vague_words.find(words)) return *category;
  const bool has_subject =
      status.is_given() && status.subject > 0 && status.subject < std::size(subject_categories);
  if (has_subject) return subject_categories[status.subject];
  return code_category(code).value_or(other);
}

}  // namespace kurir::wire
