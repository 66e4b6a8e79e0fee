#pragma once
// What a directory calls an address: local-part@domain, lower-case, without quotes, in US-ASCII.
// Checks for text that is stored, and a normal form for look-ups that needs no allocation. Pure;
// any core.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kurir/base/limits.hh"

namespace kurir::directory {

struct AddressParts {
  std::string_view local_part;
  std::string_view domain;
};

// At the last '@', so that a quoted local part may hold one (RFC 5321 4.1.2). nullopt: no '@'.
std::optional<AddressParts> split_address(std::string_view address);

// Letters, digits and hyphens in labels of 1 to 63 (RFC 1035 2.3.1, RFC 1123 2.1), no final dot.
bool is_domain(std::string_view text);
// A Dot-string of RFC 5321 4.1.2, at most 64 octets.
bool is_local_part(std::string_view text);
// A local part without '+', which separates the folder of a subaddress.
bool is_user_part(std::string_view text);

std::string lower_case(std::string_view text);  // US-ASCII letters only
bool equal_ignoring_case(std::string_view a, std::string_view b);

// The stored forms; nullopt where the text may not be stored.
std::optional<std::string> stored_domain(std::string_view text);
std::optional<std::string> stored_user_address(std::string_view text);
std::optional<std::string> stored_alias_address(std::string_view text);  // also "@domain"
// The local part of a target keeps its case: it may belong to another host (RFC 5321 2.4).
std::optional<std::string> stored_target(std::string_view text);

// A key of the look-up tables in a buffer of its own.
class AddressKey {
 public:
  static constexpr std::size_t octets_max =
      limits::local_part_octets_max + 1 + limits::domain_octets_max;

  // nullopt: too long to be in any directory. The local part is lowered, the domain taken as is.
  static std::optional<AddressKey> make(std::string_view local_part, std::string_view domain);
  // A domain lowered and freed of one final dot.
  static std::optional<AddressKey> make_domain(std::string_view domain);

  std::string_view text() const { return {octets_.data(), length_}; }

 private:
  std::array<char, octets_max> octets_;
  std::size_t length_ = 0;
};

// The local part freed of its quotes. What stands behind a backslash is no user of ours, but a
// catch-all takes it, so it is left as it is.
std::string_view without_quotes(std::string_view local_part);

}  // namespace kurir::directory
