#include "kurir/smtp/submitted_header.hh"

#include <algorithm>

#include "kurir/wire/date.hh"
#include "kurir/wire/header.hh"

namespace kurir::smtp {

bool has_whole_header(std::string_view content, std::size_t from) {
  constexpr std::string_view end = "\r\n\r\n";
  const std::size_t overlap = std::min(from, end.size() - 1);
  return content.starts_with("\r\n") || content.find(end, from - overlap) != content.npos;
}

std::string complete_header(std::string_view content, const SubmittedHeader& made) {
  std::string whole;
  whole.reserve(content.size() + 200);
  bool has_date = false, has_id = false;
  std::size_t fields_end = 0;
  wire::HeaderReader reader(content.substr(0, wire::header_octets(content)));
  while (const auto field = reader.next()) {
    if (field->name.empty()) break;
    fields_end = static_cast<std::size_t>(field->raw.data() - content.data()) + field->raw.size();
    if (field->is("Bcc") || field->is("Resent-Bcc")) continue;
    has_date = has_date || field->is("Date");
    has_id = has_id || field->is("Message-ID");
    whole += field->raw;
    if (!whole.ends_with('\n')) whole += "\r\n";
  }
  if (!has_date) {
    whole += "Date: ";
    wire::append_mail_date(whole, {.utc_seconds = made.received.seconds()});
    whole += "\r\n";
  }
  if (!has_id) whole += "Message-ID: <" + made.message_id + ">\r\n";
  const std::string_view rest = content.substr(fields_end);
  if (!rest.starts_with("\r\n")) whole += "\r\n";
  whole += rest;
  return whole;
}

}  // namespace kurir::smtp
