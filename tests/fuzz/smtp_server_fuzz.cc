// Whole SMTP sessions: whatever a client says, each reply is one, what was acknowledged is in the
// queue and nothing else is, and how the octets were cut does not matter.
#include "conversation.hh"
#include "smtp/fixture.hh"

namespace kurir::smtp {
namespace {

bool is_reply_line(std::string_view line) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return line.size() >= 4 && line.size() <= limits::smtp_reply_line_octets_max && line[0] >= '2' &&
         line[0] <= '5' && is_digit(line[1]) && is_digit(line[2]) &&
         (line[3] == ' ' || line[3] == '-') &&
         std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; });
}

// Reads as plainly as can be which messages a client may believe in.
std::size_t acknowledged(const std::string& said) {
  std::size_t count = 0;
  fuzz::for_each_line(said, [&](std::string_view line) {
    KURIR_ASSERT(is_reply_line(line));
    count += line.starts_with("250 2.0.0 queued as ");
  });
  return count;
}

struct Deal {
  test::House& house;
  Task<void> operator()(std::string_view input) {
    const std::size_t before = house.queue().size();
    const std::string said = co_await fuzz::converse(house, input, 0);
    const std::size_t between = house.queue().size();
    KURIR_ASSERT(between - before == acknowledged(said));
    // What a client may not send before a reply, it may send in time when its octets are cut.
    if (said.find("554 5.5.0") != std::string::npos) co_return;
    const std::string again = co_await fuzz::converse(house, input, input.size() * 7919);
    KURIR_ASSERT(house.queue().size() - between == between - before);
    KURIR_ASSERT(fuzz::without("queued as [^\r]*|334 [^\r]*", said) ==
                 fuzz::without("queued as [^\r]*|334 [^\r]*", again));
  }
};

Task<void> live(test::House& house, fuzz::InputGate& gate) {
  Deal deal{house};
  co_await fuzz::serve(gate, 500, deal);
}

void run_house(Service service, fuzz::InputGate& gate) {
  test::HouseOptions options;
  options.service = service;
  test::House::run(options, [&](test::House& house) { return live(house, gate); });
}

}  // namespace
}  // namespace kurir::smtp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  static fuzz::CoreThread transfer(
      [](fuzz::InputGate& gate) { smtp::run_house(smtp::Service::transfer, gate); });
  static fuzz::CoreThread submission(
      [](fuzz::InputGate& gate) { smtp::run_house(smtp::Service::submission, gate); });
  std::string_view input = fuzz::text_of(data, size);
  const bool is_submission = (fuzz::take_octet(input) & 1) != 0;
  (is_submission ? submission : transfer).pass(input);
  return 0;
}
