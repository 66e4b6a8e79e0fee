// Each transcript of POP3, cut and ended in every place: messages are gone only where QUIT came.

#include "pop3/fixture.hh"
#include "support/transcript.hh"

namespace kurir::pop3::test {
namespace {

Task<void> begin(House& house) {
  house.renew_bob();
  co_await house.append("Subject: one\r\n\r\nfirst\r\n.\r\n..\r\n.x\r\nlast\r\n");
  co_await house.append("Subject: two\r\n\r\nsecond\r\n");
}
Task<std::string> state(House& house) { co_return std::to_string(co_await house.messages()); }

class Pop3Transcript : public testing::TestWithParam<std::string> {};

TEST_P(Pop3Transcript, goes_as_written_however_it_is_cut) {
  const auto chat =
      kurir::test::read_chat(std::string(KURIR_GOLDEN) + "/pop3/" + GetParam() + ".chat");
  ServerOptions options = small_limits();
  options.offers_tls = GetParam().starts_with("tls_");
  House::run(options, [&](House& house) {
    return kurir::test::replay_in_all_ways<House>(
        house, {.begin = &begin, .state = &state}, chat,
        {.places_max = 1000, .cut_is_told = GetParam() == "tls_injection"});
  });
}

INSTANTIATE_TEST_SUITE_P(Golden, Pop3Transcript,
                         testing::ValuesIn(kurir::test::transcripts("pop3")),
                         [](const auto& chat) { return chat.param; });

}  // namespace
}  // namespace kurir::pop3::test
