#pragma once
// Strings from messages in IMAP responses.

#include <algorithm>
#include <string>
#include <string_view>

#include "kurir/wire/imap_response.hh"

namespace kurir::wire {

// A string with NUL is one that no client can read (RFC 9051 9: CHAR8).
inline void append_text(ImapWriter& writer, std::string_view text) {
  if (!text.contains('\0')) {
    writer.string(text);
    return;
  }
  std::string clean(text);
  std::ranges::replace(clean, '\0', '?');
  writer.string(clean);
}

inline void append_text_or_nil(ImapWriter& writer, std::string_view text) {
  if (text.empty()) {
    writer.raw("NIL");
  } else {
    append_text(writer, text);
  }
}

}  // namespace kurir::wire
