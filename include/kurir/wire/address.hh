#pragma once
// Addresses, local-part@domain (RFC 5321 4.1.2). AddressView looks into the octets it was parsed
// from; Address owns a normal form that may be stored, compared and hashed. The local part is one
// opaque name: nothing in it (percent, bang, a quoted at sign) is ever read as a route
// (threats.md D4). Any core.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "kurir/base/parsed.hh"

namespace kurir::wire {

enum class AddressFault : std::uint8_t {
  bad_address,
  non_ascii,  // 8-bit octets and no SMTPUTF8, or octets that are not clean UTF-8
  local_part_too_long,
  domain_too_long,
  path_too_long,
};

struct AddressOptions {
  bool utf8 = false;  // SMTPUTF8 was given (RFC 6531)
};

class Address;

// As the peer wrote it; valid by construction when a parser here made it.
struct AddressView {
  std::string_view local_part;  // with its quotes, if it has any
  std::string_view domain;      // or an address literal with its brackets

  Address own() const;
};

// Normal form: the local part without quotes where it needs none, the domain in lower case without
// a trailing dot. The case of the local part is kept: who matches it, decides.
class Address {
 public:
  Address() = default;
  explicit Address(const AddressView& view);

  std::string_view text() const { return text_; }  // local-part@domain, as sent to the next host
  std::string_view local_part() const { return text().substr(0, at_); }
  std::string_view domain() const { return text().substr(text_.empty() ? 0 : at_ + 1); }
  AddressView view() const { return {local_part(), domain()}; }
  bool empty() const { return text_.empty(); }

  friend bool operator==(const Address& a, const Address& b) { return a.text_ == b.text_; }
  friend auto operator<=>(const Address& a, const Address& b) { return a.text_ <=> b.text_; }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

// Mailbox = Local-part "@" ( Domain / address-literal ), at the start of `input`; consumed tells
// where it ended. The input is whole: never incomplete.
Parsed<AddressView, AddressFault> parse_address_prefix(std::string_view input,
                                                       AddressOptions options = {});
// The same, and nothing may follow: for configuration, commands and parameters.
std::expected<AddressView, AddressFault> parse_address(std::string_view text,
                                                       AddressOptions options = {});

// Domain = sub-domain *("." sub-domain), a trailing dot and underscores allowed, labels of at most
// 63 octets; the whole text. Also what EHLO gives.
bool is_domain(std::string_view text, AddressOptions options = {});
// "[192.0.2.1]" or "[IPv6:2001:db8::1]", the whole text.
bool is_address_literal(std::string_view text);
// The IP address inside an address literal, without brackets and tag; empty for a domain.
std::string_view literal_ip(std::string_view domain);

// Lower case, no trailing dot. Allocates: for what is kept.
std::string normal_domain(std::string_view domain);
// The name that a local part means: without quotes and backslashes. Allocates.
std::string unquoted_local_part(std::string_view local_part);
// The shortest way to write a name as a local part: quoted only where it must be. Allocates.
std::string quoted_local_part(std::string_view name);

// user+folder: the part before the first separator, and what follows it. Without a separator, or
// with one at the very start, the whole is the user. Views into `local_part`, which must be plain.
struct Subaddress {
  std::string_view user;
  std::string_view detail;  // empty: none
};
Subaddress split_subaddress(std::string_view local_part, char separator = '+');

}  // namespace kurir::wire

template <>
struct std::hash<kurir::wire::Address> {
  std::size_t operator()(const kurir::wire::Address& address) const noexcept {
    return std::hash<std::string_view>{}(address.text());
  }
};
