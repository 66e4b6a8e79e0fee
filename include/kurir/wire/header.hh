#pragma once
// Header sections of messages and MIME parts (RFC 5322 2.2): walking the fields, unfolding, and the
// selections that IMAP asks for. Everything views the caller's octets; nothing is changed or
// judged. Lines end with CRLF; a bare LF is taken for a line end too. Work is linear in the
// header's octets. Pure; any core.

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kurir::wire {

struct HeaderField {
  std::string_view
      name;  // empty when the line is no field: no colon, or no name that RFC 5322 knows
  std::string_view
      value;  // after the colon: folding and white space as they stand, no final line end
  std::string_view raw;  // the whole field with its final line end

  bool is(std::string_view other) const;  // without regard to ASCII case
};

// Walks the fields from the first octet to the blank line, or to the end of the octets.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view header) : rest_(header) {}
  std::optional<HeaderField> next();

 private:
  std::string_view rest_;
};

// Octets of the header section that a message begins with, its blank line included. A message
// without a blank line is all header.
[[nodiscard]] std::size_t header_octets(std::string_view message);

// The first field with the name.
[[nodiscard]] std::optional<HeaderField> find_field(std::string_view header, std::string_view name);
[[nodiscard]] std::vector<HeaderField> find_fields(std::string_view header, std::string_view name);
[[nodiscard]] std::size_t count_fields(std::string_view header, std::string_view name);

// Hops so far, for loop detection (RFC 5321 6.3).
[[nodiscard]] inline std::size_t count_received(std::string_view header) {
  return count_fields(header, "Received");
}

// The value in one line: line ends of folding removed, white space at both ends trimmed.
[[nodiscard]] std::string unfold(std::string_view value);

// Field names to select by; looking one up does not depend on how many a client asked for.
class HeaderNames {
 public:
  HeaderNames(std::initializer_list<std::string_view> names);
  explicit HeaderNames(const std::vector<std::string_view>& names);
  bool contains(std::string_view name) const;

 private:
  std::vector<std::string> lower_;  // sorted
};

enum class HeaderSelection { matching, others };  // HEADER.FIELDS, HEADER.FIELDS.NOT

// Appends the octets of the selected fields as they stand, then the blank line (RFC 9051 6.4.5.1).
void append_selected_fields(std::string& out, std::string_view header, const HeaderNames& names,
                            HeaderSelection selection);

}  // namespace kurir::wire
