#include "kurir/wire/smtp_command.hh"

#include <algorithm>
#include <array>
#include <iterator>

#include "kurir/wire/ascii.hh"
#include "kurir/wire/line.hh"

namespace kurir::wire {
namespace {

using Fault = std::optional<SmtpFaultKind>;
constexpr Fault fine = std::nullopt;

// A leaf reads the argument of its verb into the command.
using Leaf = Fault (*)(SmtpCommand& command, const SmtpCommandOptions& options);

// The keyword "FROM:" or "TO:" is part of the argument's syntax. Clients put spaces behind the
// colon although the grammar has none; the meaning is not in doubt, so they are let through.
bool take_keyword(std::string_view& argument, std::string_view keyword) {
  if (!starts_with_ignoring_case(argument, keyword)) return false;
  argument.remove_prefix(keyword.size());
  while (argument.starts_with(' ')) argument.remove_prefix(1);
  return true;
}

// SMTPUTF8 stands behind the path that it allows, so it is looked for before the path is read.
bool asks_for_utf8(std::string_view argument, const SmtpCommandOptions& options) {
  if (!options.offered.has(SmtpParameter::smtputf8)) return false;
  constexpr std::string_view keyword = " SMTPUTF8";
  for (std::size_t at = argument.find(' '); at != std::string_view::npos;
       at = argument.find(' ', at + 1)) {
    const std::string_view here = argument.substr(at);
    const bool whole = here.size() == keyword.size() ||
                       (here.size() > keyword.size() && here[keyword.size()] == ' ');
    if (whole && starts_with_ignoring_case(here, keyword)) return true;
  }
  return false;
}

// The path is followed by the end or by a space and parameters.
Fault take_path(SmtpCommand& command, const Parsed<PathView, AddressFault>& path,
                std::string_view& rest) {
  if (path.is_fault()) return fault_kind_of(path.fault());
  command.path = path.value();
  rest.remove_prefix(path.consumed());
  return rest.empty() || rest.starts_with(' ') ? fine : SmtpFaultKind::syntax;
}

Fault read_mail(SmtpCommand& command, const SmtpCommandOptions& options) {
  std::string_view rest = command.argument;
  if (!take_keyword(rest, "FROM:")) return SmtpFaultKind::syntax;
  const AddressOptions address_options{.utf8 = has_eight_bit(rest) && asks_for_utf8(rest, options)};
  const Fault fault = take_path(command, parse_reverse_path(rest, address_options), rest);
  if (fault) return fault;
  const auto parameters = parse_mail_parameters(rest, options.offered);
  if (!parameters) return parameters.error();
  command.mail = *parameters;
  // A quoted local part may hold the word SMTPUTF8 without anybody having asked for it.
  return address_options.utf8 && !command.mail.smtputf8 ? SmtpFaultKind::non_ascii : fine;
}

Fault read_rcpt(SmtpCommand& command, const SmtpCommandOptions& options) {
  std::string_view rest = command.argument;
  if (!take_keyword(rest, "TO:")) return SmtpFaultKind::syntax;
  const AddressOptions address_options{.utf8 = options.utf8_transaction};
  const Fault fault = take_path(command, parse_forward_path(rest, address_options), rest);
  if (fault) return fault;
  const auto parameters = parse_rcpt_parameters(rest, options.offered);
  if (!parameters) return parameters.error();
  command.rcpt = *parameters;
  return fine;
}

Fault read_nothing(SmtpCommand& command, const SmtpCommandOptions&) {
  return command.argument.empty() ? fine : SmtpFaultKind::unexpected_argument;
}

// NOOP and HELP take any text; it is not looked at (RFC 5321 4.1.1.9).
Fault read_any_text(SmtpCommand&, const SmtpCommandOptions&) { return fine; }

Fault read_text(SmtpCommand& command, const SmtpCommandOptions&) {
  if (command.argument.empty()) return SmtpFaultKind::missing_argument;
  const auto is_text = [](char c) { return is_graphic(c) || c == ' '; };
  if (std::ranges::all_of(command.argument, is_text)) return fine;
  return has_eight_bit(command.argument) ? SmtpFaultKind::non_ascii : SmtpFaultKind::syntax;
}

// The name that the peer gives itself. Peers often give one that is no domain name (RFC 5321
// 4.1.4 forbids refusing them for that), so any visible ASCII is read; the policy is the session's.
Fault read_name(SmtpCommand& command, const SmtpCommandOptions&) {
  const std::string_view name = command.argument;
  if (name.empty()) return SmtpFaultKind::missing_argument;
  if (has_eight_bit(name)) return SmtpFaultKind::non_ascii;
  if (name.size() > limits::domain_octets_max) return SmtpFaultKind::domain_too_long;
  return std::ranges::all_of(name, is_graphic) ? fine : SmtpFaultKind::syntax;
}

// chunk-size [ SP "LAST" ] (RFC 3030 2), the size in checked 64 bits.
Fault read_chunk(SmtpCommand& command, const SmtpCommandOptions&) {
  std::string_view rest = command.argument;
  const auto octets = parse_decimal(take_word(rest));
  if (!octets) return SmtpFaultKind::bad_chunk_size;
  command.bdat = {*octets, equals_ignoring_case(rest, "LAST")};
  return rest.empty() || command.bdat.last ? fine : SmtpFaultKind::bad_chunk_size;
}

// mechanism [ SP initial-response ] (RFC 4954 4); sasl-mech = 1*20 of letters, digits, "-", "_".
Fault read_mechanism(SmtpCommand& command, const SmtpCommandOptions&) {
  constexpr std::size_t mechanism_octets_max = 20;
  std::string_view rest = command.argument;
  const std::string_view mechanism = take_word(rest);
  if (mechanism.empty()) return SmtpFaultKind::missing_argument;
  const auto is_mechanism = [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; };
  if (mechanism.size() > mechanism_octets_max || !std::ranges::all_of(mechanism, is_mechanism)) {
    return SmtpFaultKind::syntax;
  }
  command.auth.mechanism = mechanism;
  if (rest.empty()) return fine;
  if (!std::ranges::all_of(rest, is_graphic)) return SmtpFaultKind::syntax;
  command.auth.initial = rest;
  return fine;
}

struct Row {
  SmtpVerb verb;
  std::string_view name;
  Leaf read;
};

// In the order of SmtpVerb, the frequent ones first.
constexpr Row rows[] = {
    {SmtpVerb::mail, "MAIL", read_mail},       {SmtpVerb::rcpt, "RCPT", read_rcpt},
    {SmtpVerb::data, "DATA", read_nothing},    {SmtpVerb::bdat, "BDAT", read_chunk},
    {SmtpVerb::ehlo, "EHLO", read_name},       {SmtpVerb::helo, "HELO", read_name},
    {SmtpVerb::lhlo, "LHLO", read_name},       {SmtpVerb::rset, "RSET", read_nothing},
    {SmtpVerb::noop, "NOOP", read_any_text},   {SmtpVerb::quit, "QUIT", read_nothing},
    {SmtpVerb::auth, "AUTH", read_mechanism},  {SmtpVerb::starttls, "STARTTLS", read_nothing},
    {SmtpVerb::vrfy, "VRFY", read_text},       {SmtpVerb::expn, "EXPN", read_text},
    {SmtpVerb::help, "HELP", read_any_text},   {SmtpVerb::etrn, "ETRN", read_text},
    {SmtpVerb::xclient, "XCLIENT", read_text},
};
static_assert(std::size(rows) == static_cast<std::size_t>(SmtpVerb::unknown));

// Up to eight letters in upper case as one number; 0 for anything that is no verb.
constexpr std::uint64_t verb_key(std::string_view word) {
  if (word.empty() || word.size() > 8) return 0;
  std::uint64_t key = 0;
  for (const char c : word) {
    if (!is_alpha(c)) return 0;
    key = key << 8 | static_cast<unsigned char>(c & ~0x20);
  }
  return key;
}

consteval auto keys_of_rows() {
  std::array<std::uint64_t, std::size(rows)> keys{};
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = verb_key(rows[i].name);
  return keys;
}
constexpr auto keys = keys_of_rows();

const Row* find_row(std::string_view word) {
  const std::uint64_t key = verb_key(word);
  if (key == 0) return nullptr;
  const auto found = std::ranges::find(keys, key);
  return found == keys.end() ? nullptr : &rows[found - keys.begin()];
}

// What browsers and scanners say (threats.md A10): talking on would let a page send mail.
bool is_foreign(std::string_view word) {
  constexpr std::string_view methods[] = {"GET",     "POST",  "PUT",   "HEAD",
                                          "CONNECT", "PATCH", "TRACE", "OPTIONS"};
  return std::ranges::find(methods, word) != std::end(methods) || word.starts_with("SSH-");
}

constexpr char tls_handshake_record = 0x16;

SmtpFaultKind fault_kind_of(LineFault fault) {
  switch (fault) {
    case LineFault::bare_lf:
    case LineFault::bare_cr:
      return SmtpFaultKind::bad_line_end;
    case LineFault::nul:
      return SmtpFaultKind::nul;
    case LineFault::too_long:
      break;
  }
  return SmtpFaultKind::too_long;
}

Parsed<SmtpCommand, SmtpFault> parse_line(std::string_view line, std::size_t consumed,
                                          const SmtpCommandOptions& options) {
  SmtpCommand command;
  command.line = line;
  std::string_view rest = line;
  const std::string_view word = take_word(rest);
  const Row* row = find_row(word);
  if (row == nullptr) {
    if (is_foreign(word)) return SmtpFault{SmtpFaultKind::foreign_protocol};
    return SmtpFault{SmtpFaultKind::unknown_verb, SmtpVerb::unknown, consumed};
  }
  // Trailing white space is let through (RFC 5321 4.1.1).
  while (rest.ends_with(' ') || rest.ends_with('\t')) rest.remove_suffix(1);
  command.verb = row->verb;
  command.argument = rest;
  const Fault fault = row->read(command, options);
  if (fault) return SmtpFault{*fault, row->verb, consumed};
  return {command, consumed};
}

}  // namespace

SmtpFaultKind fault_kind_of(AddressFault fault) {
  switch (fault) {
    case AddressFault::bad_address:
      return SmtpFaultKind::bad_address;
    case AddressFault::non_ascii:
      return SmtpFaultKind::non_ascii;
    case AddressFault::local_part_too_long:
      return SmtpFaultKind::local_part_too_long;
    case AddressFault::domain_too_long:
      return SmtpFaultKind::domain_too_long;
    case AddressFault::path_too_long:
      break;
  }
  return SmtpFaultKind::path_too_long;
}

Parsed<SmtpCommand, SmtpFault> parse_smtp_command(std::string_view input,
                                                  const SmtpCommandOptions& options) {
  if (input.starts_with(tls_handshake_record)) return SmtpFault{SmtpFaultKind::foreign_protocol};
  const bool is_auth = starts_with_ignoring_case(input, "AUTH ");
  const auto line = next_line(input, is_auth ? options.auth_octets_max : options.octets_max);
  if (line.is_incomplete()) return Incomplete{};
  if (line.is_fault()) return SmtpFault{fault_kind_of(line.fault())};
  return parse_line(line.value(), line.consumed(), options);
}

std::string_view name_of(SmtpVerb verb) {
  return verb == SmtpVerb::unknown ? "?" : rows[static_cast<std::size_t>(verb)].name;
}

}  // namespace kurir::wire
