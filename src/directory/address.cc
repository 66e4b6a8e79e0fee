#include "kurir/directory/address.hh"

#include <algorithm>

namespace kurir::directory {
namespace {

constexpr std::size_t label_octets_max = 63;
// A domain of 255 octets on the wire (RFC 1035 2.3.4) is 253 in text.
constexpr std::size_t stored_domain_octets_max = 253;

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

constexpr bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

bool is_atext(char c) {
  return is_alphanumeric(c) ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > label_octets_max) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

// Every piece between dots passes `accepts`.
template <class Accepts>
bool all_pieces(std::string_view text, Accepts accepts) {
  for (;;) {
    const std::size_t dot = text.find('.');
    if (!accepts(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

std::string joined(std::string_view local_part, std::string_view domain) {
  std::string text(local_part);
  text += '@';
  text += lower_case(domain);
  return text;
}

}  // namespace

std::optional<AddressParts> split_address(std::string_view address) {
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  return AddressParts{address.substr(0, at), address.substr(at + 1)};
}

bool is_domain(std::string_view text) {
  return text.size() <= stored_domain_octets_max && all_pieces(text, is_label);
}

bool is_local_part(std::string_view text) {
  if (text.size() > limits::local_part_octets_max) return false;
  return all_pieces(text, [](std::string_view atom) {
    return !atom.empty() && std::ranges::all_of(atom, is_atext);
  });
}

bool is_user_part(std::string_view text) {
  return is_local_part(text) && text.find('+') == std::string_view::npos;
}

std::string lower_case(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), lower);
  return lowered;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::string> stored_domain(std::string_view text) {
  if (!is_domain(text)) return std::nullopt;
  return lower_case(text);
}

std::optional<std::string> stored_user_address(std::string_view text) {
  const auto parts = split_address(text);
  if (!parts || !is_user_part(parts->local_part) || !is_domain(parts->domain)) return std::nullopt;
  return lower_case(text);
}

std::optional<std::string> stored_alias_address(std::string_view text) {
  const auto parts = split_address(text);
  if (!parts || !is_domain(parts->domain)) return std::nullopt;
  if (!parts->local_part.empty() && !is_local_part(parts->local_part)) return std::nullopt;
  return lower_case(text);
}

std::optional<std::string> stored_target(std::string_view text) {
  const auto parts = split_address(text);
  if (!parts || !is_local_part(parts->local_part) || !is_domain(parts->domain)) return std::nullopt;
  return joined(parts->local_part, parts->domain);
}

std::optional<AddressKey> AddressKey::make(std::string_view local_part, std::string_view domain) {
  if (local_part.size() > limits::local_part_octets_max) return std::nullopt;
  if (domain.size() > limits::domain_octets_max) return std::nullopt;
  AddressKey key;
  char* end = std::ranges::transform(local_part, key.octets_.data(), lower).out;
  *end++ = '@';
  end = std::ranges::copy(domain, end).out;
  key.length_ = static_cast<std::size_t>(end - key.octets_.data());
  return key;
}

std::optional<AddressKey> AddressKey::make_domain(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (domain.size() > limits::domain_octets_max) return std::nullopt;
  AddressKey key;
  std::ranges::transform(domain, key.octets_.data(), lower);
  key.length_ = domain.size();
  return key;
}

std::string_view without_quotes(std::string_view local_part) {
  if (local_part.size() < 2 || !local_part.starts_with('"') || !local_part.ends_with('"'))
    return local_part;
  const std::string_view inside = local_part.substr(1, local_part.size() - 2);
  return inside.find('\\') == std::string_view::npos ? inside : local_part;
}

}  // namespace kurir::directory
