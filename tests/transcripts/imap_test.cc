// Each transcript of IMAP, cut and ended in every place: what the client heard was done, and a
// command that did not come whole did nothing.

#include "imap/account_state.hh"
#include "support/transcript.hh"

namespace kurir::imap::test {
namespace {

Task<void> begin(House& house) {
  house.renew_bob();
  co_return;
}

class ImapTranscript : public testing::TestWithParam<std::string> {};

TEST_P(ImapTranscript, goes_as_written_however_it_is_cut) {
  const auto chat =
      kurir::test::read_chat(std::string(KURIR_GOLDEN) + "/imap/" + GetParam() + ".chat");
  HouseOptions options;
  options.server.offers_tls = GetParam().starts_with("tls_");
  House::run(options, [&](House& house) {
    return kurir::test::replay_in_all_ways<House>(
        house, {.begin = &begin, .state = &state_of}, chat,
        {.places_max = 150, .cut_is_told = GetParam() == "tls_injection"});
  });
}

INSTANTIATE_TEST_SUITE_P(Golden, ImapTranscript,
                         testing::ValuesIn(kurir::test::transcripts("imap")),
                         [](const auto& chat) { return chat.param; });

}  // namespace
}  // namespace kurir::imap::test
