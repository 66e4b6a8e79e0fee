#pragma once
// Name: a domain name as text: lower-case, no final dot, the root is ".". Pure; any core.

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace kurir::dns {

class Name {
 public:
  // Labels of 1 to 63 visible US-ASCII characters, 253 octets in all (RFC 1035 2.3.4), a final dot
  // allowed; nullopt else, and where a character would need quoting. Names that are asked for may
  // hold '_' and '/' (RFC 6698, RFC 2317); is_host_name() is stricter.
  static std::optional<Name> parse(std::string_view text);
  static Name root() { return Name("."); }
  const std::string& text() const { return text_; }
  bool is_root() const { return text_ == "."; }
  friend auto operator<=>(const Name&, const Name&) = default;

 private:
  explicit Name(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// Letters, digits, hyphens and underscores, no label that begins or ends with a hyphen, and a last
// label that is no number: an IPv4 address is none (RFC 1123 2.1, RFC 3696 2).
bool is_host_name(std::string_view text);

}  // namespace kurir::dns
