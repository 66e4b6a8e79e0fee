#pragma once
// Reverse-path and forward-path of SMTP (RFC 5321 4.1.2). Source routes are read and ignored
// (4.1.1.3, appendix C). PathView looks into the command; Path owns. Any core.

#include <cstdint>
#include <string>
#include <string_view>

#include "kurir/wire/address.hh"

namespace kurir::wire {

enum class PathKind : std::uint8_t {
  null,        // <>: the reverse-path of bounces
  postmaster,  // <Postmaster> without a domain, in RCPT only
  address,
};

struct Path {
  PathKind kind = PathKind::null;
  Address address;  // empty unless kind is address

  // What stands between the angle brackets.
  std::string_view text() const;
  friend bool operator==(const Path&, const Path&) = default;
};

struct PathView {
  PathKind kind = PathKind::null;
  AddressView address;  // empty unless kind is address

  Path own() const;
};

// Reverse-path = Path / "<>". Forward-path = Path / "<Postmaster>".
// Path = "<" [ A-d-l ":" ] Mailbox ">". consumed tells where the text behind ">" begins; the input
// is a whole line: never incomplete.
Parsed<PathView, AddressFault> parse_reverse_path(std::string_view input,
                                                  AddressOptions options = {});
Parsed<PathView, AddressFault> parse_forward_path(std::string_view input,
                                                  AddressOptions options = {});

}  // namespace kurir::wire
