// Feeds octets to every parser of message content, and holds the results to what is promised.
#include <cstdint>
#include <string>
#include <string_view>

#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"
#include "kurir/wire/address_list.hh"
#include "kurir/wire/date.hh"
#include "kurir/wire/encoded_word.hh"
#include "kurir/wire/header.hh"
#include "kurir/wire/text_search.hh"
#include "kurir/wire/transfer_encoding.hh"
#include "wire/mime_check.hh"

namespace kurir::wire {
namespace {

// Selecting a field and leaving it out give all octets of the header between them.
void check_header(std::string_view input) {
  const std::string_view header = input.substr(0, header_octets(input));
  std::string raw;
  HeaderReader reader(header);
  while (const auto field = reader.next()) raw += field->raw;
  KURIR_ASSERT(header.starts_with(raw));
  KURIR_ASSERT(header.size() - raw.size() <= 2);
  std::string matching;
  std::string others;
  append_selected_fields(matching, header, {"a", "subject"}, HeaderSelection::matching);
  append_selected_fields(others, header, {"a", "subject"}, HeaderSelection::others);
  KURIR_ASSERT(matching.size() + others.size() >= raw.size() + 4);
  KURIR_ASSERT(matching.size() + others.size() <= raw.size() + 6);
}

void check_date(std::string_view input) {
  const auto date = parse_mail_date(input);
  if (!date) return;
  std::string text;
  append_mail_date(text, *date);
  const auto again = parse_mail_date(text);
  KURIR_ASSERT(again.has_value());
  const std::int64_t local = date->utc_seconds + std::int64_t{date->zone_minutes} * 60;
  constexpr std::int64_t year_10000 = 253402300800;
  KURIR_ASSERT(local >= year_10000 || again->utc_seconds == date->utc_seconds);
}

// The same whatever the slices.
void check_transfer(TransferEncoding encoding, std::string_view input) {
  const std::size_t middle = input.size() / 2;
  std::string whole;
  std::string halves;
  TransferDecoder first(encoding);
  first.decode(input, whole);
  first.finish(whole);
  TransferDecoder second(encoding);
  second.decode(input.substr(0, middle), halves);
  second.decode(input.substr(middle), halves);
  second.finish(halves);
  KURIR_ASSERT(whole == halves);
  KURIR_ASSERT(whole.size() <= input.size() + 1);
}

}  // namespace
}  // namespace kurir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir::wire;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  KURIR_ASSERT(test::fault_of_message(input).empty());
  check_header(input);
  check_date(input);
  check_transfer(TransferEncoding::base64, input);
  check_transfer(TransferEncoding::quoted_printable, input);
  KURIR_ASSERT(parse_address_list(input).addresses.size() <= kurir::limits::addresses_parsed_max);
  (void)decode_header_text(input);
  for (const MimeParameter& parameter : parse_parameterized(input).parameters)
    (void)parameter.decoded();
  const TextSearch search(input.substr(0, 8));
  (void)search.matches_text(input, parse_mime(input));
  return 0;
}
