#include "kurir/wire/proxy_header.hh"

#include <algorithm>
#include <cstring>
#include <optional>

#include "kurir/wire/ascii.hh"
#include "kurir/wire/ip_address.hh"

namespace kurir::wire {
namespace {

using Result = Parsed<ProxyHeader, ProxyFault>;

constexpr std::string_view begin_of_1 = "PROXY ";
constexpr std::string_view begin_of_2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t line_octets_max = 107;  // CRLF included

bool is_begin_of(std::string_view input, std::string_view begin) {
  const std::size_t octets = std::min(input.size(), begin.size());
  return input.substr(0, octets) == begin.substr(0, octets);
}

// --- version 1
//
//   line   := "PROXY" SP ("UNKNOWN" *text | ("TCP4" | "TCP6") SP address SP address SP port SP
//   port)
//             CRLF
//   port   := decimal without leading zeros, at most 65535

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  constexpr std::uint64_t port_max = 65535;
  const auto number = digits.size() > 5 ? std::nullopt : parse_decimal(digits);
  if (!number || *number > port_max || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

// Words are parted by one space each; an empty one is none.
bool take_words(std::string_view line, std::array<std::string_view, 5>& words) {
  for (std::size_t at = 0; at < words.size(); ++at) {
    const std::size_t space = line.find(' ');
    const bool is_last = at + 1 == words.size();
    if ((space == std::string_view::npos) != is_last) return false;
    words[at] = line.substr(0, space);
    if (words[at].empty()) return false;
    if (!is_last) line.remove_prefix(space + 1);
  }
  return true;
}

Result parse_line(std::string_view line, std::size_t consumed) {
  for (const char c : line)
    if (!is_graphic(c) && c != ' ') return ProxyFault::syntax;
  line.remove_prefix(begin_of_1.size());
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return {ProxyHeader{}, consumed};
  std::array<std::string_view, 5> words;
  if (!take_words(line, words)) return ProxyFault::syntax;
  const bool is_ipv6 = words[0] == "TCP6";
  if (!is_ipv6 && words[0] != "TCP4") return ProxyFault::syntax;
  const auto parse_address = is_ipv6 ? parse_ipv6 : parse_ipv4;
  const auto source = parse_address(words[1]);
  const auto port = parse_port(words[3]);
  if (!source || !port || !parse_address(words[2]) || !parse_port(words[4]))
    return ProxyFault::syntax;
  ProxyHeader header;
  header.family = is_ipv6 ? ProxyHeader::Family::ipv6 : ProxyHeader::Family::ipv4;
  header.source = *source;
  header.source_port = *port;
  return {header, consumed};
}

Result parse_version_1(std::string_view input) {
  const std::size_t lf = input.substr(0, line_octets_max).find('\n');
  if (lf == std::string_view::npos) {
    if (input.size() >= line_octets_max) return ProxyFault::too_long;
    return Incomplete{};
  }
  if (input[lf - 1] != '\r') return ProxyFault::syntax;
  return parse_line(input.substr(0, lf - 1), lf + 1);
}

// --- version 2
//
//   header  := signature(12) version_command family_transport u16 octets, big-endian, then so many:
//   content := source destination source_port destination_port, then tlv*
//   tlv     := u8 type, u16 octets, the value

std::uint16_t u16_at(std::string_view octets, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(octets[at]) << 8 |
                                    static_cast<unsigned char>(octets[at + 1]));
}

bool are_fields(std::string_view rest) {
  constexpr std::size_t head_octets = 3;
  while (!rest.empty()) {
    if (rest.size() < head_octets) return false;
    const std::size_t octets = head_octets + u16_at(rest, 1);
    if (rest.size() < octets) return false;
    rest.remove_prefix(octets);
  }
  return true;
}

Result parse_content(std::string_view content, unsigned char family, std::size_t consumed) {
  constexpr unsigned char unspecified = 0x00, tcp_over_ipv4 = 0x11, tcp_over_ipv6 = 0x21;
  if (family == unspecified) return {ProxyHeader{}, consumed};
  if (family != tcp_over_ipv4 && family != tcp_over_ipv6) return ProxyFault::unsupported;
  const std::size_t address_octets = family == tcp_over_ipv4 ? 4 : 16;
  const std::size_t octets = 2 * address_octets + 4;
  if (content.size() < octets || !are_fields(content.substr(octets))) return ProxyFault::syntax;
  ProxyHeader header;
  header.family = family == tcp_over_ipv4 ? ProxyHeader::Family::ipv4 : ProxyHeader::Family::ipv6;
  std::memcpy(header.source.data(), content.data(), address_octets);
  header.source_port = u16_at(content, 2 * address_octets);
  return {header, consumed};
}

Result parse_version_2(std::string_view input) {
  constexpr std::size_t head_octets = 16;
  constexpr unsigned char local = 0x20, proxy = 0x21;
  if (input.size() < begin_of_2.size() + 1) return Incomplete{};
  const auto command = static_cast<unsigned char>(input[12]);
  if (command != local && command != proxy) return ProxyFault::syntax;
  if (input.size() < head_octets) return Incomplete{};
  const std::size_t consumed = head_octets + u16_at(input, 14);
  if (consumed > proxy_header_octets_max) return ProxyFault::too_long;
  if (input.size() < consumed) return Incomplete{};
  if (command == local) return {ProxyHeader{}, consumed};
  return parse_content(input.substr(head_octets, consumed - head_octets),
                       static_cast<unsigned char>(input[13]), consumed);
}

}  // namespace

Result parse_proxy_header(std::string_view input) {
  if (is_begin_of(input, begin_of_1))
    return input.size() <= begin_of_1.size() ? Result(Incomplete{}) : parse_version_1(input);
  if (is_begin_of(input, begin_of_2)) return parse_version_2(input);
  return ProxyFault::not_a_header;
}

}  // namespace kurir::wire
