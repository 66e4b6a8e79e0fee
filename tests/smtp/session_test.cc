// What no chat can say: bounds, deadlines, batches, the end.

#include "fixture.hh"
#include "kurir/base/limits.hh"

namespace kurir::smtp::test {
namespace {

constexpr Nanoseconds patience = Seconds(10);

Task<std::string> next_line(FakeStream& stream) {
  co_return co_await stream.take_line(deadline_in(patience));
}

Task<std::string> answer(FakeStream& stream, std::string command) {
  stream.feed(command + "\r\n");
  co_return co_await next_line(stream);
}

Task<FakeStream*> said_hello(House& house) {
  FakeStream& stream = *co_await house.greeted();
  EXPECT_EQ(co_await answer(stream, "HELO client.example"), "250 mail.example.test");
  co_return &stream;
}

Task<void> batch(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  const std::size_t before = stream.sends();
  stream.feed(
      "MAIL FROM:<a@b.example>\r\nRCPT TO:<bob@example.test>\r\nRCPT TO:<alice@example.test>\r\n"
      "RSET\r\nNOOP\r\n");
  for (unsigned reply = 0; reply < 5; ++reply) {
    const std::string line = co_await next_line(stream);
    EXPECT_TRUE(line.starts_with("250 ")) << line;
  }
  EXPECT_EQ(stream.sends(), before + 1);
}
TEST(SmtpSession, answers_a_batch_in_one_send) { House::run({}, batch); }

// threats.md A7: the first thousand stand.
Task<void> many_recipients(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  EXPECT_EQ(co_await answer(stream, "MAIL FROM:<a@b.example>"), "250 2.1.0 Ok");
  std::string commands;
  for (unsigned number = 0; number < 1001; ++number)
    commands += "RCPT TO:<alice+" + std::to_string(number) + "@example.test>\r\n";
  stream.feed(commands);
  for (unsigned number = 0; number < 1000; ++number)
    EXPECT_EQ(co_await next_line(stream), "250 2.1.5 Ok") << number;
  EXPECT_EQ(co_await next_line(stream),
            "452 4.5.3 Too many recipients; send the rest in another transaction");
  EXPECT_TRUE((co_await answer(stream, "DATA")).starts_with("354 "));
  EXPECT_TRUE((co_await answer(stream, ".")).starts_with("250 2.0.0 queued as "));
  EXPECT_EQ(house.queued().at(0)->envelope.recipients.size(), 1000U);
}
TEST(SmtpSession, takes_a_thousand_recipients_and_puts_off_the_rest) {
  HouseOptions options;
  options.server.recipients_max = 1000;
  House::run(options, many_recipients);
}

Task<void> long_lines(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  EXPECT_EQ(co_await answer(stream, "NOOP " + std::string(500, 'x')), "250 2.0.0 Ok");
  EXPECT_TRUE(
      (co_await answer(stream, "NOOP " + std::string(4097, 'x'))).starts_with("500 5.5.2 "));
  EXPECT_TRUE(
      (co_await answer(stream, "NOOP " + std::string(100'000, 'x'))).starts_with("500 5.5.2 "));
  EXPECT_EQ(co_await answer(stream, "NOOP"), "250 2.0.0 Ok");
  const std::string endless(limits::smtp_unterminated_octets_max / 16 + 1, 'x');
  for (unsigned piece = 0; piece < 17; ++piece) {
    stream.feed(endless);
    co_await yield_turn();
  }
  EXPECT_EQ(co_await next_line(stream), "500 5.5.2 Line without an end");
  const bool ended = co_await house.has_ended(0, deadline_in(patience));
  EXPECT_TRUE(ended);
}
TEST(SmtpSession, refuses_lines_that_are_too_long_and_ends_at_one_without_end) {
  House::run({}, long_lines);
}

struct Row {
  std::string_view name, command, reply;
  bool closes;
};
constexpr Row rows[] = {
    {"bare_lf", "NOOP\n", "500 5.5.2 ", true},
    {"bare_cr", "NOOP\rNOOP\r\n", "500 5.5.2 ", true},
    {"nul", {"NO\0OP\r\n", 7}, "500 5.5.2 ", true},
    {"nul_in_a_path", {"MAIL FROM:<a\0b@x>\r\n", 19}, "50", true},
    {"http", "POST / HTTP/1.1\r\n", "521 5.7.0 This is an SMTP server", true},
    {"eight_bits", "MAIL FROM:<\xc3\xa9@x.example>\r\n", "5", false},
};
class SmtpLine : public testing::TestWithParam<Row> {};

Task<void> is_refused(House& house, Row row) {
  FakeStream& stream = *co_await said_hello(house);
  stream.feed(row.command);
  const std::string reply = co_await next_line(stream);
  EXPECT_TRUE(reply.starts_with(row.reply)) << reply;
  if (row.closes) {
    const bool ended = co_await house.has_ended(0, deadline_in(patience));
    EXPECT_TRUE(ended);
  } else {
    EXPECT_EQ(co_await answer(stream, "NOOP"), "250 2.0.0 Ok");
  }
}
TEST_P(SmtpLine, is_refused) {
  House::run({}, [](House& house) { return is_refused(house, GetParam()); });
}
INSTANTIATE_TEST_SUITE_P(Lines, SmtpLine, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

Task<void> odd_responses(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  EXPECT_EQ(co_await answer(stream, "AUTH PLAIN"), "334 ");
  EXPECT_EQ(co_await answer(stream, std::string(20'000, 'A')),
            "500 5.5.6 That response is too long");
  EXPECT_EQ(co_await answer(stream, "AUTH PLAIN"), "334 ");
  stream.feed("AGJv");  // in two pieces
  co_await yield_turn();
  EXPECT_EQ(co_await answer(stream, "YkBleGFtcGxlLnRlc3QAc2VjcmV0"),
            "235 2.7.0 Authentication succeeded");
}
TEST(SmtpSession, reads_responses_of_a_login_in_pieces_and_bounds_them) {
  HouseOptions options;
  options.service = Service::submission;
  House::run(options, odd_responses);
}

Task<void> vanishes(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  EXPECT_EQ(co_await answer(stream, "AUTH LOGIN"), "334 VXNlcm5hbWU6");
  stream.hang_up();
  const bool ended = co_await house.has_ended(0, deadline_in(patience));
  EXPECT_TRUE(ended);
}
TEST(SmtpSession, survives_a_client_that_vanishes_within_a_login) {
  HouseOptions options;
  options.service = Service::submission;
  House::run(options, vanishes);
}

Task<void> clear_text(House& house) {
  FakeStream& stream = *co_await house.greeted();
  stream.feed("EHLO client.example\r\n");
  std::string line;
  do {
    line = co_await next_line(stream);
    EXPECT_EQ(line.find("AUTH"), std::string::npos) << line;
  } while (line.starts_with("250-"));
  EXPECT_EQ(co_await answer(stream, "AUTH PLAIN AGJvYkBleGFtcGxlLnRlc3QAc2VjcmV0"),
            "538 5.7.11 Encryption is required for logging in");
}
TEST(SmtpSession, takes_no_password_on_clear_text) {
  HouseOptions options;
  options.service = Service::submission;
  options.allow_plaintext_login = false;
  House::run(options, clear_text);
}

Task<void> full_mailbox(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  house.room().used = 90'000;
  EXPECT_EQ(co_await answer(stream, "MAIL FROM:<a@b.example>"), "250 2.1.0 Ok");
  EXPECT_EQ(co_await answer(stream, "RCPT TO:<alice@example.test>"), "250 2.1.5 Ok");
  house.room().used = 90'001;
  EXPECT_EQ(co_await answer(stream, "RCPT TO:<bob@example.test>"),
            "452 4.2.2 Mailbox is full; try again later");
}
TEST(SmtpSession, says_at_rcpt_that_a_mailbox_is_full) { House::run({}, full_mailbox); }

Task<void> full_queue(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  for (const bool fits : {true, false}) {
    const std::string reply = co_await answer(stream, "MAIL FROM:<a@b.example>");
    EXPECT_EQ(reply,
              fits ? "250 2.1.0 Ok" : "452 4.3.1 Insufficient system storage; try again later");
    if (!fits) co_return;
    EXPECT_EQ(co_await answer(stream, "RCPT TO:<bob@example.test>"), "250 2.1.5 Ok");
    EXPECT_TRUE((co_await answer(stream, "DATA")).starts_with("354 "));
    EXPECT_TRUE((co_await answer(stream, ".")).starts_with("250 "));
  }
}
TEST(SmtpSession, refuses_mail_for_a_while_when_the_queue_is_full) {
  HouseOptions options;
  options.queue.messages_max = 1;
  House::run(options, full_queue);
}

Task<void> no_command(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  EXPECT_EQ(co_await next_line(stream), "421 4.4.2 Timeout: no command came");
  const bool ended = co_await house.has_ended(0, deadline_in(patience));
  EXPECT_TRUE(ended);
}
TEST(SmtpSession, gives_up_a_client_that_says_nothing) {
  HouseOptions options;
  options.server.command_timeout = Milliseconds(30);
  House::run(options, no_command);
}

// An idle session hears 421; one within a transaction finishes it first.
Task<void> asked_to_end(House& house) {
  FakeStream& idle = *co_await said_hello(house);
  FakeStream& busy = *co_await said_hello(house);
  EXPECT_EQ(co_await answer(busy, "MAIL FROM:<a@b.example>"), "250 2.1.0 Ok");
  for (std::size_t index = 0; index < 2; ++index) house.connection(index).session->ask_to_end();
  EXPECT_EQ(co_await next_line(idle), "421 4.3.2 Service is closing; try again later");
  EXPECT_EQ(co_await answer(busy, "RCPT TO:<bob@example.test>"), "250 2.1.5 Ok");
  EXPECT_TRUE((co_await answer(busy, "DATA")).starts_with("354 "));
  EXPECT_TRUE((co_await answer(busy, ".")).starts_with("250 2.0.0 queued as "));
  EXPECT_EQ(co_await next_line(busy), "421 4.3.2 Service is closing; try again later");
  const bool ended = co_await house.has_ended(1, deadline_in(patience));
  EXPECT_TRUE(ended);
}
TEST(SmtpSession, ends_between_transactions_when_asked) { House::run({}, asked_to_end); }

Task<void> envelope(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  EXPECT_EQ(co_await answer(stream, "MAIL FROM:<Sender@B.example>"), "250 2.1.0 Ok");
  EXPECT_EQ(co_await answer(stream, "RCPT TO:<team+Lists@example.test>"), "250 2.1.5 Ok");
  EXPECT_EQ(co_await answer(stream, "RCPT TO:<BOB+Lists@Example.test>"), "250 2.1.5 Ok");
  EXPECT_TRUE((co_await answer(stream, "DATA")).starts_with("354 "));
  EXPECT_TRUE((co_await answer(stream, ".")).starts_with("250 "));
  const queue::Envelope& kept = house.queued().at(0)->envelope;
  EXPECT_EQ(kept.reverse_path, "Sender@b.example");
  EXPECT_EQ(kept.reception.protocol(), "SMTP");
  EXPECT_EQ(kept.reception.helo(), "client.example");
  std::vector<std::string> addresses;
  for (const queue::Recipient& recipient : kept.recipients)
    addresses.push_back(recipient.address + (recipient.is_local ? "" : " away") + " for " +
                        recipient.original);
  EXPECT_EQ(addresses, (std::vector<std::string>{
                           "bob+Lists@example.test for team+Lists@example.test",
                           "alice+Lists@example.test for team+Lists@example.test",
                           "x@elsewhere.test away for team+Lists@example.test",
                       }));
}
TEST(SmtpSession, expands_an_alias_once_and_drops_second_mentions) { House::run({}, envelope); }

}  // namespace
}  // namespace kurir::smtp::test
