#include "kurir/wire/load_stamp.hh"

#include <charconv>

#include "kurir/base/hash.hh"
#include "kurir/wire/header.hh"

namespace kurir::wire {
namespace {

void append_hex(std::string& out, std::uint64_t value) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) out += digits[(value >> shift) & 15];
}

void append_decimal(std::string& out, std::uint64_t value) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end);
}

// "name=", the number, and what stands between it and the next.
bool take(std::string_view& text, std::string_view name, int base, std::uint64_t& value) {
  if (!text.starts_with(name)) return false;
  text.remove_prefix(name.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

void append_load_stamp(std::string& out, const LoadStamp& stamp) {
  out += load_stamp_field;
  out += ": run=";
  append_hex(out, stamp.run);
  out += "; number=";
  append_decimal(out, stamp.number);
  out += "; octets=";
  append_decimal(out, stamp.octets);
  out += "; xxh3=";
  append_hex(out, stamp.hash);
  out += "\r\n";
}

std::optional<LoadStamp> parse_load_stamp(std::string_view value) {
  const std::string text = unfold(value);
  std::string_view rest = text;
  LoadStamp stamp;
  if (!take(rest, "run=", 16, stamp.run) || !take(rest, "; number=", 10, stamp.number) ||
      !take(rest, "; octets=", 10, stamp.octets) || !take(rest, "; xxh3=", 16, stamp.hash) ||
      !rest.empty())
    return std::nullopt;
  return stamp;
}

std::uint64_t load_stamp_hash(std::string_view body) { return checksum(body); }

StampedMessage verify_load_stamp(std::string_view content) {
  const std::size_t header = header_octets(content);
  const auto field = find_field(content.substr(0, header), load_stamp_field);
  const std::optional<LoadStamp> stamp =
      field ? parse_load_stamp(field->value) : std::optional<LoadStamp>();
  if (!stamp) return {};
  const std::string_view body = content.substr(header);
  const bool is_whole = body.size() == stamp->octets && load_stamp_hash(body) == stamp->hash;
  return {is_whole ? StampVerdict::whole : StampVerdict::altered, *stamp};
}

}  // namespace kurir::wire
