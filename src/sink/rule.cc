#include "kurir/sink/rule.hh"

#include <algorithm>
#include <array>
#include <charconv>

#include "kurir/wire/ascii.hh"

namespace kurir::sink {
namespace {

using Action = Rule::Action;

constexpr std::array<std::pair<std::string_view, Stage>, 7> stages = {{{"CONNECT", Stage::connect},
                                                                       {"HELLO", Stage::hello},
                                                                       {"MAIL", Stage::mail},
                                                                       {"RCPT", Stage::rcpt},
                                                                       {"DATA", Stage::data},
                                                                       {"END", Stage::end},
                                                                       {"QUIT", Stage::quit}}};

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

template <class T>
std::optional<T> number_of(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "250ms", "2s".
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
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool parse_delay(std::string_view text, Rule& rule) {
  const std::size_t jitter = text.find("+-");
  const auto delay = duration_of(text.substr(0, jitter));
  const auto spread = jitter == std::string_view::npos ? std::optional<Nanoseconds>(Nanoseconds(0))
                                                       : duration_of(text.substr(jitter + 2));
  if (!delay || !spread || *spread > *delay) return false;
  rule.delay = *delay;
  rule.jitter = *spread;
  return true;
}

}  // namespace

std::expected<Rule, std::string> parse_rule(std::string_view text, std::string_view domain) {
  const auto bad = [text](std::string_view why) {
    return std::unexpected("\"" + std::string(text) + "\": " + std::string(why));
  };
  Rule rule;
  rule.domain = domain;
  std::string_view rest = text;
  const std::string_view stage = take_word(rest);
  const auto row = std::ranges::find_if(
      stages, [&](const auto& known) { return wire::equals_ignoring_case(known.first, stage); });
  if (row == stages.end())
    return bad("expected CONNECT, HELLO, MAIL, RCPT, DATA, END or QUIT first");
  rule.stage = row->second;
  std::string_view word = take_word(rest);
  if (word.ends_with('%')) {
    const auto percent = number_of<double>(word.substr(0, word.size() - 1));
    if (!percent || *percent < 0 || *percent > 100) return bad("expected a share from 0% to 100%");
    rule.share = *percent / 100;
    word = take_word(rest);
  }
  if (is_reply_code(word)) {
    rule.code = *number_of<std::uint16_t>(word);
    rule.reply = std::string(word) + std::string(rest.empty() ? " as told" : rest);
    return rule;
  }
  if (word == "delay") {
    rule.action = Action::delay;
    if (!parse_delay(take_word(rest), rule)) return bad("expected delay 200ms or 200ms+-100ms");
  } else if (word == "disconnect") {
    rule.action = Action::disconnect;
  } else if (word == "silent") {
    rule.action = Action::silent;
  } else {
    return bad("expected a reply code, delay, disconnect or silent");
  }
  if (!take_word(rest).empty()) return bad("there is something behind the action");
  return rule;
}

// SplitMix64.
std::uint64_t Chance::next() {
  std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

Decision decide(const std::vector<Rule>& rules, Stage stage, std::string_view domain,
                Chance& chance) {
  Decision decision;
  for (const Rule& rule : rules) {
    if (rule.stage != stage) continue;
    if (!rule.domain.empty() && !wire::equals_ignoring_case(rule.domain, domain)) continue;
    if (rule.share < 1 && chance.share() >= rule.share) continue;
    if (rule.action != Action::delay) {
      decision.rule = &rule;
      return decision;
    }
    const double spread = double(rule.jitter.count()) * (2 * chance.share() - 1);
    decision.delay += rule.delay + Nanoseconds(static_cast<std::int64_t>(spread));
  }
  return decision;
}

std::optional<Rule> rule_of_local_part(std::string_view local_part) {
  Rule rule;
  rule.stage = Stage::rcpt;
  if (wire::equals_ignoring_case(local_part, "timeout")) {
    rule.action = Action::silent;
    return rule;
  }
  if (wire::equals_ignoring_case(local_part, "disconnect")) {
    rule.action = Action::disconnect;
    return rule;
  }
  const bool has_code =
      local_part.size() >= 3 && is_reply_code(local_part.substr(0, 3)) && local_part[0] >= '4';
  if (!has_code || (local_part.size() > 3 && local_part[3] != '-')) return std::nullopt;
  rule.code = *number_of<std::uint16_t>(local_part.substr(0, 3));
  rule.reply = std::string(local_part.substr(0, 3)) + (rule.code < 500 ? " 4.0.0" : " 5.0.0") +
               " as the address asks";
  return rule;
}

}  // namespace kurir::sink
