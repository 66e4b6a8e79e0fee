#pragma once
// Content-Transfer-Encoding (RFC 2045 6): base64 and quoted-printable decoded in slices of any size
// with bounded state, and the writer of quoted-printable. Lenient: octets that the encoding does
// not have are skipped (base64) or kept (quoted-printable), an end in the middle yields what is
// whole. Core-local.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kurir::wire {

enum class TransferEncoding : std::uint8_t { identity, base64, quoted_printable, unknown };

// The value of the field, or of a part's encoding; empty is identity.
[[nodiscard]] TransferEncoding transfer_encoding(std::string_view name);

class TransferDecoder {
 public:
  // Unknown encodings pass as they are; who must not do that asks before (BINARY's UNKNOWN-CTE).
  explicit TransferDecoder(TransferEncoding encoding) : encoding_(encoding) {}

  void decode(std::string_view slice, std::string& out);
  void finish(std::string& out);

 private:
  void decode_base64(std::string_view slice, std::string& out);
  void flush_base64(std::string& out);
  void decode_quoted_printable(std::string_view slice, std::string& out);
  void take_quoted_printable(char c, std::string& out);

  TransferEncoding encoding_;
  std::uint32_t bits_ = 0;  // base64: sextets that are no whole octets yet
  std::uint8_t sextets_ = 0;
  std::string held_{};  // quoted-printable: an unfinished "=..." or trailing white space
};

// Calls sink(std::string_view) with the decoded octets, at most some 16 KiB at a time; a sink that
// returns false ends it.
template <class Sink>
void decode_in_steps(TransferEncoding encoding, std::string_view body, Sink sink) {
  constexpr std::size_t step_octets = 16 * 1024;
  TransferDecoder decoder(encoding);
  std::string decoded;
  while (!body.empty()) {
    const std::string_view slice = body.substr(0, step_octets);
    body.remove_prefix(slice.size());
    decoded.clear();
    decoder.decode(slice, decoded);
    if (!sink(std::string_view(decoded))) return;
  }
  decoded.clear();
  decoder.finish(decoded);
  if (!decoded.empty()) sink(std::string_view(decoded));
}

// Appends text in quoted-printable: CRLF stays a line end, a CR or LF alone is encoded like any
// other octet that is not visible ASCII, and lines have at most 76 octets.
void append_quoted_printable(std::string& out, std::string_view text);

// What BINARY.SIZE says (RFC 3516 4.3).
[[nodiscard]] std::size_t decoded_octets(TransferEncoding encoding, std::string_view body);

}  // namespace kurir::wire
