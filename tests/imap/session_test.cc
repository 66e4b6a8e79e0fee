// What no chat can say: pieces, bounds, deadlines, the end.

#include "fixture.hh"
#include "kurir/base/limits.hh"

namespace kurir::imap::test {
namespace {

constexpr Nanoseconds patience = Seconds(10);

// Lines up to the tagged one, which comes last.
Task<std::vector<std::string>> answer(FakeStream& stream, std::string tag, std::string command) {
  stream.feed(tag + " " + command + "\r\n");
  std::vector<std::string> lines;
  do {
    std::string line = co_await stream.take_line(deadline_in(patience));
    lines.push_back(std::move(line));
  } while (lines.back() != FakeStream::nothing_came && !lines.back().starts_with(tag + " "));
  co_return lines;
}

Task<FakeStream*> logged_in(House& house) {
  FakeStream& stream = house.connect().stream;
  static_cast<void>(co_await stream.take_line(deadline_in(patience)));
  const std::vector<std::string> lines =
      co_await answer(stream, "login", "LOGIN bob@example.test secret");
  EXPECT_TRUE(lines.back().starts_with("login OK"));
  co_return &stream;
}

Task<std::string> next_line(FakeStream& stream) {
  co_return co_await stream.take_line(deadline_in(patience));
}

Task<void> append_big(House& house) {
  FakeStream& stream = *co_await logged_in(house);
  std::string message = "Subject: big\r\n\r\n";
  while (message.size() < 3'000'000) message += "0123456789 0123456789 0123456789\n";
  stream.feed("a APPEND INBOX {" + std::to_string(message.size()) + "}\r\n");
  EXPECT_EQ(co_await next_line(stream), "+ Send the message");
  for (std::size_t at = 0; at < message.size(); at += 10'007) {
    stream.feed(std::string_view(message).substr(at, 10'007));
    co_await yield_turn();
  }
  stream.feed("\r\n");
  EXPECT_TRUE((co_await next_line(stream)).starts_with("a OK [APPENDUID "));
  static_cast<void>(co_await answer(stream, "b", "SELECT INBOX"));
  stream.feed("c FETCH 1 BODY.PEEK[]\r\n");
  const std::string begin = co_await next_line(stream);
  std::string expected;
  for (const char octet : message)
    expected +=
        octet == '\n' && !expected.ends_with('\r') ? std::string("\r\n") : std::string(1, octet);
  EXPECT_EQ(begin, "* 1 FETCH (BODY[] {" + std::to_string(expected.size()) + "}");
  std::string got;
  while (got.size() < expected.size()) {
    const std::string line = co_await next_line(stream);
    if (line == FakeStream::nothing_came) break;
    got += line + "\r\n";
  }
  EXPECT_TRUE(got == expected) << got.size() << " of " << expected.size() << " octets";
  EXPECT_EQ(co_await next_line(stream), ")");
  EXPECT_EQ(co_await next_line(stream), "c OK FETCH completed");
  EXPECT_LT(stream.largest_send(), 256U * 1024) << "memory must not grow with the message";
}
TEST(ImapSession, big_messages_come_and_go_in_pieces_with_crlf) { House::run({}, append_big); }

Task<void> append_nul(House& house) {
  FakeStream& stream = *co_await logged_in(house);
  stream.feed(std::string_view("a APPEND INBOX {5+}\r\nab\0cd\r\n", 28));
  EXPECT_EQ(co_await next_line(stream), "a NO The message has a NUL octet (RFC 5322 2.2)");
  const auto lines = co_await answer(stream, "b", "STATUS INBOX (MESSAGES)");
  EXPECT_EQ(lines[0], "* STATUS INBOX (MESSAGES 0)");
}
TEST(ImapSession, nul_is_not_kept) { House::run({}, append_nul); }

Task<void> over_quota(House& house) {
  FakeStream& stream = *co_await logged_in(house);
  auto lines = co_await answer(stream, "a", "APPEND INBOX {1001}");
  EXPECT_TRUE(lines[0].starts_with("a NO [OVERQUOTA]"));
  stream.feed("b APPEND INBOX {600+}\r\n" + std::string(600, 'x') + "\r\n");
  EXPECT_TRUE((co_await next_line(stream)).starts_with("b OK"));
  static_cast<void>(co_await answer(stream, "c", "SELECT INBOX"));
  lines = co_await answer(stream, "d", "COPY 1 Trash");
  EXPECT_TRUE(lines.back().starts_with("d NO [OVERQUOTA]"));
  lines = co_await answer(stream, "e", "MOVE 1 Trash");
  EXPECT_TRUE(lines.back().starts_with("e OK"));
}
TEST(ImapSession, a_quota_is_asked_before_the_octets) {
  HouseOptions options;
  options.quota_octets = 1000;
  House::run(options, over_quota);
}

Task<void> append_breaks_off(House& house) {
  FakeStream& broken = *co_await logged_in(house);
  broken.feed("a APPEND INBOX {500}\r\n");
  EXPECT_EQ(co_await next_line(broken), "+ Send the message");
  broken.feed(std::string(400, 'x'));
  broken.hang_up();
  while (!house.connection(0).ended.is_set()) co_await yield_turn();
  FakeStream& stream = *co_await logged_in(house);
  const auto lines = co_await answer(stream, "b", "STATUS INBOX (MESSAGES)");
  EXPECT_EQ(lines[0], "* STATUS INBOX (MESSAGES 0)");
}
TEST(ImapSession, an_append_that_breaks_off_leaves_nothing) { House::run({}, append_breaks_off); }

Task<void> say_much(House& house) {
  FakeStream& stream = *co_await logged_in(house);
  for (int index = 0; index < 19; ++index) {
    const auto lines = co_await answer(stream, "a", "NOSUCH");
    EXPECT_TRUE(lines[0].starts_with("a BAD"));
  }
  stream.feed("b NOSUCH\r\n");
  EXPECT_TRUE((co_await next_line(stream)).starts_with("b BAD"));
  EXPECT_EQ(co_await next_line(stream), "* BYE Too many bad commands");
}
TEST(ImapSession, bad_commands_are_counted) { House::run({}, say_much); }

Task<void> guess(House& house) {
  FakeStream& stream = house.connect().stream;
  static_cast<void>(co_await next_line(stream));
  for (int index = 0; index < 2; ++index) {
    const auto lines = co_await answer(stream, "a", "LOGIN bob@example.test guess");
    EXPECT_EQ(lines[0], "a NO [AUTHENTICATIONFAILED] Authentication failed");
  }
  const auto lines = co_await answer(stream, "b", "LOGIN bob@example.test guess");
  EXPECT_EQ(lines[0], "* BYE Too many failed logins");
  EXPECT_EQ(lines[1], "b NO [AUTHENTICATIONFAILED] Authentication failed");
}
TEST(ImapSession, guessing_ends) { House::run({}, guess); }

Task<void> wait_for_login(House& house) {
  FakeStream& stream = house.connect().stream;
  static_cast<void>(co_await next_line(stream));
  stream.feed("a LOGIN bob@");  // half a command does not buy time
  EXPECT_EQ(co_await next_line(stream), "* BYE Log in sooner");
}
TEST(ImapSession, a_login_has_its_time) {
  HouseOptions options;
  options.server.login_timeout = Milliseconds(20);
  House::run(options, wait_for_login);
}

Task<void> wait_in_idle(House& house) {
  FakeStream& stream = *co_await logged_in(house);
  stream.feed("a IDLE\r\n");
  EXPECT_EQ(co_await next_line(stream), "+ idling");
  EXPECT_EQ(co_await next_line(stream), "* BYE Nothing came for too long");
}
TEST(ImapSession, idle_has_its_time) {
  HouseOptions options;
  options.server.idle_timeout = Milliseconds(20);
  House::run(options, wait_in_idle);
}

Task<void> stop_all(House& house) {
  FakeStream& idling = *co_await logged_in(house);
  idling.feed("a IDLE\r\n");
  EXPECT_EQ(co_await next_line(idling), "+ idling");
  FakeStream& waiting = *co_await logged_in(house);
  for (std::size_t index = 0; index < 2; ++index) house.connection(index).session->ask_to_end();
  EXPECT_TRUE((co_await next_line(idling)).starts_with("* BYE"));
  EXPECT_TRUE((co_await next_line(waiting)).starts_with("* BYE"));
}
TEST(ImapSession, shutting_down_says_bye) { House::run({}, stop_all); }

Task<void> never_read(House& house) {
  FakeStream& stream = *co_await logged_in(house);
  stream.stop_reading();
  stream.feed("a NOOP\r\n");
  while (!house.connection(0).ended.is_set()) co_await yield_turn();
}
TEST(ImapSession, who_does_not_read_is_left) {
  HouseOptions options;
  options.server.transfer_timeout = Milliseconds(20);
  House::run(options, never_read);
}

// The second time from memory; other fields and texts still from the content.
Task<void> append(FakeStream& stream, std::string_view message) {
  stream.feed("a APPEND INBOX {" + std::to_string(message.size()) + "+}\r\n");
  stream.feed(std::string(message) + "\r\n");
  EXPECT_TRUE((co_await next_line(stream)).starts_with("a OK"));
}
Task<void> search_again(House& house) {
  FakeStream& stream = *co_await logged_in(house);
  co_await append(stream,
                  "Subject: red\r\nX-Hue: 0\r\nDate: Fri, 2 Jan 2026 23:30:00 +0000\r\n\r\nb\r\n");
  co_await append(stream, "Subject: blue\r\n\r\nred roses\r\n");
  static_cast<void>(co_await answer(stream, "c", "SELECT INBOX"));
  EXPECT_EQ(house.caches().headers.octets(), 0U);
  std::size_t kept = 0;
  for (int time = 0; time < 2; ++time) {
    for (const auto& [program, found] : {std::pair("SUBJECT RED", "1"),
                                         {"NOT SUBJECT red", "2"},
                                         {"SENTON 2-Jan-2026", "1"},
                                         {"HEADER X-Hue 0 SUBJECT red", "1"},
                                         {"TEXT red", "1 2"},
                                         {"BODY red NOT FROM x", "2"},
                                         {"OR SUBJECT blue FROM nobody", "2"},
                                         {"SENTSINCE 3-Jan-2026", ""}}) {
      const auto lines =
          co_await answer(stream, "d", std::string("SEARCH RETURN (ALL) ") + program);
      const std::string numbers = std::string_view(found) == "1 2" ? "1:2" : found;
      EXPECT_EQ(lines[0], "* ESEARCH (TAG \"d\")" + (numbers.empty() ? "" : " ALL " + numbers))
          << program;
    }
    EXPECT_GT(house.caches().headers.octets(), 0U);
    if (time == 1) EXPECT_EQ(house.caches().headers.octets(), kept);
    kept = house.caches().headers.octets();
  }
}
TEST(ImapSession, searched_fields_are_kept) { House::run({}, search_again); }

// More messages than a batch of FETCH and a slice of SEARCH.
Task<void> go_through_many(House& house) {
  FakeStream& stream = *co_await logged_in(house);
  constexpr int messages = 1500;
  stream.feed("a APPEND INBOX {20+}\r\nSubject: x\r\n\r\n\r\n\r\n\r\n\r\n");
  EXPECT_TRUE((co_await next_line(stream)).starts_with("a OK"));
  static_cast<void>(co_await answer(stream, "b", "SELECT INBOX"));
  for (int count = 1; count < messages; count *= 2)
    static_cast<void>(co_await answer(
        stream, "c", "COPY 1:" + std::to_string(std::min(count, messages - count)) + " INBOX"));
  auto lines = co_await answer(stream, "d", "FETCH 1:* (FLAGS BODY[HEADER])");
  EXPECT_EQ(lines.back(), "d OK FETCH completed");
  lines = co_await answer(stream, "e", "SEARCH RETURN (COUNT) SEEN SUBJECT x");
  EXPECT_EQ(lines[0], "* ESEARCH (TAG \"e\") COUNT " + std::to_string(messages));
  lines = co_await answer(stream, "f", "STORE 1:* +FLAGS.SILENT (\\Deleted)");
  EXPECT_EQ(lines.back(), "f OK STORE completed");
  lines = co_await answer(stream, "g", "EXPUNGE");
  EXPECT_EQ(lines.size(), messages + 1U);
  lines = co_await answer(stream, "h", "FETCH 1:* FLAGS");
  EXPECT_EQ(lines[0], "h BAD There is no message with such a number");
}
TEST(ImapSession, many_messages_go_by_in_batches) { House::run({}, go_through_many); }

}  // namespace
}  // namespace kurir::imap::test
