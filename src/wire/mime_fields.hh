#pragma once
// The Content- fields of one part's header, read into the part.

#include <string_view>

#include "kurir/wire/mime.hh"

namespace kurir::wire {

// in_digest: the part's default type is message/rfc822 (RFC 2046 5.1.5).
void read_mime_fields(MimePart& part, std::string_view header, bool in_digest);

// Makes the part a leaf that nobody looks into.
void make_opaque(MimePart& part);

}  // namespace kurir::wire
