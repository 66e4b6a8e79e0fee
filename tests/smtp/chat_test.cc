// Runs the golden chats of tests/golden/smtp (support/chat.hh says how they are written). What a
// name begins with says what the session is like: options_of().

#include <algorithm>

#include "fixture.hh"

namespace kurir::smtp::test {
namespace {

HouseOptions options_of(const std::string& name) {
  HouseOptions options;
  const auto anybody = [](const io::SocketAddress&) { return true; };
  if (name.starts_with("submission_")) options.service = Service::submission;
  if (name.starts_with("lmtp_")) options.service = Service::lmtp;
  options.server.offers_tls = name.starts_with("tls_");
  options.server.pipelining_connect = name.starts_with("pipeconnect_");
  if (name.starts_with("vrfy_")) options.server.vrfy = Vrfy::everybody;
  if (name.starts_with("etrn_")) options.server.may_etrn = anybody;
  if (name.starts_with("xclient_")) options.server.may_xclient = anybody;
  return options;
}

class SmtpChat : public testing::TestWithParam<std::string> {};

TEST_P(SmtpChat, goes_as_written) {
  const auto chat =
      kurir::test::read_chat(std::filesystem::path(KURIR_GOLDEN) / (GetParam() + ".chat"));
  ASSERT_FALSE(chat.empty());
  House::run(options_of(GetParam()),
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
