#include "kurir/wire/delivery_report.hh"

#include <algorithm>
#include <vector>

#include "delivery_report_parts.hh"
#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/header.hh"
#include "kurir/wire/transfer_encoding.hh"

namespace kurir::wire {

using namespace delivery_report;

namespace {

constexpr std::string_view boundary_head = "=_kurir-report-";

// What must be known of octets before they are sent as they are.
struct LineCheck {
  bool eight_bit = false;
  bool sendable = true;  // lines of at most 998 octets that end in CRLF; no NUL, bare CR or bare LF
};

LineCheck check_lines(std::string_view octets) {
  LineCheck check;
  check.eight_bit = has_eight_bit(octets);
  while (!octets.empty() && check.sendable) {
    const std::string_view line = octets.substr(0, octets.find('\n'));
    const bool ended = line.size() < octets.size();
    const std::string_view text = line.substr(0, line.size() - (line.ends_with('\r') ? 1 : 0));
    const bool clean = text.find_first_of(std::string_view("\r\0", 2)) == std::string_view::npos;
    check.sendable = clean && text.size() <= limits::text_line_octets_max &&
                     (ended ? text.size() < line.size() : text.size() == line.size());
    octets.remove_prefix(std::min(octets.size(), line.size() + 1));
  }
  return check;
}

struct Part {
  std::string_view type;
  std::string_view encoding;  // empty: 7bit
  std::string content;        // encoded
};

// 7-bit as it is, else quoted-printable.
Part make_part(std::string_view type, std::string content) {
  const LineCheck check = check_lines(content);
  if (check.sendable && !check.eight_bit) return {type, {}, std::move(content)};
  std::string encoded;
  append_quoted_printable(encoded, content);
  return {type, "quoted-printable", std::move(encoded)};
}

Part text_part(const DeliveryReport& report) {
  std::string text = text_for_people(report);
  const std::string_view type =
      has_eight_bit(text) ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii";
  return make_part(type, std::move(text));
}

// The fields that fit the bound, as they stand: one that is too long is left out, not cut.
Part header_part(std::string_view original) {
  std::string fields;
  HeaderReader reader(original);
  while (const auto field = reader.next()) {
    if (fields.size() + field->raw.size() <= limits::report_original_octets_max)
      fields.append(field->raw);
  }
  return make_part("text/rfc822-headers", std::move(fields));
}

// message/rfc822 must not be encoded (RFC 2046 5.2.1), and with a header that is not ASCII it would
// be another type (RFC 6532 3.7): then the header alone is returned.
Part returned_part(const DeliveryReport& report) {
  const std::string_view original = report.original;
  if (!report.return_full || original.size() > limits::report_original_octets_max)
    return header_part(original);
  const LineCheck check = check_lines(original);
  const bool plain_header = !has_eight_bit(original.substr(0, header_octets(original)));
  if (!check.sendable || !plain_header) return header_part(original);
  return {"message/rfc822", check.eight_bit ? "8bit" : "", std::string(original)};
}

// A boundary that no part holds anywhere: the least number that none has behind boundary_head.
std::string boundary_for(std::span<const Part> parts) {
  std::vector<std::uint64_t> taken;
  for (const Part& part : parts) {
    const std::string_view content = part.content;
    for (std::size_t at = content.find(boundary_head); at != std::string_view::npos;
         at = content.find(boundary_head, at)) {
      at += boundary_head.size();
      const std::size_t end = std::min(content.find_first_not_of("0123456789", at), content.size());
      if (const auto number = parse_decimal(content.substr(at, end - at))) taken.push_back(*number);
    }
  }
  std::ranges::sort(taken);
  std::uint64_t number = 1;
  for (const std::uint64_t other : taken) number += number == other ? 1 : 0;
  return std::string(boundary_head) + std::to_string(number) + "_";
}

std::string_view subject_of(std::span<const ReportedRecipient> recipients) {
  const auto any = [recipients](ReportAction action) {
    return std::ranges::any_of(recipients, [=](const auto& r) { return r.action == action; });
  };
  if (any(ReportAction::failed)) return "Undelivered mail: your message was returned";
  if (any(ReportAction::delayed)) return "Delayed mail: delivery is still being tried";
  if (any(ReportAction::relayed)) return "Your message was passed on";
  return "Your message was delivered";
}

// "<...>" of the original's Message-ID, where it is one that may stand in a field of ours.
std::string message_id_of(std::string_view original) {
  const auto field = find_field(original, "Message-ID");
  if (!field) return {};
  std::string id = unfold(field->value);
  const bool usable = id.size() > 2 && id.size() <= 250 && id.starts_with('<') &&
                      id.ends_with('>') && std::ranges::all_of(id, is_graphic) &&
                      std::ranges::count(id, '<') == 1 && std::ranges::count(id, '>') == 1;
  return usable ? id : std::string();
}

void append_header(std::string& out, const DeliveryReport& report, std::string_view boundary,
                   bool eight_bit) {
  out.append("Date: ");
  append_date(out, report.now);
  out.append("\r\nFrom: Mail Delivery System <MAILER-DAEMON@").append(report.hostname);
  out.append(">\r\nTo: <");
  append_name(out, report.sender);
  out.append(">\r\nSubject: ").append(subject_of(report.recipients));
  out.append("\r\nMessage-ID: <").append(report.report_id).append("@").append(report.hostname);
  out.append(">\r\n");
  if (const std::string id = message_id_of(report.original); !id.empty()) {
    out.append("In-Reply-To: ").append(id).append("\r\n");
    out.append("References: ").append(id).append("\r\n");
  }
  out.append(
      "Auto-Submitted: auto-replied\r\n"  // RFC 3834 5
      "MIME-Version: 1.0\r\n"
      "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"");
  out.append(boundary).append("\"\r\n");
  if (eight_bit) out.append("Content-Transfer-Encoding: 8bit\r\n");
  out.append("\r\nThis is a delivery status notification in MIME format.\r\n");
}

void append_part(std::string& out, const Part& part, std::string_view boundary) {
  out.append("\r\n--").append(boundary);
  out.append("\r\nContent-Type: ").append(part.type).append("\r\n");
  if (!part.encoding.empty())
    out.append("Content-Transfer-Encoding: ").append(part.encoding).append("\r\n");
  out.append("\r\n").append(part.content);
}

}  // namespace

std::string compose_delivery_report(const DeliveryReport& report) {
  KURIR_ASSERT(!report.sender.empty());
  KURIR_ASSERT(!report.recipients.empty());
  const Part parts[] = {text_part(report),
                        {"message/delivery-status", {}, status_fields(report)},
                        returned_part(report)};
  const std::string boundary = boundary_for(parts);
  const bool eight_bit =
      std::ranges::any_of(parts, [](const Part& p) { return p.encoding == "8bit"; });
  std::string out;
  append_header(out, report, boundary, eight_bit);
  for (const Part& part : parts) append_part(out, part, boundary);
  out.append("\r\n--").append(boundary).append("--\r\n");
  return out;
}

}  // namespace kurir::wire
