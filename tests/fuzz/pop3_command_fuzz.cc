// Feeds octets to the parser of POP3 commands.
#include "input.hh"
#include "kurir/wire/line.hh"
#include "kurir/wire/pop3_command.hh"

namespace kurir::wire {
namespace {

void check_command(std::string_view input) {
  const auto parsed = parse_pop3_command(input);
  if (parsed.is_fault()) {
    KURIR_ASSERT(parsed.fault().consumed <= input.size());
    KURIR_ASSERT(parsed.fault().line_is_lost() == (parsed.fault().consumed == 0));
  }
  if (!parsed.is_match()) return;
  const Pop3Command& command = parsed.value();
  KURIR_ASSERT(input.substr(0, parsed.consumed()).ends_with("\r\n"));
  KURIR_ASSERT(fuzz::is_one_line(command.argument));
  KURIR_ASSERT(fuzz::is_one_line(command.mechanism));
  KURIR_ASSERT(name_of(command.verb) != "?");
  KURIR_ASSERT(!command.message || *command.message > 0);
  const bool names_one = command.verb == Pop3Verb::retr || command.verb == Pop3Verb::dele ||
                         command.verb == Pop3Verb::top;
  KURIR_ASSERT(!names_one || command.message.has_value());
}

// However much is thrown away at once, the next line begins at the same place.
void check_skipper(std::string_view input, std::size_t cut) {
  LineSkipper at_once, in_two;
  const LineSkipper::Step whole = at_once.skip(input);
  cut = std::min(cut, input.size());
  LineSkipper::Step step = in_two.skip(input.substr(0, cut));
  if (!step.finished) {
    KURIR_ASSERT(step.consumed == cut);
    step = in_two.skip(input.substr(cut));
    step.consumed += cut;
  }
  KURIR_ASSERT(step.finished == whole.finished);
  KURIR_ASSERT(step.consumed == whole.consumed);
  KURIR_ASSERT(in_two.skipped_octets() == at_once.skipped_octets());
  const std::size_t end = input.find("\r\n");
  KURIR_ASSERT(whole.finished == (end != std::string_view::npos));
  if (whole.finished) KURIR_ASSERT(whole.consumed == end + 2);
}

}  // namespace
}  // namespace kurir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  std::string_view input = fuzz::text_of(data, size);
  const std::size_t cut = fuzz::take_octet(input);
  fuzz::check_prefixes(input, cut,
                       [](std::string_view octets) { return wire::parse_pop3_command(octets); });
  fuzz::check_prefixes(input, cut,
                       [](std::string_view octets) { return wire::next_line(octets, 100); });
  wire::check_command(input);
  wire::check_skipper(input, cut);
  return 0;
}
