#include "kurir/tls/client_hello.hh"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace kurir::tls {
namespace {

constexpr std::size_t record_head_octets = 5, record_octets_max = (1 << 14) + 2048;
constexpr std::size_t message_head_octets = 4;
constexpr unsigned char type_handshake = 22, type_client_hello = 1;
constexpr std::size_t server_name_octets_max = 255;
constexpr std::size_t protocols_max = 64;

enum Extension : std::uint16_t {
  server_name = 0,
  signature_algorithms = 13,
  application_layer_protocols = 16,
  supported_versions = 43,
};

// Takes numbers and vectors (RFC 8446 3.4) off the front; once something is missing, all that
// follows is.
class Cursor {
 public:
  explicit Cursor(std::string_view octets) : rest_(octets) {}
  std::size_t number(std::size_t octets) {
    const std::string_view taken = take(octets);
    std::size_t value = 0;
    for (const char c : taken) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view take(std::size_t octets) {
    if (octets > rest_.size()) {
      broken_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, octets);
    rest_.remove_prefix(octets);
    return taken;
  }
  Cursor vector(std::size_t length_octets) {
    Cursor inner(take(number(length_octets)));
    inner.broken_ = broken_;
    return inner;
  }
  bool has_more() const { return !rest_.empty(); }
  bool is_broken() const { return broken_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool broken_ = false;
};

// host_name in a ServerNameList (RFC 6066 3).
bool read_server_name(Cursor list, std::string& into) {
  Cursor names = list.vector(2);
  while (names.has_more()) {
    const std::size_t type = names.number(1);
    const Cursor name = names.vector(2);
    if (type != 0 || name.is_broken() || name.rest().size() > server_name_octets_max) continue;
    into = name.rest();
    for (char& c : into)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return !names.is_broken() && !list.is_broken();
}

bool read_protocols(Cursor list, std::vector<std::string>& into) {
  Cursor names = list.vector(2);
  while (names.has_more() && into.size() < protocols_max) into.emplace_back(names.vector(1).rest());
  return !names.is_broken() && !list.is_broken() && !into.empty();
}

bool lists(Cursor numbers, const auto& wanted) {
  while (numbers.has_more()) {
    const std::size_t number = numbers.number(2);
    if (wanted(number)) return true;
  }
  return false;
}

// Suites with an ECDSA signature and an AEAD (RFC 5289, RFC 7905).
bool is_ecdsa_suite(std::size_t suite) {
  return suite == 0xc02b || suite == 0xc02c || suite == 0xcca9;
}

// ecdsa_secp256r1_sha256, or any hash with ecdsa before TLS 1.3: the low octet is 3 in both.
bool is_ecdsa_scheme(std::size_t scheme) { return (scheme & 0xff) == 3; }

std::optional<ClientHello> read_message(std::string_view body) {
  ClientHello hello;
  Cursor cursor(body);
  cursor.take(2 + 32);  // legacy_version, random
  cursor.vector(1);     // legacy_session_id
  const Cursor suites = cursor.vector(2);
  cursor.vector(1);  // legacy_compression_methods
  if (cursor.is_broken()) return std::nullopt;
  bool has_1_3 = false,
       has_ecdsa_schemes = true;  // RFC 5246 7.4.1.4.1: SHA-1 with all, if not said
  Cursor extensions = cursor.has_more() ? cursor.vector(2) : Cursor({});
  while (extensions.has_more()) {
    const std::size_t type = extensions.number(2);
    Cursor extension = extensions.vector(2);
    bool is_right = !extension.is_broken();
    if (type == Extension::server_name) is_right = read_server_name(extension, hello.server_name);
    if (type == Extension::application_layer_protocols)
      is_right = read_protocols(extension, hello.protocols);
    if (type == Extension::signature_algorithms)
      has_ecdsa_schemes = lists(extension.vector(2), is_ecdsa_scheme);
    if (type == Extension::supported_versions)
      has_1_3 = lists(extension.vector(1), [](std::size_t version) { return version == 0x0304; });
    if (!is_right) return std::nullopt;
  }
  if (extensions.is_broken() || cursor.is_broken()) return std::nullopt;
  hello.takes_ecdsa = has_ecdsa_schemes && (has_1_3 || lists(suites, is_ecdsa_suite));
  return hello;
}

// The message of the records, and how many octets they take.
Parsed<std::string, HelloFault> gather(std::string_view octets) {
  std::string message;
  std::size_t at = 0, message_octets = message_head_octets;
  while (message.size() < message_octets) {
    const std::string_view rest = octets.substr(at);
    const auto octet = [&](std::size_t index) { return static_cast<unsigned char>(rest[index]); };
    if (!rest.empty() && octet(0) != type_handshake) return HelloFault::not_tls;
    if (rest.size() > 1 && octet(1) != 3) return HelloFault::not_tls;
    if (rest.size() < record_head_octets) return Incomplete();
    const std::size_t size = static_cast<std::size_t>(octet(3) << 8 | octet(4));
    if (size == 0 || size > record_octets_max) return HelloFault::decode_error;
    message += rest.substr(record_head_octets, size);
    if (!message.empty() && message[0] != type_client_hello) return HelloFault::unexpected_message;
    if (message.size() >= message_head_octets) {
      message_octets = message_head_octets + Cursor(std::string_view(message).substr(1)).number(3);
      if (message_octets > client_hello_octets_max) return HelloFault::decode_error;
    }
    if (rest.size() - record_head_octets < size) return Incomplete();
    at += record_head_octets + size;
  }
  if (message.size() > message_octets) return HelloFault::decode_error;
  return Parsed<std::string, HelloFault>(std::move(message), at);
}

}  // namespace

Parsed<ClientHello, HelloFault> parse_client_hello(std::string_view octets) {
  const auto message = gather(octets);
  if (message.is_fault()) return message.fault();
  if (message.is_incomplete()) return Incomplete();
  std::optional<ClientHello> hello =
      read_message(std::string_view(message.value()).substr(message_head_octets));
  if (!hello) return HelloFault::decode_error;
  return {std::move(*hello), message.consumed()};
}

std::string in_one_record(std::string_view octets) {
  const auto message = gather(octets);
  const std::string_view body = message.value();
  const std::string_view behind = octets.substr(message.consumed());
  static_assert(client_hello_octets_max <= 1 << 14, "a record takes it");
  std::string record(octets.substr(0, record_head_octets - 2));
  record += static_cast<char>(body.size() >> 8);
  record += static_cast<char>(body.size() & 0xff);
  return record.append(body).append(behind);
}

}  // namespace kurir::tls
