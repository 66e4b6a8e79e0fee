#include "kurir/dns/name.hh"

#include <algorithm>

#include "kurir/base/limits.hh"

namespace kurir::dns {
namespace {

constexpr std::size_t label_octets_max = 63;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_host_character(char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; }

// What a master file needs no quoting for (RFC 1035 5.1).
bool is_plain(char c) {
  return c > ' ' && c < 0x7f && std::string_view("\"\\();@$").find(c) == std::string_view::npos;
}

// Whether each label, of the right length, is accepted.
template <class Accepts>
bool every_label(std::string_view text, Accepts accepts) {
  for (;;) {
    const std::string_view label = text.substr(0, text.find('.'));
    if (label.empty() || label.size() > label_octets_max || !accepts(label)) return false;
    if (label.size() == text.size()) return true;
    text.remove_prefix(label.size() + 1);
  }
}

}  // namespace

std::optional<Name> Name::parse(std::string_view text) {
  if (text == ".") return root();
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.size() > limits::dns_name_octets_max - 2) return std::nullopt;
  const auto plain = [](std::string_view label) { return std::ranges::all_of(label, is_plain); };
  if (!every_label(text, plain)) return std::nullopt;
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return Name(std::move(lower));
}

bool is_host_name(std::string_view text) {
  if (text.size() > limits::dns_name_octets_max - 2) return false;
  const auto proper = [](std::string_view label) {
    return !label.starts_with('-') && !label.ends_with('-') &&
           std::ranges::all_of(label, is_host_character);
  };
  const std::size_t dot = text.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? text : text.substr(dot + 1);
  return every_label(text, proper) && !std::ranges::all_of(last, is_digit);
}

}  // namespace kurir::dns
