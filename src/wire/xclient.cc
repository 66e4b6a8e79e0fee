#include "kurir/wire/xclient.hh"

#include <algorithm>
#include <utility>

#include "kurir/base/limits.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/ip_address.hh"
#include "kurir/wire/smtp_parameters.hh"

namespace kurir::wire {
namespace {

constexpr std::string_view ipv6_prefix = "IPV6:";

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= limits::domain_octets_max &&
         std::ranges::all_of(text, is_graphic);
}

bool take_text(Xclient::Told<std::string>& into, std::optional<std::string> value) {
  into = std::move(value);
  return !*into || is_name(**into);
}

bool take_name(Xclient& into, std::optional<std::string> value) {
  return take_text(into.name, std::move(value));
}

bool take_helo(Xclient& into, std::optional<std::string> value) {
  return take_text(into.helo, std::move(value));
}

bool take_login(Xclient& into, std::optional<std::string> value) {
  into.login = std::move(value);
  const std::optional<std::string>& login = *into.login;
  return !login || (!login->empty() && login->size() <= limits::path_octets_max);
}

bool take_address(Xclient& into, std::optional<std::string> value) {
  into.address = std::optional<Xclient::Address>();
  if (!value) return true;
  const bool is_ipv6 = starts_with_ignoring_case(*value, ipv6_prefix);
  const auto octets = is_ipv6 ? parse_ipv6(std::string_view(*value).substr(ipv6_prefix.size()))
                              : parse_ipv4(*value);
  if (octets) into.address = Xclient::Address{is_ipv6, *octets};
  return octets.has_value();
}

bool take_port(Xclient& into, std::optional<std::string> value) {
  constexpr std::uint64_t port_max = 65535;
  into.port = std::optional<std::uint16_t>();
  if (!value) return true;
  const auto number = value->size() > 5 ? std::nullopt : parse_decimal(*value);
  if (!number || *number > port_max) return false;
  into.port = static_cast<std::uint16_t>(*number);
  return true;
}

bool take_protocol(Xclient& into, std::optional<std::string> value) {
  into.is_extended = !value || equals_ignoring_case(*value, "ESMTP");
  return *into.is_extended || equals_ignoring_case(*value, "SMTP");
}

struct Row {
  std::string_view attribute;
  bool (*take)(Xclient& into, std::optional<std::string> value);
};

constexpr std::array rows = {
    Row{"NAME", take_name},      Row{"ADDR", take_address}, Row{"PORT", take_port},
    Row{"PROTO", take_protocol}, Row{"HELO", take_helo},    Row{"LOGIN", take_login},
};

bool is_unavailable(std::string_view value) {
  return equals_ignoring_case(value, "[UNAVAILABLE]") ||
         equals_ignoring_case(value, "[TEMPUNAVAIL]");
}

}  // namespace

std::optional<Xclient> parse_xclient(std::string_view text) {
  Xclient told;
  std::array<bool, rows.size()> seen{};
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto row = std::ranges::find_if(rows, [&](const Row& one) {
      return equals_ignoring_case(one.attribute, word.substr(0, equals));
    });
    const std::string_view value = word.substr(equals + 1);
    if (row == rows.end() || value.empty() || !is_clean_xtext(value)) return std::nullopt;
    bool& was_seen = seen[static_cast<std::size_t>(row - rows.begin())];
    if (std::exchange(was_seen, true)) return std::nullopt;
    std::optional<std::string> decoded = decode_xtext(value);
    if (is_unavailable(*decoded)) decoded.reset();
    if (!row->take(told, std::move(decoded))) return std::nullopt;
  }
  return told;
}

}  // namespace kurir::wire
