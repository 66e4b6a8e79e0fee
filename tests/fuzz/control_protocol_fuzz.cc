// Feeds lines to both ends of the control socket, and patterns to the filter of queue commands.
#include <string>

#include "input.hh"
#include "kurir/queue/filter.hh"
#include "kurir/server/checkpoint_end.hh"
#include "kurir/server/control_protocol.hh"

namespace kurir::server {
namespace {

void check_line(const std::string& line) { KURIR_ASSERT(line.find('\n') == line.size() - 1); }

void check_request(std::string_view input) {
  const auto request = parse_control_request(input);
  if (!request) return;
  const std::string line = control_line(*request);
  check_line(line);
  const auto again = parse_control_request(line);
  if (line.size() > control_request_octets_max) return;
  KURIR_ASSERT(again.has_value());
  KURIR_ASSERT(again->command == request->command);
  KURIR_ASSERT(again->arguments == request->arguments);
}

void check_answer(std::string_view input) {
  const auto answer = parse_control_answer(input);
  if (answer) {
    check_line(control_line(*answer));
    KURIR_ASSERT(parse_control_answer(control_line(*answer)) == answer);
  }
  const std::string failure = control_line(control_failure(input));
  check_line(failure);
  KURIR_ASSERT(parse_control_answer(failure).has_value());
}

void check_filter(std::string_view input) {
  queue::FilterText text;
  std::string* const conditions[] = {&text.domain, &text.site, &text.sender, &text.recipient,
                                     &text.state};
  for (std::string* condition : conditions) *condition = fuzz::take_piece(input);
  while (!input.empty()) text.ids.emplace_back(fuzz::take_piece(input));
  const auto filter = queue::Filter::parse(text);
  if (!filter) KURIR_ASSERT(!filter.error().empty());
  if (filter) KURIR_ASSERT(std::ranges::is_sorted(filter->ids()));
}

// Against the plainest way to say what a pattern means.
bool matches_slowly(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*')
    return matches_slowly(pattern.substr(1), text) ||
           (!text.empty() && matches_slowly(pattern, text.substr(1)));
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return !text.empty() && lower(pattern.front()) == lower(text.front()) &&
         matches_slowly(pattern.substr(1), text.substr(1));
}

void check_pattern(std::string_view input) {
  const std::string_view pattern = fuzz::take_piece(input).substr(0, 8);
  const std::string_view text = fuzz::take_piece(input).substr(0, 12);
  KURIR_ASSERT(queue::matches_pattern(pattern, text) == matches_slowly(pattern, text));
}

}  // namespace
}  // namespace kurir::server

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  const std::string_view input = fuzz::text_of(data, size);
  server::check_request(input);
  server::check_answer(input);
  server::check_filter(input);
  server::check_pattern(input);
  if (const auto end = server::decode_checkpoint_end(input))
    KURIR_ASSERT(server::encode(*end) == input);
  return 0;
}
