// Feeds octets to the decoder of header text, and to that of charsets in slices.
#include <string>

#include "input.hh"
#include "kurir/wire/charset.hh"
#include "kurir/wire/encoded_word.hh"
#include "kurir/wire/transfer_encoding.hh"

namespace kurir::wire {
namespace {

// The same whatever the slices.
void check_charset(std::string_view name, std::string_view octets, std::size_t cut) {
  cut = std::min(cut, octets.size());
  std::string whole, halves;
  CharsetDecoder first(name), second(name);
  first.decode(octets, whole);
  first.finish(whole);
  second.decode(octets.substr(0, cut), halves);
  second.decode(octets.substr(cut), halves);
  second.finish(halves);
  KURIR_ASSERT(whole == halves);
}

void check_transfer(TransferEncoding encoding, std::string_view input, std::size_t cut) {
  cut = std::min(cut, input.size());
  std::string whole, halves;
  TransferDecoder first(encoding), second(encoding);
  first.decode(input, whole);
  first.finish(whole);
  second.decode(input.substr(0, cut), halves);
  second.decode(input.substr(cut), halves);
  second.finish(halves);
  KURIR_ASSERT(whole == halves);
  KURIR_ASSERT(whole.size() <= input.size() + 1);
}

}  // namespace
}  // namespace kurir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  using wire::TransferEncoding;
  std::string_view input = fuzz::text_of(data, size);
  const std::size_t cut = fuzz::take_octet(input);
  (void)wire::decode_header_text(input);
  const std::string_view charset = fuzz::take_piece(input);
  wire::check_charset(charset, input, cut);
  for (const auto encoding : {TransferEncoding::base64, TransferEncoding::quoted_printable})
    wire::check_transfer(encoding, input, cut);
  return 0;
}
