#pragma once
// What a FETCH asks for (RFC 9051 6.4.5, RFC 3501, RFC 7162): items without arguments as bits,
// sections as a list. Views the command's buffer. Pure; core-local values.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kurir/wire/imap_string.hh"

namespace kurir::wire {

using FetchWord = std::uint32_t;

namespace fetch {
inline constexpr FetchWord uid = 1u << 0;
inline constexpr FetchWord flags = 1u << 1;
inline constexpr FetchWord internal_date = 1u << 2;
inline constexpr FetchWord size = 1u << 3;    // RFC822.SIZE
inline constexpr FetchWord modseq = 1u << 4;  // RFC 7162
inline constexpr FetchWord envelope = 1u << 5;
inline constexpr FetchWord body = 1u << 6;  // BODY: the structure without extensions
inline constexpr FetchWord body_structure = 1u << 7;
inline constexpr FetchWord rfc822 = 1u << 8;         // RFC 3501: BODY[] under another name
inline constexpr FetchWord rfc822_header = 1u << 9;  // BODY.PEEK[HEADER]
inline constexpr FetchWord rfc822_text = 1u << 10;   // BODY[TEXT]
}  // namespace fetch

enum class SectionText : std::uint8_t {
  whole,
  header,
  header_fields,
  header_fields_not,
  text,
  mime
};

// The octets that a client wants of a longer string; the reply starts at offset and may be shorter,
// even empty.
struct FetchPartial {
  std::uint64_t offset = 0;
  std::uint64_t octets = 0;

  friend bool operator==(const FetchPartial&, const FetchPartial&) = default;
};

enum class SectionForm : std::uint8_t { body, binary, binary_size };

// BODY[...]<...>, BINARY[...]<...> or BINARY.SIZE[...].
struct FetchSection {
  SectionForm form = SectionForm::body;
  bool peek = false;  // do not set \Seen
  std::vector<std::uint32_t>
      part{};  // 1-based part numbers, outermost first; empty is the whole message
  SectionText text = SectionText::whole;
  std::vector<ImapString>
      fields{};  // for header_fields and header_fields_not, as the client spelled them
  std::optional<FetchPartial> partial{};

  // Whether both name the same octets, peek apart.
  bool same_octets(const FetchSection& other) const {
    return form == other.form && part == other.part && text == other.text &&
           fields == other.fields && partial == other.partial;
  }
};

struct FetchItems {
  FetchWord simple = 0;
  std::vector<FetchSection> sections{};  // distinct, in the order asked for

  bool has(FetchWord item) const { return simple & item; }
  // Whether fetching sets \Seen.
  bool marks_seen() const;
  // Whether only the index is needed: no header and no content.
  bool index_only() const;
};

// Appends the name under which a section is returned: BODY[1.HEADER.FIELDS (To)]<0> (no ".PEEK",
// the offset only).
void append_section_name(std::string& out, const FetchSection& section);

}  // namespace kurir::wire
