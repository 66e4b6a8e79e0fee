// Feeds octets to the reader of the load test's stamps, and reads back what was written.
#include <cstring>

#include "input.hh"
#include "kurir/wire/load_stamp.hh"

namespace kurir::wire {
namespace {

void check_stamp(const LoadStamp& stamp) {
  std::string line;
  append_load_stamp(line, stamp);
  KURIR_ASSERT(line.ends_with("\r\n"));
  KURIR_ASSERT(line.starts_with(std::string(load_stamp_field) + ": "));
  const std::string_view value = std::string_view(line).substr(load_stamp_field.size() + 2);
  KURIR_ASSERT(parse_load_stamp(value.substr(0, value.size() - 2)) == stamp);
}

void check_message(std::string_view body) {
  std::string message = "From: a@b\r\n";
  const LoadStamp stamp{1, 2, body.size(), load_stamp_hash(body)};
  append_load_stamp(message, stamp);
  message += "\r\n";
  message += body;
  const StampedMessage whole = verify_load_stamp(message);
  KURIR_ASSERT(whole.verdict == StampVerdict::whole);
  KURIR_ASSERT(whole.stamp == stamp);
  message.push_back('x');
  KURIR_ASSERT(verify_load_stamp(message).verdict == StampVerdict::altered);
}

}  // namespace
}  // namespace kurir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  const std::string_view input = fuzz::text_of(data, size);
  if (const auto stamp = wire::parse_load_stamp(input)) wire::check_stamp(*stamp);
  (void)wire::verify_load_stamp(input);
  wire::check_message(input);
  std::uint64_t numbers[4] = {};
  if (!input.empty()) std::memcpy(numbers, input.data(), std::min(input.size(), sizeof numbers));
  wire::check_stamp({numbers[0], numbers[1], numbers[2], numbers[3]});
  return 0;
}
