// Feeds octets to the parser of a peer's replies, and texts to the writer of ours.
#include <string>

#include "input.hh"
#include "kurir/base/limits.hh"
#include "kurir/wire/bounce_category.hh"
#include "kurir/wire/smtp_reply.hh"

namespace kurir::wire {
namespace {

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

void check_peer_reply(std::string_view input) {
  const auto parsed = parse_smtp_reply(input);
  if (!parsed.is_match()) return;
  const PeerReply& reply = parsed.value();
  KURIR_ASSERT(reply.code >= 200 && reply.code <= 599);
  KURIR_ASSERT(!reply.status.is_given() || reply.status.status_class == reply.code / 100);
  KURIR_ASSERT(fuzz::is_one_line(reply.first_line()));
  std::string_view lines = reply.lines;
  KURIR_ASSERT(lines.size() == parsed.consumed());
  while (!lines.empty()) {
    const std::size_t before = lines.size();
    KURIR_ASSERT(fuzz::is_one_line(PeerReply::take_line(lines)));
    KURIR_ASSERT(lines.size() < before);
  }
  (void)name_of(bounce_category(reply.code, reply.status, reply.first_line()));
}

// What we write is one reply, which our own parser reads.
void check_written(std::string_view text, unsigned choice) {
  Reply reply{.code = static_cast<std::uint16_t>(200 + choice % 400), .status = {}, .text = text};
  const auto status_class = static_cast<std::uint8_t>(reply.code / 100);
  if (choice % 3 == 0 && status_class != 3) reply.status = {status_class, 1, 10};
  std::string written;
  append_reply(written, reply);
  KURIR_ASSERT(written.size() == octets_of(reply));
  std::string room(written.size() - 1, '\0');
  KURIR_ASSERT(write_reply(room, reply) == 0);
  const auto again = parse_smtp_reply(written);
  if (written.size() > limits::smtp_peer_reply_octets_max) return;
  KURIR_ASSERT(again.is_match());
  KURIR_ASSERT(again.consumed() == written.size());
  KURIR_ASSERT(again.value().code == reply.code);
  if (reply.status.is_given()) KURIR_ASSERT(again.value().status == reply.status);
  for (std::size_t at = 0; at < written.size();) {
    const std::size_t end = written.find("\r\n", at);
    KURIR_ASSERT(end - at + 2 <= limits::smtp_reply_line_octets_max);
    KURIR_ASSERT(is_printable(std::string_view(written).substr(at, end - at)));
    at = end + 2;
  }
}

}  // namespace
}  // namespace kurir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  std::string_view input = fuzz::text_of(data, size);
  const unsigned choice = fuzz::take_two(input);
  fuzz::check_prefixes(input, choice % 512, &wire::parse_smtp_reply);
  wire::check_peer_reply(input);
  wire::check_written(input, choice);
  (void)wire::parse_enhanced_status(input);
  std::string printable;
  wire::append_printable(printable, input, choice % 100);
  KURIR_ASSERT(printable.size() <= choice % 100);
  KURIR_ASSERT(wire::is_printable(printable));
  return 0;
}
