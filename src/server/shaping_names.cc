#include "shaping_names.hh"

#include <algorithm>
#include <charconv>

#include "kurir/directory/address.hh"

namespace kurir::server {
namespace {

constexpr std::size_t name_octets_max = 64;
// Of all the MX hosts that a site stands for.
constexpr std::size_t site_octets_max = 1024;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// What ends in a number is an address or a mistyped one, but no name (RFC 1123 2.1).
bool is_host_name(std::string_view text) {
  const std::string_view last = text.substr(text.rfind('.') + 1);
  return directory::is_domain(text) && !std::ranges::all_of(last, is_digit);
}

bool is_site(std::string_view text) {
  const auto in_site = [](char c) {
    return is_alphanumeric(c) || std::string_view(".:-_()|?").contains(c);
  };
  return text.size() <= site_octets_max && text.contains('(') && std::ranges::all_of(text, in_site);
}

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  std::uint16_t port = 0;
  const char* end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, port);
  if (digits.empty() || error != std::errc() || at != end || port == 0) return std::nullopt;
  return port;
}

}  // namespace

bool is_shaping_name(std::string_view text) {
  return !text.empty() && text.size() <= name_octets_max && std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
  });
}

std::optional<io::SocketAddress> parse_ip_address(std::string_view text) {
  const bool is_ipv6 = text.contains(':');
  const std::string host(text);
  const auto address = io::SocketAddress::parse(is_ipv6 ? '[' + host + "]:0" : host + ":0");
  if (!address || address->family() == io::Family::unix) return std::nullopt;
  return *address;
}

std::optional<std::string> parse_domain(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {
    const auto address =
        io::SocketAddress::parse(std::string(text.substr(1, text.size() - 2)) + ":0");
    if (!address || address->family() != io::Family::ipv4) return std::nullopt;
    return address->host_literal();
  }
  if (text.ends_with('.')) text.remove_suffix(1);
  if (!is_host_name(text)) return std::nullopt;
  return directory::lower_case(text);
}

std::optional<std::string> parse_domain_or_site(std::string_view text) {
  if (is_site(text)) return directory::lower_case(text);
  // A route's hosts are a site by their addresses and ports, without brackets.
  if (const auto host = parse_host(text))
    return host->port == 0 ? host->name : host->name + ':' + std::to_string(host->port);
  return parse_domain(text);
}

std::optional<relay::Host> parse_host(std::string_view text) {
  // An IPv6 address without brackets has colons of its own.
  const std::size_t colon = text.rfind(':');
  const bool has_brackets = text.starts_with('[');
  const bool has_port = colon != std::string_view::npos &&
                        (has_brackets ? text[colon - 1] == ']' : text.find(':') == colon);
  const auto port = has_port ? parse_port(text.substr(colon + 1)) : std::uint16_t{0};
  if (!port) return std::nullopt;
  if (has_port) text = text.substr(0, colon);
  if (has_brackets) {
    if (!text.ends_with(']') || !text.contains(':')) return std::nullopt;
    text = text.substr(1, text.size() - 2);
  }
  if (const auto address = parse_ip_address(text)) return relay::Host{address->host(), *port};
  const auto name = parse_domain(text);
  if (!name || has_brackets) return std::nullopt;
  return relay::Host{*name, *port};
}

}  // namespace kurir::server
