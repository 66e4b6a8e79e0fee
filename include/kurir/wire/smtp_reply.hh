#pragma once
// SMTP replies (RFC 5321 4.2) with enhanced status codes (RFC 3463, RFC 2034): the writer of our
// own, and the parser of a peer's. Any core.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kurir/base/parsed.hh"
#include "kurir/wire/smtp_fault.hh"

namespace kurir::wire {

struct EnhancedStatus {
  std::uint8_t status_class =
      0;  // 2, 4 or 5; 0: the reply carries none (EHLO, 220, 221 of HELO, 3yz)
  std::uint16_t subject = 0;
  std::uint16_t detail = 0;

  constexpr bool is_given() const { return status_class != 0; }
  friend bool operator==(const EnhancedStatus&, const EnhancedStatus&) = default;
};

// A reply of ours. The text is borrowed: static, or owned by who sends it. "\n" in it begins a
// further line of the reply.
struct Reply {
  std::uint16_t code = 250;
  EnhancedStatus status;
  std::string_view text;

  constexpr bool is_positive() const { return code < 400; }
};

// The octets that write_reply would take.
std::size_t octets_of(const Reply& reply);
// Formats the reply, CRLF included, at the start of `out`; returns its octets, 0 if it has no room.
// Each line is at most limits::smtp_reply_line_octets_max: longer text is continued on a further
// line. Octets that are not visible ASCII are sent as "?", so that no text from elsewhere can break
// a reply in two.
std::size_t write_reply(std::span<char> out, const Reply& reply);
void append_reply(std::string& out, const Reply& reply);

// What a parser's fault is answered with; for verbs and kinds as smtp_fault.hh tells.
Reply reply_for(const SmtpFault& fault);

enum class SmtpReplyFault : std::uint8_t {
  bad_line_end,
  malformed,     // no code, or none of 2yz to 5yz, or junk behind it
  codes_differ,  // between the lines of one reply
  too_long,      // a line, or the reply
};

// A peer's reply, as views into the input. Its text is untrusted: see append_printable.
struct PeerReply {
  std::uint16_t code = 0;
  EnhancedStatus status;   // of the first line, where its class fits the code
  std::string_view lines;  // all of them as received, CRLF included

  // The text of the next line without code, separator and CRLF; takes it off `lines`.
  static std::string_view take_line(std::string_view& lines);
  std::string_view first_line() const;  // with its enhanced status, if it has one
};

// The reply at the start of `input`; incomplete until its last line's CRLF is there. Bounded by
// limits::smtp_peer_reply_octets_max.
Parsed<PeerReply, SmtpReplyFault> parse_smtp_reply(std::string_view input);

// class "." subject "." detail at the start of the text, followed by a space or the end.
std::optional<EnhancedStatus> parse_enhanced_status(std::string_view text);

// Appends at most octets_max of the text, with "?" for all but visible ASCII and spaces.
void append_printable(std::string& out, std::string_view text, std::size_t octets_max);

}  // namespace kurir::wire
