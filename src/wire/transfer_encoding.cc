#include "kurir/wire/transfer_encoding.hh"

#include <algorithm>
#include <array>
#include <optional>

#include "mail_ascii.hh"

namespace kurir::wire {

using namespace mail_ascii;

namespace {

// White space at the end of a line is dropped (RFC 2045 6.7, rule 3). More than a line may have is
// no end of a line, and is not held.
constexpr std::size_t held_octets_max = 998;

constexpr std::uint8_t not_base64 = 0xFF;
constexpr auto base64_values = [] {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<std::uint8_t, 256> values{};
  values.fill(not_base64);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}();

struct EncodingName {
  std::string_view name;
  TransferEncoding encoding;
};
constexpr EncodingName encoding_names[] = {
    {"7bit", TransferEncoding::identity},
    {"8bit", TransferEncoding::identity},
    {"binary", TransferEncoding::identity},
    {"base64", TransferEncoding::base64},
    {"", TransferEncoding::identity},
    {"quoted-printable", TransferEncoding::quoted_printable}};

}  // namespace

TransferEncoding transfer_encoding(std::string_view name) {
  name = trim(name);
  for (const EncodingName& row : encoding_names) {
    if (same(row.name, name)) return row.encoding;
  }
  return TransferEncoding::unknown;
}

void TransferDecoder::decode(std::string_view slice, std::string& out) {
  switch (encoding_) {
    case TransferEncoding::identity:
    case TransferEncoding::unknown:
      out += slice;
      return;
    case TransferEncoding::base64:
      return decode_base64(slice, out);
    case TransferEncoding::quoted_printable:
      return decode_quoted_printable(slice, out);
  }
}

void TransferDecoder::finish(std::string& out) {
  flush_base64(out);
  // An unfinished "=" stays; white space ends the last line.
  if (held_.starts_with('=')) out += held_;
  held_.clear();
}

void TransferDecoder::decode_base64(std::string_view slice, std::string& out) {
  for (const char c : slice) {
    if (c == '=') {
      flush_base64(out);  // what follows may be another encoded text, set behind this one
      continue;
    }
    const std::uint8_t value = base64_values[static_cast<unsigned char>(c)];
    if (value == not_base64) continue;
    bits_ = bits_ << 6 | value;
    if (++sextets_ < 4) continue;
    out +=
        {static_cast<char>(bits_ >> 16), static_cast<char>(bits_ >> 8), static_cast<char>(bits_)};
    bits_ = sextets_ = 0;
  }
}

void TransferDecoder::flush_base64(std::string& out) {
  if (sextets_ == 3) out += {static_cast<char>(bits_ >> 10), static_cast<char>(bits_ >> 2)};
  if (sextets_ == 2) out += static_cast<char>(bits_ >> 4);
  bits_ = sextets_ = 0;
}

void TransferDecoder::decode_quoted_printable(std::string_view slice, std::string& out) {
  while (!slice.empty()) {
    const std::size_t plain =
        held_.empty() ? std::min(slice.find_first_of("= \t"), slice.size()) : 0;
    out += slice.substr(0, plain);
    slice.remove_prefix(plain);
    if (slice.empty()) return;
    take_quoted_printable(slice.front(), out);
    slice.remove_prefix(1);
  }
}

// held_ is empty, white space, "=", "=" with white space or CR behind it, or "=" and a hex digit.
void TransferDecoder::take_quoted_printable(char c, std::string& out) {
  const bool escape = held_.starts_with('=');
  const auto high = escape && held_.size() == 2 ? hex_digit(held_[1]) : std::nullopt;
  if (escape && high && hex_digit(c)) {
    out += static_cast<char>(*high << 4 | *hex_digit(c));
    held_.clear();
    return;
  }
  if (c == '\n') {
    if (high) out += held_;
    if (high || !escape) out += held_.ends_with('\r') ? "\r\n" : "\n";  // else a soft line break
    held_.clear();
    return;
  }
  const bool begins_code = held_ == "=" && hex_digit(c);
  const bool may_end_line = (is_wsp(c) || c == '\r') && !high && !held_.ends_with('\r');
  if ((begins_code || may_end_line) && held_.size() < held_octets_max) {
    held_ += c;
    return;
  }
  out += held_;
  held_.clear();
  if (c == '=' || is_wsp(c)) {
    held_ = c;
  } else {
    out += c;
  }
}

void append_quoted_printable(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  constexpr std::size_t column_max = 75;  // a soft break's "=" is the last
  std::size_t column = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at).starts_with("\r\n")) {
      out += "\r\n";
      column = 0;
      ++at;
      continue;
    }
    const char c = text[at];
    const std::string_view rest = text.substr(at + 1);
    const bool last = rest.empty() || rest.starts_with("\r\n");  // white space there would be lost
    const bool plain = (c > ' ' && c < 0x7f && c != '=') || (is_wsp(c) && !last);
    const std::size_t octets = plain ? 1 : 3;
    if (column + octets > column_max) {
      out += "=\r\n";
      column = 0;
    }
    column += octets;
    if (plain) {
      out += c;
    } else {
      const auto octet = static_cast<unsigned char>(c);
      out += {'=', hex[octet >> 4], hex[octet & 15]};
    }
  }
}

std::size_t decoded_octets(TransferEncoding encoding, std::string_view body) {
  if (encoding == TransferEncoding::identity) return body.size();
  std::size_t octets = 0;
  decode_in_steps(encoding, body, [&octets](std::string_view decoded) {
    octets += decoded.size();
    return true;
  });
  return octets;
}

}  // namespace kurir::wire
