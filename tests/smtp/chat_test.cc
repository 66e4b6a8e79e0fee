// Runs the golden chats of tests/golden/smtp (support/chat.hh says how they are written). Those
// named submission_* are with a session of the submission service, tls_* with one that offers TLS.

#include <algorithm>

#include "fixture.hh"

namespace kurir::smtp::test {
namespace {

class SmtpChat : public testing::TestWithParam<std::string> {};

TEST_P(SmtpChat, goes_as_written) {
  const auto chat =
      kurir::test::read_chat(std::filesystem::path(KURIR_GOLDEN) / (GetParam() + ".chat"));
  ASSERT_FALSE(chat.empty());
  HouseOptions options;
  if (GetParam().starts_with("submission_")) options.service = Service::submission;
  options.server.offers_tls = GetParam().starts_with("tls_");
  House::run(options, [&](House& house) { return kurir::test::hold_chat(house, chat); });
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
