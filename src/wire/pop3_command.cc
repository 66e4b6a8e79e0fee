#include "kurir/wire/pop3_command.hh"

#include <algorithm>
#include <iterator>

#include "kurir/wire/ascii.hh"
#include "kurir/wire/line.hh"

namespace kurir::wire {
namespace {

using Fault = std::optional<Pop3FaultKind>;
constexpr Fault fine = std::nullopt;

// A leaf reads the argument of its verb into the command.
using Leaf = Fault (*)(Pop3Command& command);

// Takes a message number off the front: 1 to 4294967295, digits only.
Fault take_message(Pop3Command& command, std::string_view& rest) {
  const auto number = parse_decimal<std::uint32_t>(take_word(rest));
  if (!number || *number == 0) return Pop3FaultKind::bad_number;
  command.message = *number;
  return fine;
}

Fault read_nothing(Pop3Command& command) {
  return command.argument.empty() ? fine : Pop3FaultKind::unexpected_argument;
}

Fault read_message(Pop3Command& command) {
  std::string_view rest = command.argument;
  if (rest.empty()) return Pop3FaultKind::missing_argument;
  const Fault fault = take_message(command, rest);
  if (fault) return fault;
  return rest.empty() ? fine : Pop3FaultKind::unexpected_argument;
}

Fault read_maybe_message(Pop3Command& command) {
  return command.argument.empty() ? fine : read_message(command);
}

Fault read_top(Pop3Command& command) {
  std::string_view rest = command.argument;
  if (rest.empty()) return Pop3FaultKind::missing_argument;
  const Fault fault = take_message(command, rest);
  if (fault) return fault;
  if (rest.empty()) return Pop3FaultKind::missing_argument;
  const auto lines = parse_decimal<std::uint32_t>(take_word(rest));
  if (!lines) return Pop3FaultKind::bad_number;
  command.lines = *lines;
  return rest.empty() ? fine : Pop3FaultKind::unexpected_argument;
}

// Names and passwords may hold spaces (RFC 1939 7: PASS has one argument, spaces and all).
Fault read_text(Pop3Command& command) {
  if (command.argument.empty()) return Pop3FaultKind::missing_argument;
  return is_clean_utf8(command.argument) ? fine : Pop3FaultKind::bad_argument;
}

Fault read_maybe_text(Pop3Command& command) {
  return command.argument.empty() ? fine : read_text(command);
}

// AUTH [ mechanism [ SP initial-response ] ] (RFC 5034 4)
Fault read_mechanism(Pop3Command& command) {
  constexpr std::size_t mechanism_octets_max = 20;
  std::string_view rest = command.argument;
  command.mechanism = take_word(rest);
  const auto is_mechanism = [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; };
  if (command.mechanism.size() > mechanism_octets_max ||
      !std::ranges::all_of(command.mechanism, is_mechanism) ||
      !std::ranges::all_of(rest, is_graphic)) {
    return Pop3FaultKind::bad_argument;
  }
  if (!rest.empty()) command.initial = rest;
  return fine;
}

struct Row {
  Pop3Verb verb;
  std::string_view name;
  Leaf read;
};

// In the order of Pop3Verb.
constexpr Row rows[] = {
    {Pop3Verb::user, "USER", read_text},    {Pop3Verb::pass, "PASS", read_text},
    {Pop3Verb::apop, "APOP", read_text},    {Pop3Verb::auth, "AUTH", read_mechanism},
    {Pop3Verb::capa, "CAPA", read_nothing}, {Pop3Verb::stls, "STLS", read_nothing},
    {Pop3Verb::stat, "STAT", read_nothing}, {Pop3Verb::list, "LIST", read_maybe_message},
    {Pop3Verb::retr, "RETR", read_message}, {Pop3Verb::dele, "DELE", read_message},
    {Pop3Verb::noop, "NOOP", read_nothing}, {Pop3Verb::rset, "RSET", read_nothing},
    {Pop3Verb::top, "TOP", read_top},       {Pop3Verb::uidl, "UIDL", read_maybe_message},
    {Pop3Verb::quit, "QUIT", read_nothing}, {Pop3Verb::lang, "LANG", read_maybe_text},
    {Pop3Verb::utf8, "UTF8", read_nothing},
};
static_assert(std::size(rows) == static_cast<std::size_t>(Pop3Verb::unknown));

Pop3FaultKind fault_kind_of(LineFault fault) {
  switch (fault) {
    case LineFault::bare_lf:
    case LineFault::bare_cr:
      return Pop3FaultKind::bad_line_end;
    case LineFault::nul:
      return Pop3FaultKind::nul;
    case LineFault::too_long:
      break;
  }
  return Pop3FaultKind::too_long;
}

// What follows the verb's one space. For a password each further space counts; for all else,
// spaces at the ends do not.
std::string_view argument_of(Pop3Verb verb, std::string_view line, std::size_t verb_octets) {
  std::string_view argument = line.substr(std::min(line.size(), verb_octets + 1));
  if (verb == Pop3Verb::pass) return argument;
  while (argument.starts_with(' ')) argument.remove_prefix(1);
  while (argument.ends_with(' ')) argument.remove_suffix(1);
  return argument;
}

}  // namespace

Parsed<Pop3Command, Pop3Fault> parse_pop3_command(std::string_view input,
                                                  const Pop3CommandOptions& options) {
  const bool is_auth = starts_with_ignoring_case(input, "AUTH ");
  const auto line = next_line(input, is_auth ? options.auth_octets_max : options.octets_max);
  if (line.is_incomplete()) return Incomplete{};
  if (line.is_fault()) return Pop3Fault{fault_kind_of(line.fault())};
  const std::string_view word = line.value().substr(0, line.value().find(' '));
  const auto same_name = [word](const Row& row) { return equals_ignoring_case(row.name, word); };
  const Row* const row = std::ranges::find_if(rows, same_name);
  if (row == std::end(rows)) {
    return Pop3Fault{Pop3FaultKind::unknown_verb, Pop3Verb::unknown, line.consumed()};
  }
  Pop3Command command;
  command.verb = row->verb;
  command.argument = argument_of(row->verb, line.value(), word.size());
  const Fault fault = row->read(command);
  if (fault) return Pop3Fault{*fault, row->verb, line.consumed()};
  return {command, line.consumed()};
}

std::string_view name_of(Pop3Verb verb) {
  return verb == Pop3Verb::unknown ? "?" : rows[static_cast<std::size_t>(verb)].name;
}

}  // namespace kurir::wire
