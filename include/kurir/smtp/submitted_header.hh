#pragma once
// What a submission server does to a message's header section (RFC 6409 8): Date and Message-ID
// where they are missing, no Bcc. Pure.

#include <optional>
#include <string>
#include <string_view>

#include "kurir/base/clock.hh"

namespace kurir::smtp {

// Gathered to be completed.
inline constexpr std::size_t submitted_header_octets_max = 512 << 10;

struct SubmittedHeader {
  WallTime received;       // for Date
  std::string message_id;  // without its angle brackets
};

// The header section of the content, to its blank line, is complete. `from`: how much of the
// content was looked at before.
bool has_whole_header(std::string_view content, std::size_t from);

// The content with its header section as it should be. What is no field ends the section as a blank
// line does, and gets one.
std::string complete_header(std::string_view content, const SubmittedHeader& made);

}  // namespace kurir::smtp
