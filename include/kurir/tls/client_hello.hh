#pragma once
// The first message of a TLS client (RFC 8446 4.1.2), read before wolfSSL sees it: a server with
// several certificates chooses one by it, a client that speaks something else costs nothing, and
// one that says nothing holds no memory of wolfSSL's. Pure.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/parsed.hh"

namespace kurir::tls {

// Records of one octet each are legal: what they may cost is bounded apart from the message.
inline constexpr std::size_t client_hello_octets_max = 16 * 1024;
inline constexpr std::size_t client_hello_records_octets_max = 24 * 1024;

struct ClientHello {
  std::string server_name;             // lower case; empty: not said
  std::vector<std::string> protocols;  // ALPN (RFC 7301)
  bool takes_ecdsa = false;            // with P-256 (1.3), or with any suite for it (1.2)
};

// Why it is none; the alert that says so (RFC 8446 6.2).
enum class HelloFault : unsigned char {
  not_tls = 0,  // no alert: the other side would not understand
  unexpected_message = 10,
  decode_error = 50,
};

// The octets with the first message, which parse_client_hello() has matched, in one record: what
// wolfSSL can read of a message whose head is split.
std::string in_one_record(std::string_view octets);

// ClientHello := records of type 22 that hold one handshake message of type 1.
Parsed<ClientHello, HelloFault> parse_client_hello(std::string_view octets);

}  // namespace kurir::tls
