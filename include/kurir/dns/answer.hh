#pragma once
// What a resolver says. Plain values; any core.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/dns/name.hh"
#include "kurir/io/address.hh"

namespace kurir::dns {

enum class RecordType : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28,
  tlsa = 52,
};

enum class Status : std::uint8_t {
  found,
  no_data,       // the name exists and has no such record
  no_such_name,  // NXDOMAIN: permanent
  try_later,     // nobody could say; `trouble` says why
};

// Why the status is try_later; beside no_such_name: malformed, what was asked for is no name.
enum class Trouble : std::uint8_t {
  none,
  timed_out,
  unreachable,    // no server could be reached
  server_failed,  // SERVFAIL
  refused,        // REFUSED, NOTIMP and their like
  malformed,      // what the servers said
  alias_loop,     // more CNAMEs than are followed
  exhausted,      // of our own descriptors, or too many questions wait
  stopped,        // the resolver is stopping
};
const char* text_of(Trouble trouble);

struct Mx {
  std::uint16_t preference;
  std::string exchange;  // a host name, or "." where the domain takes no mail (RFC 7505)
  friend bool operator==(const Mx&, const Mx&) = default;
};

struct Txt {
  std::string text;  // the strings of one record, joined (RFC 7208 3.3)
  friend bool operator==(const Txt&, const Txt&) = default;
};

struct Tlsa {  // RFC 6698 2.1
  std::uint8_t usage, selector, matching;
  std::string data;
  friend bool operator==(const Tlsa&, const Tlsa&) = default;
};

// Addresses have port 0. Name: of PTR, CNAME and NS.
using Record = std::variant<io::SocketAddress, Name, Mx, Txt, Tlsa>;

struct Answer {
  Status status = Status::try_later;
  Trouble trouble = Trouble::none;
  // The AD bit: the server says that it has verified this with DNSSEC. Worth as much as the way to
  // the server.
  bool authentic = false;
  Name name = Name::root();  // the one asked for, or the last of its aliases
  std::vector<Record> records;
  Instant valid_until{};
};

struct MxAnswer {
  Status status = Status::try_later;
  Trouble trouble = Trouble::none;
  bool authentic = false;
  std::vector<Mx> exchanges;  // by preference; equal ones as the server ordered them
  Instant valid_until{};
  // The domain says that it takes no mail (RFC 7505).
  bool is_null() const { return exchanges.size() == 1 && exchanges.front().exchange == "."; }
};

struct AddressAnswer {
  Status status = Status::try_later;
  Trouble trouble = Trouble::none;  // may be set beside `found`: then one family is missing
  bool authentic = false;           // both families
  std::vector<io::SocketAddress> ipv6, ipv4;  // port 0
  Instant valid_until{};
};

struct TxtAnswer {
  Status status = Status::try_later;
  Trouble trouble = Trouble::none;
  bool authentic = false;
  std::vector<std::string> texts;  // one a record
  Instant valid_until{};
};

struct PtrAnswer {
  Status status = Status::try_later;
  Trouble trouble = Trouble::none;
  bool authentic = false;
  std::vector<std::string> names;  // host names
  Instant valid_until{};
};

struct TlsaAnswer {
  Status status = Status::try_later;
  Trouble trouble = Trouble::none;
  bool authentic = false;
  std::vector<Tlsa> associations;
  Instant valid_until{};
};

}  // namespace kurir::dns
