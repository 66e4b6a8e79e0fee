#pragma once
// The golden text of a message's structure: tests/golden/mime/NAME.txt beside NAME.eml. Its lines
// are ENVELOPE, BODY and BODYSTRUCTURE as IMAP writes them, and for each part number the octets
// that BODY[n], BODY[n.MIME], BODY[n.HEADER] and BODY[n.TEXT] give.

#include <string>
#include <string_view>
#include <vector>

#include "kurir/wire/imap_structure.hh"

namespace kurir::wire::test {

inline void append_sections(std::string& text, const MimeStructure& structure,
                            std::vector<std::uint32_t>& numbers) {
  std::string name;
  for (const std::uint32_t number : numbers)
    name += (name.empty() ? "" : ".") + std::to_string(number);
  const auto line = [&](SectionText section, std::string_view suffix) {
    const auto octets = structure.section(numbers, section);
    if (!octets) return;
    text += "[" + name + std::string(suffix) + "] " + std::to_string(octets->begin) + ".." +
            std::to_string(octets->end) + "\n";
  };
  line(SectionText::whole, "");
  line(SectionText::mime, numbers.empty() ? "MIME" : ".MIME");
  line(SectionText::header, numbers.empty() ? "HEADER" : ".HEADER");
  line(SectionText::text, numbers.empty() ? "TEXT" : ".TEXT");
  for (std::uint32_t number = 1;; ++number) {
    numbers.push_back(number);
    const bool exists = structure.find_part(numbers).has_value();
    if (exists) append_sections(text, structure, numbers);
    numbers.pop_back();
    if (!exists) return;
  }
}

inline std::string golden_text(std::string_view message) {
  const MimeStructure structure = parse_mime(message);
  std::string text = "ENVELOPE ";
  ImapWriter writer(text);
  append_envelope(writer, structure.parts[0].header.of(message));
  append_structure(writer.raw("\nBODY "), structure, message, StructureForm::body);
  append_structure(writer.raw("\nBODYSTRUCTURE "), structure, message,
                   StructureForm::body_structure);
  writer.raw("\n");
  std::vector<std::uint32_t> numbers;
  append_sections(text, structure, numbers);
  return text;
}

}  // namespace kurir::wire::test
