#pragma once
// The pieces that a delivery report is put together from.

#include <cstddef>
#include <string>
#include <string_view>

#include "kurir/wire/delivery_report.hh"

namespace kurir::wire::delivery_report {

// The content of the first two parts, without the fields of MIME. The text may be UTF-8.
std::string text_for_people(const DeliveryReport& report);
std::string status_fields(const DeliveryReport& report);

// An address, a name: clean UTF-8 as it is, anything else with "?" for what is not visible ASCII.
// Bounded.
void append_name(std::string& out, std::string_view text);
void append_date(std::string& out, WallTime moment);

// Appends the lines of a reply, each made printable, with `line_break` (CRLF and an indent) before
// every line but the first, and where a line is long. `column` is where the first one begins.
// What exceeds limits::report_reply_octets_max is left out.
void append_reply_lines(std::string& out, std::string_view reply, std::string_view line_break,
                        std::size_t column);
// Words of visible ASCII, folded at spaces.
void append_folded(std::string& out, std::string_view text, std::string_view line_break,
                   std::size_t column);

}  // namespace kurir::wire::delivery_report
