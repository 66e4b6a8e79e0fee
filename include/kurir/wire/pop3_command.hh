#pragma once
// POP3 commands (RFC 1939, 2449 CAPA, 2595 STLS, 5034 AUTH, 6856 UTF8 and LANG), parsed where they
// lie. A command's views look into the input and die with it. Any core.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "kurir/base/limits.hh"
#include "kurir/base/parsed.hh"

namespace kurir::wire {

enum class Pop3Verb : std::uint8_t {
  user,
  pass,
  apop,
  auth,
  capa,
  stls,
  stat,
  list,
  retr,
  dele,
  noop,
  rset,
  top,
  uidl,
  quit,
  lang,
  utf8,
  unknown,  // only in faults
};

enum class Pop3FaultKind : std::uint8_t {
  // The line's end is not known: close, or use LineSkipper. consumed is 0.
  bad_line_end,
  nul,
  too_long,
  // The line is known and consumed: "-ERR" and go on.
  unknown_verb,
  missing_argument,
  unexpected_argument,
  bad_argument,  // a control, not UTF-8, or no mechanism
  bad_number,    // no message number of 1 to 4294967295, or no line count (threats.md J1)
};

struct Pop3Fault {
  Pop3FaultKind kind;
  Pop3Verb verb = Pop3Verb::unknown;
  std::size_t consumed = 0;

  bool line_is_lost() const { return kind <= Pop3FaultKind::too_long; }
};

struct Pop3Command {
  Pop3Verb verb = Pop3Verb::noop;
  std::string_view argument;             // USER: the name; PASS: the password; APOP, LANG: the text
  std::optional<std::uint32_t> message;  // RETR DELE TOP: always; LIST UIDL: if one was named
  std::uint32_t lines = 0;               // TOP: of the body
  std::string_view mechanism;            // AUTH; empty: the client asks which there are
  std::optional<std::string_view> initial;  // AUTH: base64 as written, "=" for no octets
};

struct Pop3CommandOptions {
  std::size_t octets_max = limits::pop3_command_octets_max;    // RFC 2449 4, line end included
  std::size_t auth_octets_max = limits::smtp_auth_octets_max;  // the same for AUTH
};

// The command at the start of `input`; consumed counts its CRLF.
Parsed<Pop3Command, Pop3Fault> parse_pop3_command(std::string_view input,
                                                  const Pop3CommandOptions& options = {});

// The name in upper case; "?" for unknown.
std::string_view name_of(Pop3Verb verb);

}  // namespace kurir::wire
