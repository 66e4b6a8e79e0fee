#include "kurir/sink/rule.hh"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "kurir/wire/ascii.hh"
#include "rule_text.hh"

namespace kurir::sink {
namespace {

using Action = Rule::Action;

constexpr double exponential_max = 20;  // times the mean
constexpr unsigned again_max = 1000;

struct StageName {
  std::string_view name;
  Stage stage;
};
constexpr StageName stage_names[] = {{"CONNECT", Stage::connect},
                                     {"BANNER", Stage::connect},
                                     {"HELLO", Stage::hello},
                                     {"EHLO", Stage::hello},
                                     {"HELO", Stage::hello},
                                     {"LHLO", Stage::hello},
                                     {"MAIL", Stage::mail},
                                     {"RCPT", Stage::rcpt},
                                     {"DATA", Stage::data},
                                     {"END", Stage::end},
                                     {".", Stage::end},
                                     {"RSET", Stage::rset},
                                     {"NOOP", Stage::noop},
                                     {"VRFY", Stage::vrfy},
                                     {"QUIT", Stage::quit},
                                     {"STARTTLS", Stage::starttls},
                                     {"HANDSHAKE", Stage::handshake}};

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

// "10%", "0.5%".
std::optional<double> share_of(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  const auto percent = number_of<double>(text.substr(0, text.size() - 1));
  if (!percent || !(*percent >= 0 && *percent <= 100)) return std::nullopt;
  return *percent / 100;
}

// The error is what was expected.
using Fault = std::string_view;
constexpr Fault well = {};

Fault parse_delay(std::string_view& rest, Rule& rule) {
  constexpr Fault expected = "expected delay 200ms, 200ms+-100ms, 200ms exp, or 200ms again 30%";
  const std::string_view text = take_word(rest);
  const std::size_t jitter = text.find("+-");
  const auto delay = duration_of(text.substr(0, jitter));
  const auto spread = jitter == std::string_view::npos ? std::optional<Nanoseconds>(Nanoseconds(0))
                                                       : duration_of(text.substr(jitter + 2));
  if (!delay || !spread || *spread > *delay) return expected;
  rule.delay = *delay;
  rule.jitter = *spread;
  const std::string_view how = take_word(rest);
  if (how.empty()) return well;
  if (jitter != std::string_view::npos) return expected;
  if (how == "exp") {
    rule.spread = Rule::Spread::exponential;
    return well;
  }
  const auto again = share_of(take_word(rest));
  if (how != "again" || !again || *again > 0.99) return expected;
  rule.spread = Rule::Spread::again;
  rule.again = *again;
  return well;
}

Fault parse_disconnect(std::string_view& rest, Rule& rule) {
  const std::string_view word = take_word(rest);
  if (word.empty()) return well;
  const auto octets = number_of<std::uint64_t>(take_word(rest));
  if (word != "after" || !octets) return "expected disconnect, or disconnect after 2000";
  if (rule.stage != Stage::data && rule.stage != Stage::connect)
    return "disconnect after some octets is for DATA and CONNECT";
  rule.action = Action::cut;
  rule.octets = *octets;
  return well;
}

Fault parse_read(std::string_view& rest, Rule& rule) {
  const auto octets = number_of<std::uint64_t>(take_word(rest));
  if (!octets || *octets == 0) return "expected read 1000, octets a second";
  rule.octets = *octets;
  return well;
}

// Of DATA only.
Fault parse_wait(std::string_view& rest, Rule& rule) {
  const auto delay = duration_of(take_word(rest));
  if (!delay) return "expected a time, as 5s or 200ms";
  if (rule.stage != Stage::data) return "pause and abort are for DATA";
  rule.delay = *delay;
  return well;
}

Fault nothing_more(std::string_view&, Rule&) { return well; }

struct ActionName {
  std::string_view name;
  Action action;
  Fault (*parse)(std::string_view& rest, Rule& rule);
};
constexpr ActionName action_names[] = {
    {"delay", Action::delay, parse_delay},    {"disconnect", Action::disconnect, parse_disconnect},
    {"silent", Action::silent, nothing_more}, {"read", Action::read, parse_read},
    {"pause", Action::pause, parse_wait},     {"abort", Action::abort, parse_wait}};

Fault parse_action(std::string_view word, std::string_view rest, Rule& rule) {
  if (is_reply_code(word)) {
    rule.code = *number_of<std::uint16_t>(word);
    rule.reply = std::string(word) + std::string(rest.empty() ? " as told" : rest);
    // 354 to DATA would begin content that nobody waits for.
    if (rule.code >= 300 && rule.code < 400) return "a reply is 2yz, 4yz or 5yz";
    return rest.find_first_of("\r\n") == std::string_view::npos ? well : "a reply is one line";
  }
  const auto* row = std::ranges::find(action_names, word, &ActionName::name);
  if (row == std::end(action_names))
    return "expected a reply code, delay, disconnect, silent, read, pause or abort";
  rule.action = row->action;
  const Fault fault = row->parse(rest, rule);
  if (fault != well) return fault;
  return take_word(rest).empty() ? well : "there is something behind the action";
}

Nanoseconds drawn(const Rule& rule, Chance& chance) {
  const double base = double(rule.delay.count());
  double drawn = base;
  switch (rule.spread) {
    case Rule::Spread::even:
      if (rule.jitter > Nanoseconds(0))
        drawn += double(rule.jitter.count()) * (2 * chance.share() - 1);
      break;
    case Rule::Spread::exponential:
      drawn = base * std::min(-std::log1p(-chance.share()), exponential_max);
      break;
    case Rule::Spread::again:
      for (unsigned n = 0; n < again_max && chance.share() < rule.again; ++n) drawn += base;
      break;
  }
  return Nanoseconds(static_cast<std::int64_t>(drawn));
}

}  // namespace

std::optional<Nanoseconds> duration_of(std::string_view text) {
  const bool is_milliseconds = text.ends_with("ms");
  if (!is_milliseconds && !text.ends_with('s')) return std::nullopt;
  const auto count =
      number_of<std::uint32_t>(text.substr(0, text.size() - (is_milliseconds ? 2 : 1)));
  if (!count) return std::nullopt;
  return is_milliseconds ? Nanoseconds(Milliseconds(*count)) : Nanoseconds(Seconds(*count));
}

bool is_reply_code(std::string_view text) {
  return text.size() == 3 && text[0] >= '2' && text[0] <= '5' &&
         std::ranges::all_of(text, wire::is_digit);
}

std::optional<Stage> parse_stage(std::string_view text) {
  const auto* row = std::ranges::find_if(stage_names, [text](const StageName& known) {
    return wire::equals_ignoring_case(known.name, text);
  });
  if (row == std::end(stage_names)) return std::nullopt;
  return row->stage;
}

std::expected<Rule, std::string> parse_rule(std::string_view text, std::string_view domain) {
  const auto bad = [text](Fault why) {
    return std::unexpected("\"" + std::string(text) + "\": " + std::string(why));
  };
  Rule rule;
  rule.domain = domain;
  std::ranges::transform(rule.domain, rule.domain.begin(), wire::to_lower);
  std::string_view rest = text;
  const auto stage = parse_stage(take_word(rest));
  if (!stage)
    return bad(
        "expected CONNECT, HELLO, STARTTLS, HANDSHAKE, MAIL, RCPT, DATA, END, RSET, NOOP, VRFY or "
        "QUIT first");
  rule.stage = *stage;
  if (!domain.empty() && *stage != Stage::rcpt && *stage != Stage::data && *stage != Stage::end)
    return bad("only RCPT, DATA and END are of a domain");
  std::string_view word = take_word(rest);
  if (word.ends_with('%')) {
    const auto share = share_of(word);
    if (!share) return bad("expected a share from 0% to 100%");
    rule.share = *share;
    word = take_word(rest);
  }
  const Fault fault = parse_action(word, rest, rule);
  if (fault != well) return bad(fault);
  return rule;
}

// SplitMix64.
std::uint64_t Chance::next() {
  std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

RuleBook::RuleBook(const std::vector<Rule>& rules) {
  for (const Rule& rule : rules) rules_[static_cast<std::size_t>(rule.stage)].push_back(rule);
}

Decision RuleBook::decide(Stage stage, std::string_view domain, Chance& chance) const {
  Decision decision;
  for (const Rule& rule : rules_[static_cast<std::size_t>(stage)]) {
    if (!rule.domain.empty() && !wire::equals_ignoring_case(rule.domain, domain)) continue;
    if (rule.share < 1 && chance.share() >= rule.share) continue;
    if (rule.decides()) {
      decision.rule = &rule;
      return decision;
    }
    if (rule.action == Action::delay) decision.delay += drawn(rule, chance);
    if (rule.action == Action::pause) decision.pause += rule.delay;
    if (rule.action == Action::read) decision.octets_per_second = rule.octets;
    if (rule.action == Action::cut) {
      decision.cut_after = rule.octets;
      decision.cuts = true;
    }
  }
  return decision;
}

}  // namespace kurir::sink
