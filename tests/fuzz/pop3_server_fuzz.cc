// Whole POP3 sessions on a maildrop of two messages: whatever a client says, each answer is one,
// only QUIT deletes, and how the octets were cut does not matter.
#include "conversation.hh"
#include "pop3/fixture.hh"

namespace kurir::pop3 {
namespace {

Task<std::string> converse(test::House& house, std::string_view input, fuzz::Cut cut) {
  house.renew_bob();
  co_await house.append("Subject: one\r\n\r\nfirst\r\n.\r\n..\r\n.x\r\nlast\r\n");
  co_await house.append("Subject: two\r\n\r\nsecond\r\n");
  std::string said = co_await fuzz::converse(house, input, cut);
  const std::uint32_t left = co_await house.messages();
  KURIR_ASSERT(left <= 2);
  if (left < 2) {
    // QUIT was answered, behind a DELE that was.
    KURIR_ASSERT(said.find("+OK", said.find("+OK") + 1) != std::string::npos);
    KURIR_ASSERT(said.ends_with("\r\n"));
  }
  said += std::to_string(left);
  co_return said;
}

struct Deal {
  test::House& house;
  Task<void> operator()(std::string_view input) {
    const std::string said = co_await converse(house, input, 0);
    KURIR_ASSERT(said.starts_with("+OK ") || said.starts_with("-ERR "));
    const std::string again = co_await converse(house, input, input.size() * 7919);
    // Unique ids have the second in which the maildrop was made.
    // And the challenges of SCRAM are never the same.
    constexpr const char* moments = "1[0-9]{9}|\\+ [A-Za-z0-9+/=]*\r";
    KURIR_ASSERT(fuzz::without(moments, said) == fuzz::without(moments, again));
  }
};

Task<void> live(test::House& house, fuzz::InputGate& gate) {
  Deal deal{house};
  co_await fuzz::serve(gate, 500, deal);
}

}  // namespace
}  // namespace kurir::pop3

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  static fuzz::CoreThread thread([](fuzz::InputGate& gate) {
    pop3::test::House::run(pop3::test::small_limits(),
                           [&](pop3::test::House& house) { return pop3::live(house, gate); });
  });
  std::string_view input = fuzz::text_of(data, size);
  const bool logs_in = (fuzz::take_octet(input) & 1) != 0;
  const std::string login = "USER bob@example.test\r\nPASS secret\r\n\xff";
  thread.pass((logs_in ? login : std::string()) + std::string(input));
  return 0;
}
