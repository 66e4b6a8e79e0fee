// Runs the golden chats of tests/golden/imap (support/chat.hh says how they are written).

#include "fixture.hh"

namespace kurir::imap::test {
namespace {

class ImapChat : public testing::TestWithParam<std::string> {};

TEST_P(ImapChat, goes_as_written) {
  const auto chat =
      kurir::test::read_chat(std::filesystem::path(KURIR_GOLDEN) / (GetParam() + ".chat"));
  ASSERT_FALSE(chat.empty());
  HouseOptions options;
  options.server.offers_tls = GetParam().starts_with("tls_");
  House::run(options, [&](House& house) { return kurir::test::hold_chat(house, chat); });
}

INSTANTIATE_TEST_SUITE_P(Golden, ImapChat,
                         testing::Values("login", "select_and_fetch", "sections", "flags",
                                         "expunge", "copy_and_move", "search", "folders", "append",
                                         "idle", "states", "condstore", "revision2", "tls_starttls",
                                         "tls_injection"),
                         [](const auto& chat) { return chat.param; });

}  // namespace
}  // namespace kurir::imap::test
