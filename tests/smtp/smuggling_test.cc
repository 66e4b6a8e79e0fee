// Only CRLF.CRLF ends the content (RFC 5321 4.1.1.4; threats.md A1): what looks like an end to some
// other server's eyes must never make commands of the rest of a message.

#include "fixture.hh"

namespace kurir::smtp::test {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view sequences[] = {
    "\n.\n"sv,
    "\n.\r\n"sv,
    "\r\n.\n"sv,
    "\r.\r"sv,
    "\r.\n"sv,
    "\n.\r"sv,
    "\r.\r\n"sv,
    "\r\n.\r"sv,
    "\r\n.\r\r\n"sv,
    "\r\r\n.\r\n"sv,
    "\r\r\n.\r\r\n"sv,
    "\r\n\0.\r\n"sv,
    "\r\n.\0\r\n"sv,
    "\r\n. \r\n"sv,
    "\xc2\x85.\xc2\x85"sv,
    "\x0b.\x0b"sv,
    "\xe2\x80\xa8.\xe2\x80\xa8"sv,
};

std::string content_with(std::string_view sequence) {
  std::string content = "Subject: outer\r\n\r\ntext";
  content += sequence;
  content +=
      "MAIL FROM:<admin@evil.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n"
      "Subject: SMUGGLED\r\n\r\nx\r\n.\r\nQUIT\r\n";
  return content;
}

Task<std::size_t> send_split(House& house, std::string_view content, std::size_t cut) {
  const std::size_t before = house.queue().size();
  FakeStream& stream = *co_await house.greeted();
  stream.feed("EHLO client.example\r\n");
  std::string line;
  do {
    line = co_await stream.take_line(deadline_in(Seconds(10)));
  } while (line.starts_with("250-"));
  stream.feed("MAIL FROM:<bob@example.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n");
  do {
    line = co_await stream.take_line(deadline_in(Seconds(10)));
  } while (line.starts_with("250 "));
  EXPECT_TRUE(line.starts_with("354 ")) << line;
  stream.feed(content.substr(0, cut));
  for (unsigned turn = 0; turn < 3; ++turn) co_await yield_turn();
  if (cut < content.size()) stream.feed(content.substr(cut));
  stream.hang_up();
  const bool ended = co_await house.has_ended(house.connections() - 1, deadline_in(Seconds(10)));
  EXPECT_TRUE(ended);
  co_return house.queue().size() - before;
}

void expect_no_smuggled(const House& house) {
  for (const queue::Message* message : house.queued())
    ASSERT_EQ(message->envelope.reverse_path, "bob@example.test");
}

class Smuggling : public testing::TestWithParam<std::size_t> {};

Task<void> at_each_split(House& house, std::string_view sequence) {
  const std::string content = content_with(sequence);
  for (std::size_t cut = 0; cut <= content.size(); ++cut) {
    SCOPED_TRACE(testing::Message() << "split at " << cut);
    const std::size_t queued = co_await send_split(house, content, cut);
    EXPECT_LE(queued, 1U);
    expect_no_smuggled(house);
    if (testing::Test::HasFailure()) co_return;
  }
}

TEST_P(Smuggling, makes_no_second_message_wherever_it_is_split) {
  HouseOptions options;
  House::run(options, [](House& house) { return at_each_split(house, sequences[GetParam()]); });
}

// A submitter who is logged in is no exception, nor is the second message of a session.
Task<void> after_another(House& house, std::string_view sequence) {
  FakeStream& stream = *co_await house.greeted();
  stream.feed("HELO client.example\r\n");
  static_cast<void>(co_await stream.take_line(deadline_in(Seconds(10))));
  stream.feed("AUTH PLAIN AGJvYkBleGFtcGxlLnRlc3QAc2VjcmV0\r\n");
  EXPECT_TRUE((co_await stream.take_line(deadline_in(Seconds(10)))).starts_with("235 "));
  const std::string second = content_with(sequence);
  for (const std::string_view content :
       {"Subject: first\r\n\r\n.\r\n"sv, std::string_view(second)}) {
    stream.feed("MAIL FROM:<bob@example.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n");
    for (unsigned count = 0; count < 2; ++count) {
      const std::string line = co_await stream.take_line(deadline_in(Seconds(10)));
      EXPECT_TRUE(line.starts_with("250 ")) << line;
    }
    EXPECT_TRUE((co_await stream.take_line(deadline_in(Seconds(10)))).starts_with("354 "));
    stream.feed(content);
    static_cast<void>(co_await stream.take_line(deadline_in(Seconds(10))));
  }
  stream.hang_up();
  const bool ended = co_await house.has_ended(0, deadline_in(Seconds(10)));
  EXPECT_TRUE(ended);
  expect_no_smuggled(house);
}

TEST_P(Smuggling, fails_in_the_second_message_of_a_submitter_too) {
  HouseOptions options;
  options.service = Service::submission;
  House::run(options, [](House& house) { return after_another(house, sequences[GetParam()]); });
}

INSTANTIATE_TEST_SUITE_P(Sequences, Smuggling,
                         testing::Range(std::size_t{0}, std::size(sequences)));

}  // namespace
}  // namespace kurir::smtp::test
