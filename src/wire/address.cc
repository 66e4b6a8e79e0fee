#include "kurir/wire/address.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "kurir/base/limits.hh"
#include "kurir/wire/ascii.hh"

namespace kurir::wire {
namespace {

constexpr std::size_t label_octets_max = 63;  // RFC 1035 2.3.4
constexpr std::string_view ipv6_tag = "IPv6:";

consteval std::array<bool, 256> atext_table() {
  std::array<bool, 256> table{};
  for (int c = 0; c < 128; ++c) table[c] = is_alphanumeric(static_cast<char>(c));
  for (const char c : std::string_view("!#$%&'*+-/=?^_`{|}~")) table[c] = true;
  for (int c = 128; c < 256; ++c) table[c] = true;  // judged by the UTF-8 check of the whole
  return table;
}
constexpr std::array<bool, 256> is_atext = atext_table();

bool atext(char c) { return is_atext[static_cast<unsigned char>(c)]; }

// Dot-string = Atom *("." Atom). Returns its octets, 0 where there is none.
std::size_t dot_string_octets(std::string_view input) {
  std::size_t at = 0;
  std::size_t atom_start = 0;
  for (; at < input.size(); ++at) {
    if (atext(input[at])) continue;
    if (input[at] != '.' || at == atom_start) break;
    atom_start = at + 1;
  }
  return at == atom_start ? 0 : at;
}

// Quoted-string = DQUOTE *( %d32-33 / %d35-91 / %d93-126 / "\" %d32-126 ) DQUOTE.
std::size_t quoted_string_octets(std::string_view input) {
  for (std::size_t at = 1; at < input.size(); ++at) {
    if (input[at] == '"') return at + 1;
    if (input[at] == '\\') {
      ++at;
      if (at == input.size() || is_eight_bit(input[at])) return 0;
    }
    if (!is_eight_bit(input[at]) && (input[at] < ' ' || input[at] == 0x7f)) return 0;
  }
  return 0;
}

std::size_t local_part_octets(std::string_view input) {
  return input.starts_with('"') ? quoted_string_octets(input) : dot_string_octets(input);
}

bool is_ldh(char c) { return is_alphanumeric(c) || c == '-' || c == '_' || is_eight_bit(c); }

// The octets of what could be a domain at the start of the input; is_domain judges it.
std::size_t domain_octets(std::string_view input) {
  std::size_t at = 0;
  while (at < input.size() && (is_ldh(input[at]) || input[at] == '.')) ++at;
  return at;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= label_octets_max && label.front() != '-' &&
         label.back() != '-' && std::ranges::all_of(label, is_ldh);
}

bool is_ip(int family, std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  std::array<unsigned char, 16> binary;
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return false;
  std::ranges::copy(text, terminated.begin());
  return ::inet_pton(family, terminated.data(), binary.data()) == 1;
}

bool is_bad_utf8(std::string_view text, AddressOptions options) {
  return has_eight_bit(text) && !(options.utf8 && is_clean_utf8(text));
}

AddressFault fault_of_domain(std::string_view domain, AddressOptions options) {
  return is_bad_utf8(domain, options) ? AddressFault::non_ascii : AddressFault::bad_address;
}

std::size_t address_domain_octets(std::string_view input) {
  if (!input.starts_with('[')) return domain_octets(input);
  const std::size_t close = input.find(']');
  return close == std::string_view::npos ? 0 : close + 1;
}

}  // namespace

Parsed<AddressView, AddressFault> parse_address_prefix(std::string_view input,
                                                       AddressOptions options) {
  const std::size_t local_octets = local_part_octets(input);
  if (local_octets == 0 || local_octets == input.size() || input[local_octets] != '@') {
    return AddressFault::bad_address;
  }
  const std::string_view local_part = input.substr(0, local_octets);
  if (local_octets > limits::local_part_octets_max) return AddressFault::local_part_too_long;
  if (is_bad_utf8(local_part, options)) return AddressFault::non_ascii;
  const std::string_view rest = input.substr(local_octets + 1);
  const std::string_view domain = rest.substr(0, address_domain_octets(rest));
  if (domain.size() > limits::domain_octets_max) return AddressFault::domain_too_long;
  const bool valid =
      domain.starts_with('[') ? is_address_literal(domain) : is_domain(domain, options);
  if (!valid) return fault_of_domain(domain, options);
  return {AddressView{local_part, domain}, local_octets + 1 + domain.size()};
}

std::expected<AddressView, AddressFault> parse_address(std::string_view text,
                                                       AddressOptions options) {
  const auto parsed = parse_address_prefix(text, options);
  if (parsed.is_fault()) return std::unexpected(parsed.fault());
  if (parsed.consumed() != text.size()) return std::unexpected(AddressFault::bad_address);
  return parsed.value();
}

bool is_domain(std::string_view text, AddressOptions options) {
  if (text.size() > limits::domain_octets_max || is_bad_utf8(text, options)) return false;
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty()) return false;
  for (;;) {
    const std::size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_address_literal(std::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return false;
  const std::string_view inside = text.substr(1, text.size() - 2);
  if (starts_with_ignoring_case(inside, ipv6_tag)) {
    return is_ip(AF_INET6, inside.substr(ipv6_tag.size()));
  }
  return is_ip(AF_INET, inside);
}

std::string_view literal_ip(std::string_view domain) {
  if (domain.size() < 2 || domain.front() != '[' || domain.back() != ']') return {};
  std::string_view inside = domain.substr(1, domain.size() - 2);
  if (starts_with_ignoring_case(inside, ipv6_tag)) inside.remove_prefix(ipv6_tag.size());
  return inside;
}

std::string normal_domain(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  std::string normal(domain);
  std::ranges::transform(normal, normal.begin(), to_lower);
  return normal;
}

std::string unquoted_local_part(std::string_view local_part) {
  if (!local_part.starts_with('"')) return std::string(local_part);
  std::string name;
  for (std::size_t at = 1; at + 1 < local_part.size(); ++at) {
    if (local_part[at] == '\\') ++at;
    name.push_back(local_part[at]);
  }
  return name;
}

std::string quoted_local_part(std::string_view name) {
  if (!name.empty() && dot_string_octets(name) == name.size()) return std::string(name);
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

Subaddress split_subaddress(std::string_view local_part, char separator) {
  const std::size_t at = local_part.find(separator);
  if (at == 0 || at == std::string_view::npos) return {local_part, {}};
  return {local_part.substr(0, at), local_part.substr(at + 1)};
}

Address::Address(const AddressView& view) {
  const bool quoted = view.local_part.starts_with('"');
  if (quoted) {
    text_ = quoted_local_part(unquoted_local_part(view.local_part));
  } else {
    text_.reserve(view.local_part.size() + 1 + view.domain.size());
    text_ = view.local_part;
  }
  at_ = text_.size();
  text_ += '@';
  text_ += view.domain.ends_with('.') ? view.domain.substr(0, view.domain.size() - 1) : view.domain;
  const auto domain = text_.begin() + static_cast<std::ptrdiff_t>(at_);
  std::transform(domain, text_.end(), domain, to_lower);
}

Address AddressView::own() const { return Address(*this); }

}  // namespace kurir::wire
