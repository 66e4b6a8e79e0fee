#include "kurir/wire/path.hh"

#include <optional>

#include "kurir/base/limits.hh"
#include "kurir/wire/ascii.hh"

namespace kurir::wire {
namespace {

constexpr std::string_view postmaster = "Postmaster";

// A-d-l ":" = "@" Domain *( "," "@" Domain ) ":". Its octets, 0 for no route, nothing for a broken
// one.
std::optional<std::size_t> route_octets(std::string_view input, AddressOptions options) {
  if (!input.starts_with('@')) return 0;
  const std::size_t colon = input.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view hops = input.substr(0, colon);
  while (!hops.empty()) {
    const std::string_view hop = hops.substr(0, hops.find(','));
    if (!hop.starts_with('@') || !is_domain(hop.substr(1), options)) return std::nullopt;
    if (hop.size() + 1 == hops.size()) return std::nullopt;  // a comma and nothing behind it
    hops.remove_prefix(hop.size() == hops.size() ? hop.size() : hop.size() + 1);
  }
  return colon + 1;
}

Parsed<PathView, AddressFault> parse_path(std::string_view input, AddressOptions options) {
  if (!input.starts_with('<')) return AddressFault::bad_address;
  const std::string_view inside = input.substr(1);
  const std::optional<std::size_t> route = route_octets(inside, options);
  if (!route) return AddressFault::bad_address;
  const auto address = parse_address_prefix(inside.substr(*route), options);
  if (address.is_fault()) return address.fault();
  const std::size_t close = 1 + *route + address.consumed();
  if (close == input.size() || input[close] != '>') return AddressFault::bad_address;
  if (close + 1 > limits::path_octets_max) return AddressFault::path_too_long;
  return {PathView{PathKind::address, address.value()}, close + 1};
}

}  // namespace

std::string_view Path::text() const {
  return kind == PathKind::postmaster ? std::string_view("postmaster") : address.text();
}

Path PathView::own() const { return {kind, kind == PathKind::address ? address.own() : Address()}; }

Parsed<PathView, AddressFault> parse_reverse_path(std::string_view input, AddressOptions options) {
  if (input.starts_with("<>")) return {PathView{}, 2};
  return parse_path(input, options);
}

Parsed<PathView, AddressFault> parse_forward_path(std::string_view input, AddressOptions options) {
  constexpr std::size_t postmaster_octets = postmaster.size() + 2;
  const std::string_view head = input.substr(0, postmaster_octets);
  if (head.size() == postmaster_octets && head.starts_with('<') && head.ends_with('>') &&
      equals_ignoring_case(head.substr(1, postmaster.size()), postmaster)) {
    return {PathView{PathKind::postmaster, {}}, postmaster_octets};
  }
  return parse_path(input, options);
}

}  // namespace kurir::wire
