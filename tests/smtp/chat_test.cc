// Runs the golden chats of tests/golden/smtp (support/chat.hh says how they are written). Those
// named submission_* are with a session of the submission service, tls_* with one that offers TLS.

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

INSTANTIATE_TEST_SUITE_P(Golden, SmtpChat,
                         testing::Values("hello", "message", "order", "recipients", "size",
                                         "small_verbs", "syntax", "too_many_errors", "early_talker",
                                         "pipelining", "pipelining_not_offered",
                                         "pipelining_before_ehlo", "dots", "submission_needs_login",
                                         "submission_plain", "submission_login",
                                         "submission_failures", "dsn_bad_mail", "dsn_bad_mail_too",
                                         "dsn_bad_notify", "dsn_bad_orcpt", "dsn_bad_rcpt",
                                         "dsn_before_ehlo", "tls_starttls", "tls_injection"),
                         [](const auto& chat) { return chat.param; });

}  // namespace
}  // namespace kurir::smtp::test
