#pragma once
// Address lists of header fields (RFC 5322 3.4, obsolete forms of 4.4) as values that fit an IMAP
// ENVELOPE: quoting, comments and folding removed, encoded-words left as they are (RFC 2047 is for
// whoever shows them). Nothing is refused: what cannot be an address becomes the nearest thing to
// one, and the rest of the list is still read. Linear in the value's octets. Pure; any core.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/limits.hh"

namespace kurir::wire {

enum class AddressKind : std::uint8_t {
  mailbox,
  group_begin,  // display_name is the group's name, all else is empty
  group_end,    // all is empty; each group_begin has one, unless the list was cut
};

struct ListedAddress {
  AddressKind kind = AddressKind::mailbox;
  std::string display_name{};  // the phrase, or without one the comment behind the address
  std::string route{};         // "@a,@b", obsolete
  std::string local_part{};
  std::string domain{};  // empty when the address has none; a literal keeps its brackets

  friend bool operator==(const ListedAddress&, const ListedAddress&) = default;
};

struct AddressList {
  std::vector<ListedAddress> addresses{};
  bool cut = false;  // there was more than the bound
};

[[nodiscard]] AddressList parse_address_list(
    std::string_view value, std::size_t addresses_max = limits::addresses_parsed_max);

// Appends to a list that an earlier field of the same name began; the bound is for all of them.
void append_address_list(AddressList& list, std::string_view value,
                         std::size_t addresses_max = limits::addresses_parsed_max);

}  // namespace kurir::wire
