#include "kurir/wire/imap_literal.hh"

#include "imap_cursor.hh"
#include "imap_parts.hh"
#include "kurir/base/limits.hh"

namespace kurir::wire {
namespace {

// The offset of a "{" (or of the "~" before it) from which the line's rest could be a literal's
// announcement, outside of quoted strings; npos if the line ends otherwise.
struct LineShape {
  std::size_t announcement = std::string_view::npos;
  bool in_quotes = false;
};

LineShape shape_of(std::string_view text) {
  LineShape shape;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') shape.in_quotes = !shape.in_quotes;
    if (c == '\\' && shape.in_quotes) ++i;
    if (c == '{' && !shape.in_quotes) shape.announcement = i;
  }
  if (!text.ends_with('}')) shape.announcement = std::string_view::npos;
  const std::size_t brace = shape.announcement;
  if (brace != std::string_view::npos && brace > 0 && text[brace - 1] == '~') --shape.announcement;
  return shape;
}

// Whether a client that wrote this line may send octets without being asked, whatever we think of
// the line: it ends with "{" digits "+}".
bool announces_unasked(std::string_view text) {
  if (!text.ends_with("+}")) return false;
  text.remove_suffix(2);
  const std::size_t last = text.find_last_not_of("0123456789");
  return last != std::string_view::npos && text[last] == '{';
}

}  // namespace

Parsed<std::optional<ImapLiteral>, ImapLiteralFault> line_literal(std::string_view line) {
  const std::size_t end = line.find('\n');
  if (end == std::string_view::npos) return Incomplete{};
  if (end == 0 || line[end - 1] != '\r') {
    return ImapLiteralFault{ImapSyntax::bad_line_end, announces_unasked(line.substr(0, end))};
  }
  const std::string_view text = line.substr(0, end - 1);
  const bool on_its_way = announces_unasked(text);
  const LineShape shape = shape_of(text);
  if (shape.in_quotes) return ImapLiteralFault{ImapSyntax::bad_string, on_its_way};
  if (shape.announcement == std::string_view::npos) return {std::nullopt, end + 1};
  const bool begins_argument =
      shape.announcement > 0 && std::string_view(" (").contains(text[shape.announcement - 1]);
  if (!begins_argument) return ImapLiteralFault{ImapSyntax::literal_misplaced, on_its_way};
  ImapCursor cursor(line.substr(shape.announcement, end + 1 - shape.announcement));
  const ImapLiteral literal = cursor.literal_header();
  if (!cursor.ok()) return ImapLiteralFault{cursor.fault(), on_its_way};
  return {literal, end + 1};
}

ImapLiteralVerdict judge_literal(const ImapLiteral& literal, const ImapLiteralBudget& budget) {
  const std::size_t most = budget.authenticated ? limits::imap_command_octets_max
                                                : limits::imap_literal_before_login_max;
  // Room for the line end behind the literal is part of the bargain.
  const bool fits = !literal.binary && literal.octets <= most &&
                    budget.literals < limits::imap_literals_max &&
                    budget.command_octets + literal.octets + 2 <= limits::imap_command_octets_max;
  if (fits)
    return literal.synchronizing ? ImapLiteralVerdict::ask_and_take : ImapLiteralVerdict::take;
  return literal.synchronizing ? ImapLiteralVerdict::refuse : ImapLiteralVerdict::refuse_and_close;
}

// append-opts = [SP flag-list] [SP date-time] SP literal / literal8 (RFC 3502 6.3.11, RFC
// 9051 6.3.12).
ImapAppendMessage read_append_message(ImapCursor& cursor) {
  ImapAppendMessage message;
  cursor.space();
  if (cursor.peek() == '(') {
    message.flags = read_flag_list(cursor);
    cursor.space();
  }
  if (cursor.peek() == '"') {
    message.date = parse_imap_date_time(cursor.string().view());
    if (!message.date) cursor.fail(ImapSyntax::bad_date);
    cursor.space();
  }
  message.literal = cursor.literal_header();
  return message;
}

Parsed<std::optional<ImapAppendHead>, ImapFault> parse_append_head(std::string_view so_far) {
  ImapCursor cursor(so_far);
  ImapAppendHead head;
  head.tag = cursor.tag();
  cursor.space();
  if (cursor.ok() && !cursor.accept_word("APPEND") && cursor.ok())
    return {std::nullopt, cursor.position()};
  cursor.space();
  head.mailbox = cursor.astring();
  head.message = read_append_message(cursor);
  if (cursor.ok()) return {std::move(head), cursor.position()};
  if (cursor.incomplete()) return Incomplete{};
  return ImapFault{cursor.fault(), head.tag};
}

Parsed<std::optional<ImapAppendMessage>, ImapSyntax> parse_append_next(std::string_view line) {
  ImapCursor cursor(line);
  if (cursor.at_line_end()) {
    cursor.end_of_line();
    return finished(cursor, std::optional<ImapAppendMessage>{});
  }
  std::optional<ImapAppendMessage> message = read_append_message(cursor);
  return finished(cursor, std::move(message));
}

}  // namespace kurir::wire
