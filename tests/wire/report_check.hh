#pragma once
// What every delivery report is, whatever came into it. Shared with the fuzz entry.

#include <string>
#include <string_view>

#include "kurir/base/limits.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/header.hh"
#include "kurir/wire/mime.hh"

namespace kurir::wire::test {

// Where a line of the message may not be sent as it is; empty: nowhere.
inline std::string fault_of_lines(std::string_view message) {
  while (!message.empty()) {
    const std::size_t end = message.find("\r\n");
    if (end == std::string_view::npos) return "the last line has no end";
    const std::string_view line = message.substr(0, end);
    if (line.size() > limits::text_line_octets_max) return "a line is too long";
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
      return "a line has a bare CR or LF or NUL";
    message.remove_prefix(end + 2);
  }
  return "";
}

// The status part's fields: one group more than recipients, nothing but fields, in ASCII, and none
// twice in a group.
inline std::string fault_of_status(std::string_view status, std::size_t recipients) {
  if (has_eight_bit(status)) return "the status is not ASCII";
  std::size_t groups = 0;
  while (!status.empty()) {
    const std::string_view group = status.substr(0, header_octets(status));
    HeaderReader reader(group);
    while (const auto field = reader.next()) {
      if (field->name.empty()) return "a line of the status is no field";
      if (count_fields(group, field->name) != 1) return "a field is there twice";
    }
    ++groups;
    status.remove_prefix(group.size());
  }
  return groups == recipients + 1 ? "" : "there are not as many groups as recipients";
}

// Empty: it is well-formed.
inline std::string fault_of_report(std::string_view message, std::size_t recipients) {
  if (std::string fault = fault_of_lines(message); !fault.empty()) return fault;
  const MimeStructure structure = parse_mime(message);
  std::vector<const MimePart*> parts;
  for (const MimePart& part : structure.parts) {
    if (part.depth == 1) parts.push_back(&part);
  }
  if (structure.parts[0].subtype != "report" || parts.size() != 3) return "the parts are wrong";
  if (parts[0]->type != "text" || parts[0]->subtype != "plain") return "part 1 is no text";
  if (parts[1]->subtype != "delivery-status") return "part 2 is no status";
  const std::string_view header = structure.parts[0].header.of(message);
  for (const std::string_view name : {"From", "To", "Subject", "Date", "Message-ID"}) {
    if (count_fields(header, name) != 1) return "the header is wrong";
  }
  const MimeParameter* boundary = structure.parts[0].parameter("boundary");
  if (boundary == nullptr) return "no boundary";
  std::size_t delimiters = 0;
  for (std::size_t at = message.find(boundary->value, header.size()); at != std::string_view::npos;
       at = message.find(boundary->value, at + 1)) {
    ++delimiters;
  }
  if (delimiters != 4) return "the boundary is in a part";
  return fault_of_status(std::string(parts[1]->body.of(message)) + "\r\n", recipients);
}

}  // namespace kurir::wire::test
