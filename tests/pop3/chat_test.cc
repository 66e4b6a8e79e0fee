// Runs the golden chats of tests/golden/pop3 (support/chat.hh says how they are written). INBOX has
// two messages: "Subject: one", with lines of dots, and "Subject: two". Those named tls_* are with
// a session that offers TLS.

#include "fixture.hh"

namespace kurir::pop3::test {
namespace {

class Pop3Chat : public testing::TestWithParam<std::string> {};

Task<void> hold(House& house, std::vector<kurir::test::ChatLine> chat) {
  co_await house.append("Subject: one\r\n\r\nfirst\r\n.\r\n..\r\n.x\r\nlast\r\n");
  co_await house.append("Subject: two\r\n\r\nsecond\r\n");
  co_await kurir::test::hold_chat(house, std::move(chat));
}

TEST_P(Pop3Chat, goes_as_written) {
  const auto chat =
      kurir::test::read_chat(std::filesystem::path(KURIR_GOLDEN) / (GetParam() + ".chat"));
  ASSERT_FALSE(chat.empty());
  ServerOptions options = small_limits();
  options.offers_tls = GetParam().starts_with("tls_");
  House::run(options, [&](House& house) { return hold(house, chat); });
}

INSTANTIATE_TEST_SUITE_P(Golden, Pop3Chat,
                         testing::Values("login", "auth", "maildrop", "numbers", "top", "delete",
                                         "in_use", "pipelining", "tls_stls", "tls_injection"),
                         [](const auto& chat) { return chat.param; });

}  // namespace
}  // namespace kurir::pop3::test
