#pragma once
// XCLIENT (Postfix's XCLIENT_README): what a trusted host tells of the client that it speaks for.
// Pure; any core.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kurir::wire {

// As EHLO offers them.
inline constexpr std::string_view xclient_attributes = "NAME ADDR PORT PROTO HELO LOGIN";

// An attribute that was not given leaves what is known as it is; one of no value ("[UNAVAILABLE]",
// "[TEMPUNAVAIL]") makes it unknown. Values are visible ASCII.
struct Xclient {
  struct Address {
    bool is_ipv6 = false;
    std::array<std::uint8_t, 16> octets{};  // IPv4: the first four
    friend bool operator==(const Address&, const Address&) = default;
  };
  template <class T>
  using Told = std::optional<std::optional<T>>;
  Told<std::string> name, helo, login;
  Told<Address> address;
  Told<std::uint16_t> port;
  std::optional<bool> is_extended;  // PROTO: ESMTP, else SMTP
};

// attribute=value *(SP attribute=value), values in xtext (RFC 3461 4). nullopt: not of that form,
// an attribute that was not offered, or one twice.
[[nodiscard]] std::optional<Xclient> parse_xclient(std::string_view text);

}  // namespace kurir::wire
