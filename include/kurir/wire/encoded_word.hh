#pragma once
// RFC 2047: text of header fields to UTF-8. Lenient as mail needs it: encoded-words are decoded
// wherever they stand, a character split between neighbours of one charset is put together, what is
// no encoded-word stays as it is. A charset nobody knows leaves the decoded octets as they are.
// Linear. Pure; any core.

#include <string>
#include <string_view>

namespace kurir::wire {

// Unfolds the value (as unfold() does) and decodes its encoded-words.
[[nodiscard]] std::string decode_header_text(std::string_view value);

}  // namespace kurir::wire
