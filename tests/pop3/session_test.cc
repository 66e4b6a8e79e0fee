// What no chat can say: bounds, deadlines, the ways in which a session ends.

#include "fixture.hh"
#include "kurir/base/limits.hh"
#include "support/file_limit.hh"

namespace kurir::pop3::test {
namespace {

constexpr Nanoseconds patience = Seconds(10);

Task<std::string> next_line(FakeStream& stream) {
  co_return co_await stream.take_line(deadline_in(patience));
}

Task<std::string> answer(FakeStream& stream, std::string command) {
  stream.feed(command + "\r\n");
  co_return co_await next_line(stream);
}

Task<FakeStream*> logged_in(House& house) {
  FakeStream& stream = house.connect().stream;
  EXPECT_EQ(co_await next_line(stream), "+OK Kurir POP3 at mail.example.test");
  EXPECT_EQ(co_await answer(stream, "USER bob@example.test"), "+OK Send PASS");
  const std::string opened = co_await answer(stream, "PASS secret");
  EXPECT_TRUE(opened.starts_with("+OK Maildrop has ")) << opened;
  co_return &stream;
}

Task<void> dropped(House& house) {
  co_await house.append("Subject: stays\r\n");
  FakeStream& stream = *co_await logged_in(house);
  EXPECT_EQ(co_await answer(stream, "DELE 1"), "+OK Goes at QUIT");
  stream.hang_up();
  const bool ended = co_await house.has_ended(0, deadline_in(patience));
  EXPECT_TRUE(ended);
  EXPECT_EQ(co_await house.messages(), 1U);
  FakeStream& next = *co_await logged_in(house);  // the lock went with the session
  EXPECT_EQ(co_await answer(next, "STAT"), "+OK 1 16");
}
TEST(Pop3Session, deletes_nothing_without_quit) { House::run(small_limits(), dropped); }

Task<void> asked_to_end(House& house) {
  co_await house.append("Subject: stays\r\n");
  FakeStream& stream = *co_await logged_in(house);
  EXPECT_EQ(co_await answer(stream, "DELE 1"), "+OK Goes at QUIT");
  house.connection(0).session->ask_to_end();
  EXPECT_TRUE((co_await next_line(stream)).starts_with("-ERR "));
  const bool ended = co_await house.has_ended(0, deadline_in(patience));
  EXPECT_TRUE(ended);
  EXPECT_EQ(co_await house.messages(), 1U);
}
TEST(Pop3Session, deletes_nothing_when_the_server_ends_it) {
  House::run(small_limits(), asked_to_end);
}

Task<void> journal_fails(House& house) {
  co_await house.append("Subject: stays\r\n");
  FakeStream& stream = *co_await logged_in(house);
  EXPECT_EQ(co_await answer(stream, "DELE 1"), "+OK Goes at QUIT");
  kurir::test::break_oldest_file("/journal-");
  EXPECT_EQ(co_await answer(stream, "QUIT"), "-ERR [SYS/TEMP] The messages could not be deleted");
  EXPECT_EQ(co_await house.messages(), 1U);
}
TEST(Pop3Session, says_at_quit_that_deleting_failed) { House::run(small_limits(), journal_fails); }

Task<void> long_user(House& house) {
  FakeStream& stream = house.connect().stream;
  static_cast<void>(co_await next_line(stream));
  // "USER ", the name and CRLF have 255 octets together (RFC 2449 4).
  EXPECT_EQ(co_await answer(stream, "USER " + std::string(248, 'x')), "+OK Send PASS");
  EXPECT_EQ(co_await answer(stream, "USER " + std::string(249, 'x')),
            "-ERR A command has at most 255 octets");
  EXPECT_EQ(co_await answer(stream, "USER " + std::string(100'000, 'x')), "-ERR Line too long");
  EXPECT_EQ(co_await answer(stream, "NOOP"), "-ERR Log in first");
}
TEST(Pop3Session, bounds_the_length_of_a_command) { House::run(small_limits(), long_user); }

Task<void> bare_line_end(House& house) {
  FakeStream& stream = house.connect().stream;
  static_cast<void>(co_await next_line(stream));
  stream.feed("USER bob@example.test\n");
  EXPECT_EQ(co_await next_line(stream), "-ERR Lines end in CRLF");
  const bool ended = co_await house.has_ended(0, deadline_in(patience));
  EXPECT_TRUE(ended);
}
TEST(Pop3Session, ends_at_a_bare_line_end) { House::run(small_limits(), bare_line_end); }

Task<void> clear_text(House& house) {
  FakeStream& stream = house.connect().stream;
  static_cast<void>(co_await next_line(stream));
  const std::string refused = "-ERR [AUTH] Encryption is required for logging in";
  EXPECT_EQ(co_await answer(stream, "USER bob@example.test"), refused);
  EXPECT_EQ(co_await answer(stream, "AUTH PLAIN AGJvYkBleGFtcGxlLnRlc3QAc2VjcmV0"), refused);
  std::string line = co_await answer(stream, "CAPA");
  for (; line != "." && line != FakeStream::nothing_came; line = co_await next_line(stream)) {
    EXPECT_NE(line, "USER");
    EXPECT_FALSE(line.starts_with("SASL"));
  }
}
TEST(Pop3Session, takes_no_password_on_clear_text) {
  House::run(small_limits(), clear_text, false);
}

Task<void> too_many_failures(House& house) {
  FakeStream& stream = house.connect().stream;
  static_cast<void>(co_await next_line(stream));
  for (unsigned attempt = 0; attempt < 3; ++attempt) {
    EXPECT_EQ(co_await answer(stream, "USER bob@example.test"), "+OK Send PASS");
    EXPECT_EQ(co_await answer(stream, "PASS wrong"), "-ERR [AUTH] Authentication failed");
  }
  const bool ended = co_await house.has_ended(0, deadline_in(patience));
  EXPECT_TRUE(ended);
}
TEST(Pop3Session, ends_after_three_failed_logins) { House::run(small_limits(), too_many_failures); }

Task<void> unique_ids(House& house) {
  co_await house.append("Subject: one\r\n");
  std::vector<std::string> seen;
  for (unsigned session = 0; session < 2; ++session) {
    FakeStream& stream = *co_await logged_in(house);
    const std::string line = co_await answer(stream, "UIDL 1");
    const std::string id = line.substr(line.rfind(' ') + 1);
    EXPECT_LE(id.size(), 70U);  // RFC 1939 7
    EXPECT_EQ(id.find_first_not_of("0123456789."), std::string::npos);
    seen.push_back(id);
    EXPECT_EQ(co_await answer(stream, "QUIT"), "+OK Bye");
    const bool ended = co_await house.has_ended(session, deadline_in(patience));
    EXPECT_TRUE(ended);
  }
  EXPECT_EQ(seen[0], seen[1]);
}
TEST(Pop3Session, gives_a_message_the_same_unique_id_each_time) {
  House::run(small_limits(), unique_ids);
}

Task<void> big(House& house) {
  std::string content = "Subject: big\r\n\r\n";
  std::string expected = content;
  while (content.size() < 1'000'000) {
    content += ".0123456789 0123456789\r\n";
    expected += "..0123456789 0123456789\r\n";
  }
  const std::size_t octets = content.size();
  co_await house.append(std::move(content));
  FakeStream& stream = *co_await logged_in(house);
  EXPECT_EQ(co_await answer(stream, "RETR 1"), "+OK " + std::to_string(octets) + " octets");
  std::string got;
  for (std::string line = co_await next_line(stream);
       line != "." && line != FakeStream::nothing_came; line = co_await next_line(stream))
    got += line + "\r\n";
  EXPECT_TRUE(got == expected) << got.size() << " of " << expected.size() << " octets";
  EXPECT_LE(stream.largest_send(), 256U * 1024) << "memory must not grow with the message";
}
TEST(Pop3Session, sends_a_big_message_stuffed_and_in_pieces) { House::run(small_limits(), big); }

Task<void> silent(House& house) {
  FakeStream& stream = house.connect().stream;
  static_cast<void>(co_await next_line(stream));
  const bool ended = co_await house.has_ended(0, deadline_in(patience));
  EXPECT_TRUE(ended);
}
TEST(Pop3Session, gives_up_a_client_that_says_nothing) {
  ServerOptions options = small_limits();
  options.login_timeout = Milliseconds(30);
  House::run(options, silent);
}

}  // namespace
}  // namespace kurir::pop3::test
