#include "packet_walk.hh"

#include "kurir/base/assert.hh"

namespace kurir::dns {
namespace {

constexpr std::uint16_t class_internet = 1;
constexpr std::size_t record_fields_octets = 10;  // type, class, TTL, length
constexpr std::size_t soa_numbers_octets = 20;
constexpr unsigned pointer_bits = 0xc0;

std::size_t expected_octets(RecordType type) { return type == RecordType::a ? 4 : 16; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

std::uint16_t PacketWalk::u16(std::size_t at) const {
  KURIR_ASSERT(at + 2 <= packet_.size());
  return static_cast<std::uint16_t>(octet(at) << 8 | octet(at + 1));
}

std::uint32_t PacketWalk::u32(std::size_t at) const {
  return std::uint32_t{u16(at)} << 16 | u16(at + 2);
}

// A pointer leads strictly before the labels that led to it: no name can loop.
std::optional<std::size_t> PacketWalk::skip_name(std::size_t at) {
  std::size_t behind = 0;
  std::size_t octets = 0;
  std::size_t labels_begin = at;
  unsigned pointers = 0;
  for (;;) {
    if (!take_step() || at >= packet_.size()) return std::nullopt;
    const unsigned length = octet(at);
    if ((length & pointer_bits) == pointer_bits) {
      if (at + 2 > packet_.size() || ++pointers > limits::dns_pointers_max) return std::nullopt;
      const std::size_t target = u16(at) & 0x3fffU;
      if (behind == 0) behind = at + 2;
      if (target < header_octets || target >= labels_begin) return std::nullopt;
      at = labels_begin = target;
      continue;
    }
    octets += length + 1;
    if ((length & pointer_bits) != 0 || octets > limits::dns_name_octets_max) return std::nullopt;
    at += length + 1;
    if (length == 0) return behind == 0 ? at : behind;
  }
}

bool PacketWalk::is_name(std::size_t at, const Name& name) {
  std::string_view rest = name.is_root() ? std::string_view() : name.text();
  for (;;) {
    if (!take_step()) return false;
    const unsigned length = octet(at);
    if ((length & pointer_bits) == pointer_bits) {
      at = u16(at) & 0x3fffU;
      continue;
    }
    if (length == 0 || rest.empty()) return length == 0 && rest.empty();
    const bool fits = rest.size() == length || (rest.size() > length && rest[length] == '.');
    if (!fits) return false;
    for (std::size_t i = 0; i < length; ++i)
      if (lower(packet_[at + 1 + i]) != rest[i]) return false;
    rest.remove_prefix(rest.size() == length ? length : length + 1);
    at += length + 1;
  }
}

std::optional<RecordPlace> PacketWalk::record(std::size_t at) {
  const auto fields = skip_name(at);
  if (!fields || packet_.size() - *fields < record_fields_octets) return std::nullopt;
  const RecordPlace place{.owner = at,
                          .data = *fields + record_fields_octets,
                          .data_octets = u16(*fields + 8),
                          .type = u16(*fields),
                          .klass = u16(*fields + 2),
                          .ttl = u32(*fields + 4)};
  if (packet_.size() - place.data < place.data_octets) return std::nullopt;
  return place;
}

bool PacketWalk::name_ends_at(std::size_t at, std::size_t end) {
  const auto behind = skip_name(at);
  return behind && *behind == end;
}

bool PacketWalk::strings_end_at(std::size_t at, std::size_t end) const {
  while (at < end) at += octet(at) + 1U;
  return at == end;
}

// What the codec will be given has the shape of its type.
bool PacketWalk::data_is_sound(const RecordPlace& place) {
  const std::size_t end = place.data + place.data_octets;
  if (place.type == type_soa) {
    const auto second = skip_name(place.data);
    const auto numbers = second ? skip_name(*second) : std::nullopt;
    return numbers && *numbers + soa_numbers_octets == end;
  }
  switch (const auto type = static_cast<RecordType>(place.type)) {
    case RecordType::a:
    case RecordType::aaaa:
      return place.data_octets == expected_octets(type);
    case RecordType::ns:
    case RecordType::cname:
    case RecordType::ptr:
      return name_ends_at(place.data, end);
    case RecordType::mx:
      return place.data_octets > 2 && name_ends_at(place.data + 2, end);
    case RecordType::txt:
      return place.data_octets > 0 && strings_end_at(place.data, end);
    case RecordType::tlsa:
      return place.data_octets > 3;
  }
  return true;
}

std::optional<Layout> PacketWalk::records(std::size_t at, RecordType wanted) {
  Layout layout;
  for (const std::size_t section : {std::size_t{6}, std::size_t{8}, std::size_t{10}}) {
    for (unsigned left = u16(section); left > 0; --left) {
      const auto place = record(at);
      if (!place) return std::nullopt;
      at = place->data + place->data_octets;
      if (section == 10 && place->type == type_opt) layout.extended_code = place->ttl >> 24;
      if (section == 10 || place->klass != class_internet) continue;
      const bool answers = section == 6 && (place->type == static_cast<std::uint16_t>(wanted) ||
                                            place->type == std::uint16_t(RecordType::cname));
      const bool denies = section == 8 && place->type == type_soa;
      if ((answers || denies) && !data_is_sound(*place)) return std::nullopt;
      if (answers) layout.answers.push_back(*place);
      if (denies) layout.soa = *place;
      if (section == 8 && place->type == std::uint16_t(RecordType::ns))
        layout.has_authority_ns = true;
    }
  }
  return layout;
}

}  // namespace kurir::dns
