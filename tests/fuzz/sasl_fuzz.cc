// Feeds octets to what reads a login: base64, PLAIN and LOGIN.
#include <array>
#include <string>

#include "input.hh"
#include "kurir/wire/base64.hh"
#include "kurir/wire/sasl.hh"

namespace kurir::wire {
namespace {

void check_plain(std::string_view message) {
  (void)check_sasl_login(message);
  const auto plain = parse_sasl_plain(message);
  if (!plain) return;
  KURIR_ASSERT(!plain->authcid.empty());
  KURIR_ASSERT(!plain->password.empty());
  KURIR_ASSERT(plain->authzid.size() + plain->authcid.size() + plain->password.size() + 2 ==
               message.size());
  for (const std::string_view part : {plain->authzid, plain->authcid, plain->password})
    KURIR_ASSERT(part.find('\0') == std::string_view::npos);
}

}  // namespace
}  // namespace kurir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  std::string_view input = fuzz::text_of(data, size);
  const std::size_t room = fuzz::take_two(input) % 2048;
  KURIR_ASSERT(wire::decode_base64(wire::encode_base64(input)) == input);
  // Each value has one spelling.
  if (const auto decoded = wire::decode_base64(input))
    KURIR_ASSERT(wire::encode_base64(*decoded) == input);
  std::array<char, 2048> storage;
  const std::span<char> out = std::span(storage).first(room);
  if (const auto message = wire::decode_sasl(input, out)) {
    KURIR_ASSERT(wire::encode_base64(*message) == input);
    wire::check_plain(*message);
  }
  (void)wire::decode_initial_response(input, out);
  wire::check_plain(input);
  return 0;
}
