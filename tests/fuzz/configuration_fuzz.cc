// Feeds octets to the reader of kurir.toml and to those of its values.
#include <string>

#include "input.hh"
#include "kurir/dns/resolv_conf.hh"
#include "kurir/server/configuration.hh"
#include "kurir/server/values.hh"

namespace kurir::server {
namespace {

void check_file(std::string_view toml, const std::vector<std::string>& settings) {
  const Configured<Configuration> read = parse_configuration(toml, "k.toml", settings);
  if (!read) {
    KURIR_ASSERT(!read.error().empty());
    for (const ConfigurationFault& fault : read.error()) {
      KURIR_ASSERT(!fault.text.empty());
      KURIR_ASSERT(fault.message().starts_with("k.toml") || fault.message().starts_with("--set"));
    }
    return;
  }
  KURIR_ASSERT(read->auth.failures_max > 0);
  KURIR_ASSERT(read->smtp.recipients_max >= 100);
  KURIR_ASSERT(read->store.segment_size % 4096 == 0);
  KURIR_ASSERT(read->queue.retry_interval <= read->queue.max_retry_interval);
  for (const auto& [key, origin] : read->origins) KURIR_ASSERT(!origin.empty());
}

void check_values(std::string_view text) {
  if (const auto duration = parse_duration(text)) {
    KURIR_ASSERT(*duration >= Nanoseconds(0));
    KURIR_ASSERT(parse_duration(duration_text(*duration)) == duration);
  }
  if (const auto size = parse_size(text)) KURIR_ASSERT(parse_size(size_text(*size)) == size);
  if (const auto rate = parse_rate(text)) {
    const auto again = parse_rate(relay::text_of(*rate));
    KURIR_ASSERT(again.has_value());
    KURIR_ASSERT(again->interval() == rate->interval());
  }
}

}  // namespace
}  // namespace kurir::server

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  std::string_view input = fuzz::text_of(data, size);
  server::check_values(input);
  KURIR_ASSERT(dns::parse_resolv_conf(input).size() <= limits::dns_servers_max);
  std::vector<std::string> settings;
  if (input.find('\xFF') != std::string_view::npos) settings.emplace_back(fuzz::take_piece(input));
  server::check_file(input, settings);
  return 0;
}
