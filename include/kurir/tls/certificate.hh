#pragma once
// Certificate: a chain with its private key, as PEM, and what a server must know of it to choose
// among several: the names it is for and the kind of its key. A value. Any core.

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/base/result.hh"

namespace kurir::tls {

struct Certificate {
  enum class Key : std::uint8_t { rsa, ecdsa };

  std::string chain_pem;  // the host's own first (RFC 8446 4.4.2)
  std::string key_pem;
  Key key = Key::ecdsa;
  std::vector<std::string> names;  // DNS names, lower case; "*.example.org" is one label
  WallTime expires;
  std::string end_point;  // tls-server-end-point of RFC 5929 4: a hash of the host's own

  // Whether one of its names is the host's (RFC 6125 6.4). The host is in lower case.
  bool is_for(std::string_view host) const;
};

// Takes the chain and the key, which may lie in the same text: of a pair that does not belong
// together, is damaged or has another kind of key than RSA or ECDSA, why not, as a clause for
// people. Any thread.
std::expected<Certificate, std::string> parse_certificate(std::string_view chain_pem,
                                                          std::string_view key_pem);

// The mail addresses (RFC 5280 4.2.1.6 rfc822Name, and emailAddress of the subject) that a client's
// certificate in DER is for; none where it is not for clients. Its chain was verified by others.
std::vector<std::string> client_addresses(std::string_view der);

// An ECDSA certificate on P-256, signed by itself, for the name and "localhost" and the loopback
// addresses: for trying things out. Any thread; asks the system for random numbers.
Result<Certificate> make_self_signed(const std::string& name, WallTime now);

}  // namespace kurir::tls
