#pragma once
// What must hold of any message's structure and of what IMAP writes of it, however broken the
// message is. Shared by the tests and the fuzzer: each check returns what is wrong, or "".

#include <string>
#include <string_view>

#include "kurir/base/limits.hh"
#include "kurir/wire/imap_structure.hh"

namespace kurir::wire::test {

inline std::string fault_of_part(const MimeStructure& structure, PartIndex index,
                                 std::string_view message) {
  const MimePart& part = structure.parts[index];
  const auto inside = [](const OctetRange& range, std::size_t begin, std::size_t end) {
    return begin <= range.begin && range.begin <= range.end && range.end <= end;
  };
  if (part.depth > limits::mime_depth_max) return "too deep";
  if (!inside(part.header, 0, message.size())) return "header outside";
  if (!inside(part.body, part.header.end, message.size())) return "body outside";
  if (part.lines > part.body.size()) return "more lines than octets";
  if ((part.kind == MimeKind::leaf) != (part.children == 0)) return "kind and children differ";
  if (part.kind == MimeKind::message && part.children != 1) return "message of several parts";
  std::uint32_t children = 0;
  std::size_t at = part.body.begin;
  for (PartIndex child = part.first_child; child != no_part; ++children) {
    const MimePart& below = structure.parts[child];
    if (child <= index || below.parent != index) return "parent";
    if (below.depth != part.depth + 1) return "depth";
    if (!inside(below.header, at, part.body.end)) return "part outside its parent";
    if (!inside(below.body, below.header.end, part.body.end)) return "body outside its parent";
    at = below.body.end;
    child = below.next_sibling;
  }
  return children == part.children ? "" : "count of children";
}

inline std::string fault_of_structure(const MimeStructure& structure, std::string_view message) {
  if (structure.parts.empty() || structure.parts.size() > limits::mime_parts_max) return "parts";
  for (PartIndex index = 0; index < structure.parts.size(); ++index) {
    const std::string fault = fault_of_part(structure, index, message);
    if (!fault.empty()) return "part " + std::to_string(index) + ": " + fault;
  }
  const MimePart& root = structure.parts[0];
  if (root.header.begin != 0 || root.body.end != message.size()) return "root is not the message";
  return "";
}

// Whether the text is lists, quoted strings, literals, atoms and single spaces, well nested.
inline std::string fault_of_imap(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\0' || c == '\r' || c == '\n') return "control outside a literal";
    if (c == '(') ++depth;
    if (c == ')' && depth-- == 0) return "too many )";
    if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\') ++i;
        const bool seven_bit = i < text.size() && text[i] > 0 && text[i] != '\r' && text[i] != '\n';
        if (!seven_bit) return "quoted string";
      }
    }
    if (c == '{') {
      std::size_t octets = 0;
      for (++i; i < text.size() && text[i] != '}'; ++i)
        octets = octets * 10 + static_cast<std::size_t>(text[i] - '0');
      i += 2 + octets;
    }
    if (i >= text.size()) return "unfinished";
  }
  return depth == 0 ? "" : "too few )";
}

inline std::string fault_of_message(std::string_view message) {
  const MimeStructure structure = parse_mime(message);
  std::string fault = fault_of_structure(structure, message);
  if (!fault.empty()) return fault;
  std::string text;
  ImapWriter writer(text);
  append_envelope(writer, structure.parts[0].header.of(message));
  append_structure(writer.raw(" "), structure, message, StructureForm::body);
  append_structure(writer.raw(" "), structure, message, StructureForm::body_structure);
  return fault_of_imap(text);
}

}  // namespace kurir::wire::test
