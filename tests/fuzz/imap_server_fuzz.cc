// Whole IMAP sessions: whatever a client says, answers are whole lines, how the octets were cut
// does not matter, and neither does it to what the mailboxes hold in the end.
#include "conversation.hh"
#include "imap/account_state.hh"

namespace kurir::imap {
namespace {

struct Outcome {
  std::string said;
  std::string state;  // of the account, but for where its messages lie
};

// Moments, and UIDVALIDITY that is one, are those of the conversation; so are the challenges of
// SCRAM.
std::string without_moments(const std::string& said) {
  return fuzz::without(
      "1[0-9]{9}|\\+ [A-Za-z0-9+/=]*\r|[ 0-3][0-9]-[A-Z][a-z]{2}-[0-9]{4}( [0-9:]{8} "
      "[-+][0-9]{4})?",
      said);
}

Task<Outcome> converse(test::House& house, std::string_view input, fuzz::Cut cut) {
  house.renew_bob();
  Outcome outcome;
  outcome.said = co_await fuzz::converse(house, input, cut);
  KURIR_ASSERT(outcome.said.starts_with("* OK "));
  KURIR_ASSERT(outcome.said.ends_with("\r\n"));
  outcome.state = co_await test::state_of(house);
  co_return outcome;
}

struct Deal {
  test::House& house;
  Task<void> operator()(std::string_view input) {
    const Outcome whole = co_await converse(house, input, 0);
    const Outcome cut = co_await converse(house, input, input.size() * 7919);
    if (without_moments(whole.said) != without_moments(cut.said))
      std::fprintf(stderr, "whole:\n%s\ncut:\n%s\n", whole.said.c_str(), cut.said.c_str());
    KURIR_ASSERT(without_moments(whole.said) == without_moments(cut.said));
    KURIR_ASSERT(whole.state == cut.state);
  }
};

Task<void> live(test::House& house, fuzz::InputGate& gate) {
  Deal deal{house};
  co_await fuzz::serve(gate, 500, deal);
}

}  // namespace
}  // namespace kurir::imap

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  static fuzz::CoreThread thread([](fuzz::InputGate& gate) {
    imap::test::House::run({}, [&](imap::test::House& house) { return imap::live(house, gate); });
  });
  std::string_view input = fuzz::text_of(data, size);
  const unsigned choice = fuzz::take_octet(input) % 3;
  std::string begin;
  if (choice >= 1) begin = "l LOGIN bob@example.test secret\r\n\xff";
  if (choice >= 2)
    begin +=
        "m APPEND INBOX (\\Seen) {34+}\r\nFrom: a@b.test\r\nSubject: x\r\n\r\nbody\r\n\r\n"
        "s SELECT INBOX\r\n\xff";
  thread.pass(begin + std::string(input));
  return 0;
}
