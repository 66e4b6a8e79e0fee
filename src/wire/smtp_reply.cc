#include "kurir/wire/smtp_reply.hh"

#include <algorithm>
#include <array>
#include <charconv>

#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/line.hh"

namespace kurir::wire {
namespace {

constexpr std::size_t code_octets = 4;  // "250-"

char printable(char c) { return is_graphic(c) || c == ' ' ? c : '?'; }

// What stands at the head of each line of one reply: "250-2.1.0 ".
struct Head {
  std::array<char, 20> octets;
  std::size_t size = 0;

  explicit Head(const Reply& reply) {
    KURIR_ASSERT(reply.code >= 200 && reply.code <= 599);
    append(reply.code);
    octets[size++] = '-';
    if (!reply.status.is_given()) return;
    append(reply.status.status_class);
    octets[size++] = '.';
    append(reply.status.subject);
    octets[size++] = '.';
    append(reply.status.detail);
    octets[size++] = ' ';
  }
  void append(unsigned number) {
    const auto written = std::to_chars(octets.data() + size, octets.data() + octets.size(), number);
    KURIR_ASSERT(written.ec == std::errc());
    size = static_cast<std::size_t>(written.ptr - octets.data());
  }
};

// Takes off `rest` what one line of the reply carries.
std::string_view take_text(std::string_view& rest, std::size_t head_octets, bool& last) {
  const std::size_t room = limits::smtp_reply_line_octets_max - head_octets - 2;
  const std::size_t newline = rest.find('\n');
  const std::string_view text = rest.substr(0, std::min(newline, room));
  last = text.size() == rest.size();
  rest.remove_prefix(text.size());
  if (rest.starts_with('\n')) rest.remove_prefix(1);
  return text;
}

std::optional<unsigned> code_of(std::string_view line) {
  if (line.size() < 3 || line[0] < '2' || line[0] > '5') return std::nullopt;
  return parse_decimal<unsigned>(line.substr(0, 3));
}

constexpr Reply syntax_reply(std::uint16_t code, std::uint16_t detail, std::string_view text) {
  return {code, {5, 5, detail}, text};
}

// 5.1.7 speaks of a sender's address, 5.1.3 of a recipient's.
Reply address_reply(const SmtpFault& fault, std::string_view text) {
  const std::uint16_t detail = fault.verb == SmtpVerb::mail ? 7 : 3;
  return {501, {5, 1, detail}, text};
}

SmtpReplyFault fault_of(LineFault fault) {
  switch (fault) {
    case LineFault::too_long:
      return SmtpReplyFault::too_long;
    case LineFault::nul:
      return SmtpReplyFault::malformed;
    case LineFault::bare_lf:
    case LineFault::bare_cr:
      break;
  }
  return SmtpReplyFault::bad_line_end;
}

EnhancedStatus status_of(unsigned code, std::string_view line) {
  const auto status = parse_enhanced_status(line.substr(std::min(line.size(), code_octets)));
  return status && status->status_class == code / 100 ? *status : EnhancedStatus{};
}

}  // namespace

std::size_t octets_of(const Reply& reply) {
  const Head head(reply);
  std::size_t octets = 0;
  std::string_view rest = reply.text;
  for (bool last = false; !last;) octets += head.size + take_text(rest, head.size, last).size() + 2;
  return octets;
}

std::size_t write_reply(std::span<char> out, const Reply& reply) {
  const Head head(reply);
  std::size_t at = 0;
  std::string_view rest = reply.text;
  for (bool last = false; !last;) {
    const std::string_view text = take_text(rest, head.size, last);
    if (out.size() - at < head.size + text.size() + 2) return 0;
    std::copy_n(head.octets.data(), head.size, out.data() + at);
    if (last) out[at + 3] = ' ';
    at += head.size;
    std::ranges::transform(text, out.data() + at, printable);
    at += text.size();
    out[at++] = '\r';
    out[at++] = '\n';
  }
  return at;
}

void append_reply(std::string& out, const Reply& reply) {
  const std::size_t before = out.size();
  const std::size_t octets = octets_of(reply);
  out.resize(before + octets);
  const std::size_t written = write_reply(std::span(out).subspan(before), reply);
  KURIR_ASSERT(written == octets);
}

Reply reply_for(const SmtpFault& fault) {
  switch (fault.kind) {
    case SmtpFaultKind::bad_line_end:
      return syntax_reply(500, 2, "A line must end in CR LF and hold no other CR or LF");
    case SmtpFaultKind::nul:
      return syntax_reply(500, 2, "A command must not hold NUL");
    case SmtpFaultKind::too_long:
      return syntax_reply(500, 2, "Line too long");
    case SmtpFaultKind::foreign_protocol:
      return {521, {5, 7, 0}, "This is an SMTP server"};
    case SmtpFaultKind::unknown_verb:
      return syntax_reply(500, 2, "Command not recognized");
    case SmtpFaultKind::syntax:
      return syntax_reply(501, 4, "Syntax error in arguments");
    case SmtpFaultKind::missing_argument:
      return syntax_reply(501, 4, "Argument missing");
    case SmtpFaultKind::unexpected_argument:
      return syntax_reply(501, 4, "This command takes no argument");
    case SmtpFaultKind::bad_parameter:
      return syntax_reply(501, 4, "Bad or repeated parameter");
    case SmtpFaultKind::unknown_parameter:
      return syntax_reply(555, 4, "Parameter not supported");
    case SmtpFaultKind::bad_address:
      return address_reply(fault, "Bad address syntax");
    case SmtpFaultKind::non_ascii:
      return {550, {5, 6, 7}, "Only ASCII is allowed here"};
    case SmtpFaultKind::local_part_too_long:
      return address_reply(fault, "Local part too long, 64 octets at most");
    case SmtpFaultKind::domain_too_long:
      return address_reply(fault, "Domain too long, 255 octets at most");
    case SmtpFaultKind::path_too_long:
      return address_reply(fault, "Path too long, 256 octets at most");
    case SmtpFaultKind::bad_chunk_size:
      break;
  }
  return syntax_reply(501, 4, "Bad chunk size");
}

std::string_view PeerReply::take_line(std::string_view& lines) {
  const std::string_view line = lines.substr(0, lines.find('\r'));
  lines.remove_prefix(std::min(lines.size(), line.size() + 2));
  return line.substr(std::min(line.size(), code_octets));
}

std::string_view PeerReply::first_line() const {
  std::string_view rest = lines;
  return take_line(rest);
}

// Reply = *( code "-" [ text ] CRLF ) code [ SP [ text ] ] CRLF
Parsed<PeerReply, SmtpReplyFault> parse_smtp_reply(std::string_view input) {
  PeerReply reply;
  std::size_t consumed = 0;
  for (;;) {
    const auto line = next_line(input.substr(consumed), limits::smtp_peer_reply_line_octets_max);
    if (line.is_fault()) return fault_of(line.fault());
    const std::size_t octets_known = line.is_match() ? consumed + line.consumed() : input.size();
    if (octets_known > limits::smtp_peer_reply_octets_max) return SmtpReplyFault::too_long;
    if (line.is_incomplete()) return Incomplete{};
    const std::string_view text = line.value();
    const std::optional<unsigned> code = code_of(text);
    const bool more = text.size() > 3 && text[3] == '-';
    if (!code || (text.size() > 3 && text[3] != ' ' && !more)) return SmtpReplyFault::malformed;
    if (consumed > 0 && *code != reply.code) return SmtpReplyFault::codes_differ;
    if (consumed == 0) reply.status = status_of(*code, text);
    reply.code = static_cast<std::uint16_t>(*code);
    consumed += line.consumed();
    if (more) continue;
    reply.lines = input.substr(0, consumed);
    return {reply, consumed};
  }
}

std::optional<EnhancedStatus> parse_enhanced_status(std::string_view text) {
  const std::string_view word = take_word(text);
  const std::size_t first = word.find('.');
  if (first != 1 || (word[0] != '2' && word[0] != '4' && word[0] != '5')) return std::nullopt;
  const std::size_t second = word.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const std::string_view subject_digits = word.substr(2, second - 2);
  const std::string_view detail_digits = word.substr(second + 1);
  if (subject_digits.size() > 3 || detail_digits.size() > 3) return std::nullopt;
  const auto subject = parse_decimal<std::uint16_t>(subject_digits);
  const auto detail = parse_decimal<std::uint16_t>(detail_digits);
  if (!subject || !detail) return std::nullopt;
  return EnhancedStatus{static_cast<std::uint8_t>(word[0] - '0'), *subject, *detail};
}

void append_printable(std::string& out, std::string_view text, std::size_t octets_max) {
  text = text.substr(0, octets_max);
  const std::size_t before = out.size();
  out.resize(before + text.size());
  std::ranges::transform(text, out.begin() + static_cast<std::ptrdiff_t>(before), printable);
}

}  // namespace kurir::wire
