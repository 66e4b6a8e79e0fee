// Runs the golden chats of tests/golden/smtp (support/chat.hh says how they are written). What a
// name begins with says what the session is like: chat_options().

#include <algorithm>

#include "fixture.hh"

namespace kurir::smtp::test {
namespace {

class SmtpChat : public testing::TestWithParam<std::string> {};

TEST_P(SmtpChat, goes_as_written) {
  const auto chat =
      kurir::test::read_chat(std::filesystem::path(KURIR_GOLDEN) / (GetParam() + ".chat"));
  ASSERT_FALSE(chat.empty());
  House::run(chat_options(GetParam()),
             [&](House& house) { return kurir::test::hold_chat(house, chat); });
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& file : std::filesystem::directory_iterator(KURIR_GOLDEN))
    all.push_back(file.path().stem());
  std::ranges::sort(all);
  return all;
}
INSTANTIATE_TEST_SUITE_P(Golden, SmtpChat, testing::ValuesIn(names()),
                         [](const auto& chat) { return chat.param; });

}  // namespace
}  // namespace kurir::smtp::test
