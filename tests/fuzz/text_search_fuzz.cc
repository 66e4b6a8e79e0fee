// Searches for octets in octets: what is found in plain text must be found, as the message and its
// header tell it.
#include <string>

#include "input.hh"
#include "kurir/wire/mime.hh"
#include "kurir/wire/text_search.hh"

namespace kurir::wire {
namespace {

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}
std::string lower(std::string_view text) {
  std::string all(text);
  for (char& c : all)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return all;
}

// ASCII in one line: a substring without regard to case, no more and no less.
void check_plain(std::string_view needle, std::string_view text) {
  if (!is_plain(needle) || !is_plain(text)) return;
  const bool is_there = lower(text).find(lower(needle)) != std::string::npos;
  const TextSearch search(needle);
  const std::string message = "X: y\r\n\r\n" + std::string(text);
  KURIR_ASSERT(search.matches_body(message, parse_mime(message)) == is_there);
  if (is_there) KURIR_ASSERT(search.matches_text(message, parse_mime(message)));
}

}  // namespace
}  // namespace kurir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  std::string_view input = fuzz::text_of(data, size);
  const std::string_view needle = fuzz::take_piece(input);
  const wire::TextSearch search(needle);
  const wire::MimeStructure structure = wire::parse_mime(input);
  const bool in_body = search.matches_body(input, structure);
  const bool in_text = search.matches_text(input, structure);
  KURIR_ASSERT(!needle.empty() || in_text);
  (void)in_body;
  (void)search.matches_header(input);
  wire::check_plain(needle, input);
  return 0;
}
