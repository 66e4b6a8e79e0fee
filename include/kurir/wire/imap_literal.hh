#pragma once
// Literals (RFC 9051 4.3, RFC 7888 LITERAL+, RFC 3516 literal8): whether a received line ends a
// command or announces octets that follow, whether those octets may be taken, and whether they are
// the message of an APPEND, which goes to disk instead of into the command's buffer. No number that
// a client announces is ever allocated by (threats.md I1). Pure; any core.
//
// How a session assembles a command, line by line (each line comes with its CR LF):
//   line_literal(line): match(none) -> the command is whole, parse_imap_command(buffer);
//                       fault       -> reply BAD; close if it must_close, else the command is over;
//                       match(literal) -> parse_append_head(buffer): a match with a value means
//                       stream it, else judge_literal(...), perhaps "+ ", read that many octets
//                       behind the line, then the next line.

#include <cstdint>
#include <optional>
#include <string_view>

#include "kurir/base/parsed.hh"
#include "kurir/wire/imap_date.hh"
#include "kurir/wire/imap_fault.hh"
#include "kurir/wire/imap_flags.hh"
#include "kurir/wire/imap_string.hh"

namespace kurir::wire {

struct ImapLiteral {
  std::uint64_t octets = 0;
  bool synchronizing = true;  // the client waits for "+ " before it sends them
  bool binary = false;        // literal8: may hold NUL; for APPEND only

  friend bool operator==(const ImapLiteral&, const ImapLiteral&) = default;
};

struct ImapLiteralFault {
  ImapSyntax syntax;
  bool must_close;  // octets are on their way that cannot be told from commands
};

// line: the newest line with its CR LF, whole from where the last literal (or the last command)
// ended.
[[nodiscard]] Parsed<std::optional<ImapLiteral>, ImapLiteralFault> line_literal(
    std::string_view line);

// What a command has used so far and what it may use.
struct ImapLiteralBudget {
  std::size_t command_octets = 0;  // in the buffer, the announcing line included
  std::size_t literals = 0;        // taken before this one
  bool authenticated = false;
};

enum class ImapLiteralVerdict : std::uint8_t {
  ask_and_take,      // send "+ ", then read
  take,              // already on its way
  refuse,            // NO [TOOBIG]; the client has sent nothing and will not
  refuse_and_close,  // BYE: it comes anyway, and skipping it is what an attacker wants
};

// For every literal that goes into the command's buffer.
[[nodiscard]] ImapLiteralVerdict judge_literal(const ImapLiteral& literal,
                                               const ImapLiteralBudget& budget);

// One message of an APPEND before its octets.
struct ImapAppendMessage {
  ImapFlagList flags{};
  std::optional<ImapDateTime> date{};
  ImapLiteral literal{};
};

// Views the parsed octets.
struct ImapAppendHead {
  std::string_view tag{};
  ImapString mailbox{};  // as sent: decode with imap_name.hh
  ImapAppendMessage message{};
};

// so_far: the command from its tag to a line that announces a literal. Match with a value: the
// octets behind consumed() are the message. Match without: some other command. Incomplete: APPEND,
// but what is announced is its mailbox name, which belongs in the buffer.
[[nodiscard]] Parsed<std::optional<ImapAppendHead>, ImapFault> parse_append_head(
    std::string_view so_far);

// line: what follows a message's octets. Match without a value: the APPEND ends; with one: a
// further message (MULTIAPPEND, RFC 3502).
[[nodiscard]] Parsed<std::optional<ImapAppendMessage>, ImapSyntax> parse_append_next(
    std::string_view line);

}  // namespace kurir::wire
