#pragma once
// Packets: questions written, replies read (RFC 1035 4, RFC 6891). A reply is checked by us before
// the codec sees any of it: names only within the packet, pointers strictly backwards and at most
// 127 of them, names of at most 255 octets, records within the packet, the work bounded. Pure; any
// core.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kurir/dns/answer.hh"
#include "kurir/dns/cache.hh"

namespace kurir::dns {

struct QueryOptions {
  std::uint16_t id = 0;
  bool extended = true;  // with EDNS, for replies of dns_udp_octets
  // Bit i turns the i-th octet of the name into upper case (draft-vixie-dnsext-dns0x20).
  std::array<std::uint64_t, 4> upper_case{};
};
// Empty only where the codec has no memory.
std::string encode_query(const Key& key, const QueryOptions& options);

enum class Verdict : std::uint8_t {
  mismatch,       // not the reply to this query
  malformed,      // the reply, but broken
  alias_loop,     // more than dns_aliases_max
  truncated,      // ask over TCP
  format_error,   // FORMERR, NOTIMP or BADVERS: perhaps it does not know EDNS
  server_failed,  // SERVFAIL
  refused,        // REFUSED and whatever else; also a referral: it does not look further for us
  answer,
};

struct Reply {
  Verdict verdict = Verdict::mismatch;
  bool keeps_case = true;  // the question came back as it was written
  // Of an answer; status is found, no_data or no_such_name.
  Answer answer;
  std::uint32_t ttl = 0;  // in seconds, as sent but for the sign (RFC 2181 8)
  bool may_keep = true;   // false: negative without an SOA (RFC 2308 5)
  // The answer is an alias whose end the server did not add: to be asked for.
  std::optional<Name> follow;
  unsigned aliases = 0;  // followed within the reply
};

// `query` is what encode_query() gave and was sent.
Reply read_reply(std::string_view packet, std::string_view query, const Key& key);

}  // namespace kurir::dns
