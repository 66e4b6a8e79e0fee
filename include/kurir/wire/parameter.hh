#pragma once
// "value; name=value" fields of MIME (RFC 2045 5.1, RFC 2183) with RFC 2231: continuations put
// together, percent signs and charset decoded on demand. At most limits::mime_parameters_max
// parameters are read. Linear but for one sort. Pure; any core.

#include <string>
#include <string_view>
#include <vector>

namespace kurir::wire {

struct MimeParameter {
  std::string name{};     // as written, without RFC 2231's "*"
  std::string value{};    // quoting undone, continuations joined
  bool extended = false;  // value is charset'language'percent-encoded: "name*" (RFC 2231 4)

  bool is(std::string_view other) const;  // without regard to ASCII case
  std::string decoded() const;  // in UTF-8, encoded-words too, which many senders put here
  friend bool operator==(const MimeParameter&, const MimeParameter&) = default;
};

struct ParameterizedValue {
  std::string value{};  // "text/plain", "attachment"; white space and comments removed
  std::vector<MimeParameter> parameters{};

  const MimeParameter* find(std::string_view name) const;  // nullptr when absent
};

[[nodiscard]] ParameterizedValue parse_parameterized(std::string_view field_value);

}  // namespace kurir::wire
