#include "mime_fields.hh"

#include <utility>

#include "kurir/base/limits.hh"
#include "kurir/wire/header.hh"
#include "mail_ascii.hh"
#include "rfc5322_lexer.hh"

namespace kurir::wire {

using namespace mail_ascii;

namespace {

// A field that is no "type/subtype" counts as absent (RFC 2045 5.2).
void read_type(MimePart& part, std::string_view value) {
  ParameterizedValue parsed = parse_parameterized(value);
  const std::size_t slash = parsed.value.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == parsed.value.size()) return;
  part.type = parsed.value.substr(0, slash);
  part.subtype = parsed.value.substr(slash + 1);
  part.parameters = std::move(parsed.parameters);
}

void read_languages(MimePart& part, std::string_view value) {
  Rfc5322Lexer lexer(value, ",");
  while (part.languages.size() < limits::mime_parameters_max) {
    LexToken token = lexer.next();
    if (token.kind == LexKind::end) return;
    if (token.kind == LexKind::atom) part.languages.push_back(std::move(token.text));
  }
}

struct FieldRow {
  std::string_view name;
  void (*read)(MimePart&, std::string_view value);
};
constexpr FieldRow field_rows[] = {
    {"Content-Type", read_type},
    {"Content-Transfer-Encoding",
     [](MimePart& part, std::string_view value) {
       part.encoding = parse_parameterized(value).value;  // comments and a stray ";" go
     }},
    {"Content-Disposition",
     [](MimePart& part, std::string_view value) { part.disposition = parse_parameterized(value); }},
    {"Content-ID", [](MimePart& part, std::string_view value) { part.id = unfold(value); }},
    {"Content-Description",
     [](MimePart& part, std::string_view value) { part.description = unfold(value); }},
    {"Content-Language", read_languages},
    {"Content-Location",
     [](MimePart& part, std::string_view value) { part.location = unfold(value); }},
    {"Content-MD5", [](MimePart& part, std::string_view value) { part.md5 = unfold(value); }},
};

}  // namespace

void read_mime_fields(MimePart& part, std::string_view header, bool in_digest) {
  if (in_digest) {
    part.type = "message";
    part.subtype = "rfc822";
  }
  std::uint32_t seen = 0;  // the first of several fields counts
  HeaderReader reader(header.substr(0, limits::header_octets_max));
  while (const auto field = reader.next()) {
    if (field->name.size() < 8 || !same(field->name.substr(0, 8), "Content-")) continue;
    for (std::size_t row = 0; row < std::size(field_rows); ++row) {
      if (seen >> row & 1u || !field->is(field_rows[row].name)) continue;
      seen |= 1u << row;
      field_rows[row].read(part, field->value);
    }
  }
}

void make_opaque(MimePart& part) {
  part.kind = MimeKind::leaf;
  part.type = "application";
  part.subtype = "octet-stream";
  part.parameters.clear();
}

}  // namespace kurir::wire
