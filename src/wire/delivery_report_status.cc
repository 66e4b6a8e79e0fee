// message/delivery-status (RFC 3464 2): fields about the message, then a group for each recipient.

#include <algorithm>
#include <charconv>

#include "delivery_report_parts.hh"
#include "kurir/base/limits.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/date.hh"

namespace kurir::wire::delivery_report {
namespace {

constexpr std::size_t column_max = 78;        // RFC 5322 2.1.1
constexpr std::size_t word_octets_max = 900;  // a longer word is broken: no line exceeds 998
constexpr std::size_t name_octets_max = 900;
constexpr std::string_view fold = "\r\n ";

constexpr std::string_view action_names[] = {"failed", "delayed", "delivered", "relayed",
                                             "expanded"};

EnhancedStatus status_of(const ReportedRecipient& recipient) {
  if (recipient.status.is_given()) return recipient.status;
  constexpr std::uint8_t classes[] = {5, 4, 2, 2, 2};
  return {classes[static_cast<std::size_t>(recipient.action)], 0, 0};
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name);
  out.append(": ");
  append_folded(out, value, fold, name.size() + 2);
  out.append("\r\n");
}

void append_date_field(std::string& out, std::string_view name, WallTime moment) {
  out.append(name);
  out.append(": ");
  append_date(out, moment);
  out.append("\r\n");
}

// RFC 6533 3: an address that is not ASCII, in a field that is: utf-8-addr-xtext, each character
// beyond ASCII as \x{HEX}. Octets that are no UTF-8 become "?".
void append_utf8_address(std::string& out, std::string_view address) {
  for (std::size_t at = 0; at < address.size();) {
    const auto lead = static_cast<unsigned char>(address[at]);
    std::size_t octets = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    octets = std::min(octets, address.size() - at);
    if (octets == 1) {
      append_printable(out, address.substr(at, 1), 1);
    } else {
      unsigned character = lead & (0xFFU >> (octets + 1));
      for (std::size_t i = 1; i < octets; ++i)
        character = character << 6 | (static_cast<unsigned char>(address[at + i]) & 0x3F);
      char digits[8];
      const auto end = std::to_chars(digits, digits + sizeof digits, character, 16);
      out.append("\\x{").append(digits, end.ptr).append("}");
    }
    at += octets;
  }
}

// Original-Recipient and Final-Recipient: address-type ";" generic-address.
void append_address_field(std::string& out, std::string_view name, std::string_view address) {
  out.append(name);
  out.append(": ");
  const std::size_t semicolon = address.find(';');
  const std::string_view given =
      address.substr(0, semicolon == std::string_view::npos ? 0 : semicolon);
  const bool typed = !given.empty() && std::ranges::all_of(given, [](char c) {
    return is_alphanumeric(c) || c == '-' || c == '_';
  });
  const std::string_view type = typed ? given : "rfc822";
  if (typed) address.remove_prefix(semicolon + 1);
  address = address.substr(0, name_octets_max);
  if (has_eight_bit(address) && is_clean_utf8(address)) {
    out.append("utf-8; ");
    append_utf8_address(out, address);
  } else {
    out.append(type).append("; ");
    append_printable(out, address, name_octets_max);
  }
  out.append("\r\n");
}

void append_status_field(std::string& out, EnhancedStatus status) {
  out.append("Status: ").append(std::to_string(status.status_class));
  out.append(".").append(std::to_string(status.subject));
  out.append(".").append(std::to_string(status.detail)).append("\r\n");
}

// Diagnostic-Code is a server's words; ours have a type of their own.
void append_diagnostic(std::string& out, const ReportedRecipient& recipient) {
  if (!recipient.remote_reply.empty()) {
    constexpr std::string_view head = "Diagnostic-Code: smtp; ";
    out.append(head);
    append_reply_lines(out, recipient.remote_reply, fold, head.size());
    out.append("\r\n");
  } else if (!recipient.explanation.empty()) {
    append_field(out, "Diagnostic-Code", "X-Kurir; " + std::string(recipient.explanation));
  }
}

void append_recipient(std::string& out, const ReportedRecipient& recipient) {
  out.append("\r\n");
  if (!recipient.original.empty())
    append_address_field(out, "Original-Recipient", recipient.original);
  append_address_field(out, "Final-Recipient", "rfc822;" + std::string(recipient.address));
  append_field(out, "Action", action_names[static_cast<std::size_t>(recipient.action)]);
  append_status_field(out, status_of(recipient));
  if (!recipient.remote_name.empty())
    append_field(out, "Remote-MTA", "dns; " + std::string(recipient.remote_name));
  append_diagnostic(out, recipient);
  if (recipient.last_attempt) append_date_field(out, "Last-Attempt-Date", *recipient.last_attempt);
  if (recipient.tried_until && recipient.action == ReportAction::delayed)
    append_date_field(out, "Will-Retry-Until", *recipient.tried_until);
}

}  // namespace

void append_name(std::string& out, std::string_view text) {
  text = text.substr(0, name_octets_max);
  if (is_clean_utf8(text)) {
    out.append(text);
  } else {
    append_printable(out, text, name_octets_max);
  }
}

void append_date(std::string& out, WallTime moment) {
  append_mail_date(out, {.utc_seconds = moment.seconds(), .zone_minutes = 0});
}

void append_folded(std::string& out, std::string_view text, std::string_view line_break,
                   std::size_t column) {
  bool at_start = true;  // of the text, or behind a break: no space is due
  while (true) {
    while (!text.empty() && !is_graphic(text.front()) && !is_eight_bit(text.front()))
      text.remove_prefix(1);
    if (text.empty()) return;
    const std::size_t end = std::min(text.find(' '), word_octets_max);
    const std::string_view word = text.substr(0, end);
    if (!at_start && column + 1 + word.size() > column_max) {
      out.append(line_break);
      column = line_break.size() - 2;
    } else if (!at_start) {
      out.push_back(' ');
      ++column;
    }
    append_printable(out, word, word.size());
    column += word.size();
    at_start = false;
    text.remove_prefix(word.size());
  }
}

void append_reply_lines(std::string& out, std::string_view reply, std::string_view line_break,
                        std::size_t column) {
  reply = reply.substr(0, limits::report_reply_octets_max);
  for (bool first = true; !reply.empty();) {
    const std::string_view line = reply.substr(0, reply.find('\n'));
    reply.remove_prefix(std::min(reply.size(), line.size() + 1));
    const bool blank =
        std::ranges::none_of(line, [](char c) { return is_graphic(c) || is_eight_bit(c); });
    if (blank) continue;  // a fold of nothing but white space is obsolete (RFC 5322 4.2)
    if (!first) out.append(line_break);
    const std::string_view text = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    append_folded(out, text, line_break, first ? column : line_break.size() - 2);
    first = false;
  }
}

std::string status_fields(const DeliveryReport& report) {
  std::string out;
  if (!report.envelope_id.empty()) append_field(out, "Original-Envelope-Id", report.envelope_id);
  append_field(out, "Reporting-MTA", "dns; " + std::string(report.hostname));
  if (!report.received_from.empty())
    append_field(out, "Received-From-MTA", "dns; " + std::string(report.received_from));
  if (report.arrived) append_date_field(out, "Arrival-Date", *report.arrived);
  for (const ReportedRecipient& recipient : report.recipients) append_recipient(out, recipient);
  return out;
}

}  // namespace kurir::wire::delivery_report
