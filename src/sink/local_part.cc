// What an address itself asks for.

#include <algorithm>
#include <array>

#include "kurir/sink/rule.hh"
#include "kurir/wire/ascii.hh"
#include "rule_text.hh"

namespace kurir::sink {
namespace {

constexpr std::size_t octets_max = 64;  // of a local part, RFC 5321 4.5.3.1.1; longer: a plain one

Rule reply(std::string_view code, std::string_view text) {
  Rule rule;
  rule.code = *number_of<std::uint16_t>(code);
  rule.reply = std::string(code) + ' ' + std::string(text);
  return rule;
}

std::string_view enhanced(std::string_view code) {
  return code[0] == '4' ? "4.0.0 as the address asks" : "5.0.0 as the address asks";
}

bool is_failure(std::string_view code) { return is_reply_code(code) && code[0] >= '4'; }

std::optional<Rule> kumo_rule(std::string_view name) {
  if (name.size() > 3 && name[3] == '-' && is_failure(name.substr(0, 3)))
    return reply(name.substr(0, 3), enhanced(name));
  if (name.find("tempfail") != std::string_view::npos) return reply("400", "tempfail requested");
  if (name.find("permfail") != std::string_view::npos) return reply("500", "permfail requested");
  return std::nullopt;
}

std::optional<Rule> mox_rule(std::string_view name) {
  Rule rule;
  if (name.ends_with("temperror")) return reply("451", "4.0.0 as the address asks");
  if (name.ends_with("permerror")) return reply("550", "5.0.0 as the address asks");
  if (name.ends_with("timeout")) {
    rule.action = Rule::Action::silent;
    return rule;
  }
  if (name.ends_with("disconnect")) {
    rule.action = Rule::Action::disconnect;
    return rule;
  }
  if (name.size() < 3) return std::nullopt;
  const std::string_view code = name.substr(name.size() - 3),
                         before = name.substr(0, name.size() - 3);
  // mox takes any name that ends so; load generators number their recipients.
  const bool is_apart = before.empty() || !wire::is_alphanumeric(before.back()) ||
                        before == "rcptto" || before == "mailfrom";
  if (!is_apart || !is_failure(code)) return std::nullopt;
  return reply(code, enhanced(code));
}

}  // namespace

Asked asked_by(std::string_view local_part, AddressRole role) {
  if (local_part.size() > octets_max) return {};
  std::array<char, octets_max> lowered;
  std::ranges::transform(local_part, lowered.begin(), wire::to_lower);
  const std::string_view name(lowered.data(), local_part.size());
  const bool is_sender = role == AddressRole::sender;
  Asked asked;
  if (name.starts_with("250-")) {
    asked.is_friend = true;
    return asked;
  }
  asked.rule = kumo_rule(name);
  if (asked.rule) {
    asked.rule->stage = is_sender ? Stage::mail : Stage::rcpt;
    return asked;
  }
  if (is_sender && !name.starts_with("mailfrom")) return asked;
  asked.rule = mox_rule(name);
  if (asked.rule)
    asked.rule->stage = is_sender                    ? Stage::mail
                        : name.starts_with("rcptto") ? Stage::rcpt
                                                     : Stage::end;
  return asked;
}

}  // namespace kurir::sink
