// Feeds octets to the parsers of what stands between a client and us: PROXY headers and XCLIENT.
#include "input.hh"
#include "kurir/wire/proxy_header.hh"
#include "kurir/wire/xclient.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  std::string_view input = fuzz::text_of(data, size);
  const std::size_t cut = fuzz::take_octet(input);
  fuzz::check_prefixes(input, cut, wire::parse_proxy_header);
  const auto header = wire::parse_proxy_header(input);
  if (header.is_match()) {
    KURIR_ASSERT(header.consumed() <= input.size());
    KURIR_ASSERT(header.consumed() <= wire::proxy_header_octets_max);
  }
  if (header.is_incomplete()) KURIR_ASSERT(input.size() < wire::proxy_header_octets_max);
  const auto told = wire::parse_xclient(input);
  if (!told) return 0;
  for (const auto* text : {&told->name, &told->helo, &told->login})
    if (*text && **text) KURIR_ASSERT(fuzz::is_one_line(***text));
  return 0;
}
