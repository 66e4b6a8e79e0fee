#pragma once
// The MIME structure of a message (RFC 2045, 2046, 2183, 3282, 2557, 1864): a flat array of parts
// with the octets that each occupies, and IMAP's part numbers on it (RFC 9051 6.4.5.1). One pass
// over the lines; no recursion; depth and number of parts are bounded, and what lies beyond is one
// opaque leaf. Any octets are a message: wrong or missing boundaries, headers and line ends only
// make it simpler. Owns what it holds, but ranges mean the message it was made from. Pure; any
// core.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/wire/imap_fetch.hh"
#include "kurir/wire/parameter.hh"

namespace kurir::wire {

// Octets of the message: [begin, end).
struct OctetRange {
  std::size_t begin = 0;
  std::size_t end = 0;

  std::size_t size() const { return end - begin; }
  std::string_view of(std::string_view message) const { return message.substr(begin, size()); }
  friend bool operator==(const OctetRange&, const OctetRange&) = default;
};

enum class MimeKind : std::uint8_t {
  leaf,
  multipart,  // has one child or more
  message,    // message/rfc822 or message/global: its one child is the message in it
};

using PartIndex = std::uint32_t;
inline constexpr PartIndex no_part = UINT32_MAX;

struct MimePart {
  MimeKind kind = MimeKind::leaf;
  std::uint16_t depth = 0;  // 0: the message itself
  PartIndex parent = no_part;
  PartIndex first_child = no_part;
  PartIndex next_sibling = no_part;
  std::uint32_t children = 0;

  OctetRange header{};    // its blank line included
  OctetRange body{};      // without the line end that belongs to the boundary behind it
  std::size_t lines = 0;  // line ends in the body

  std::string type = "text";  // as written; the defaults of RFC 2045 5.2 and RFC 2046 5.1.5
  std::string subtype = "plain";
  std::vector<MimeParameter> parameters{};
  std::string encoding{};  // as written; empty is 7bit
  std::string id{};
  std::string description{};
  std::string md5{};
  std::string location{};
  std::vector<std::string> languages{};
  ParameterizedValue disposition{};  // value empty: none

  bool is_type(std::string_view wanted) const;  // without regard to ASCII case
  const MimeParameter* parameter(std::string_view name) const;
};

struct MimeStructure {
  std::vector<MimePart>
      parts{};  // never empty; [0] is the message; a parent stands before its parts

  // The part with IMAP's number, outermost first; nullopt for none, and for no numbers.
  std::optional<PartIndex> find_part(std::span<const std::uint32_t> numbers) const;

  // The octets of BODY[numbers.text]. For header_fields they are the header to select from. nullopt
  // where the message has no such section, as with HEADER of a part that is no message.
  std::optional<OctetRange> section(std::span<const std::uint32_t> numbers, SectionText text) const;
};

[[nodiscard]] MimeStructure parse_mime(std::string_view message);

}  // namespace kurir::wire
