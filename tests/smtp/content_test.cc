// DATA: what is stored is what was sent, 250 means that it is on disk, and what is wrong with a
// message is said when it has ended.

#include "fixture.hh"
#include "kurir/base/limits.hh"
#include "kurir/store/message_record.hh"
#include "support/file_limit.hh"
#include "support/room_again.hh"

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

Task<void> open_content(FakeStream& stream, std::string_view recipient = "bob@example.test") {
  EXPECT_EQ(co_await answer(stream, "MAIL FROM:<bob@example.test>"), "250 2.1.0 Ok");
  const std::string rcpt = "RCPT TO:<" + std::string(recipient) + ">";
  EXPECT_EQ(co_await answer(stream, rcpt), "250 2.1.5 Ok");
  EXPECT_EQ(co_await answer(stream, "DATA"), "354 End data with <CR><LF>.<CR><LF>");
}

Task<FakeStream*> said_hello(House& house) {
  FakeStream& stream = *co_await house.greeted();
  EXPECT_EQ(co_await answer(stream, "HELO client.example"), "250 mail.example.test");
  co_return &stream;
}

// The content behind our Received field.
std::string as_sent(const std::string& record) {
  const Result<store::DecodedMessage> decoded = store::decode_message(record);
  EXPECT_TRUE(decoded.has_value());
  std::string content(decoded->tail);
  EXPECT_TRUE(content.starts_with("Received: from client.example ([")) << content;
  std::size_t end = content.find("\r\n");
  while (content[end + 2] == '\t') end = content.find("\r\n", end + 2);
  return content.substr(end + 2);
}

Task<void> dots_come_off(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  co_await open_content(stream);
  EXPECT_TRUE((co_await answer(stream, "Subject: dots\r\n\r\n..\r\n...\r\n.x\r\nx.\r\n."))
                  .starts_with("250 2.0.0 queued as "));
  const std::vector<std::string> found = co_await house.after_a_crash();
  EXPECT_EQ(found.size(), 1U);
  if (found.size() != 1) co_return;
  EXPECT_EQ(as_sent(found[0]), "Subject: dots\r\n\r\n.\r\n..\r\nx\r\nx.\r\n");
}
TEST(SmtpContent, loses_one_dot_of_lines_that_begin_with_one) { House::run({}, dots_come_off); }

Task<void> survives(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  for (std::size_t count = 1; count <= 3; ++count) {
    co_await open_content(stream);
    EXPECT_EQ((co_await house.after_a_crash()).size(), count - 1) << "nothing was promised yet";
    const std::string reply = co_await answer(stream, "Subject: x\r\n.");
    EXPECT_TRUE(reply.starts_with("250 2.0.0 queued as ")) << reply;
    EXPECT_EQ((co_await house.after_a_crash()).size(), count);
  }
}
TEST(SmtpContent, is_on_disk_when_250_is_said) { House::run({}, survives); }

constexpr std::string_view not_stored =
    "451 4.3.0 The message could not be stored; try again later";
constexpr std::string_view no_space = "452 4.3.1 Insufficient system storage; try again later";

// The session and the log go on; the message that failed is in no later start.
Task<void> goes_on(House& house, FakeStream& stream, std::string recipient) {
  EXPECT_EQ(house.queue().size(), 0U);
  for (store::Log* log : {&house.shard().mail(), &house.shard().spool()})
    co_await kurir::test::room_again(*log, 10'000);
  co_await open_content(stream, recipient);
  const std::string reply = co_await answer(stream, "Subject: kept\r\n.");
  EXPECT_TRUE(reply.starts_with("250 2.0.0 queued as ")) << reply;
  const std::vector<std::string> found = co_await house.after_a_crash();
  EXPECT_EQ(found.size(), 1U);
  if (!found.empty()) EXPECT_TRUE(as_sent(found[0]).starts_with("Subject: kept\r\n"));
}

Task<void> mail_fails(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  co_await open_content(stream);
  kurir::test::break_oldest_file("/mail-");
  EXPECT_EQ(co_await answer(stream, "Subject: lost\r\n."), not_stored);
  co_await goes_on(house, stream, "bob@example.test");
}
TEST(SmtpContent, is_refused_with_451_where_the_mail_stream_fails) { House::run({}, mail_fails); }

Task<void> spool_fails(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  EXPECT_TRUE(
      (co_await answer(stream, "AUTH PLAIN AGJvYkBleGFtcGxlLnRlc3QAc2VjcmV0")).starts_with("235 "));
  co_await open_content(stream, "x@elsewhere.test");
  kurir::test::break_oldest_file("/spool-");
  EXPECT_EQ(co_await answer(stream, "Subject: lost\r\n."), not_stored);
  co_await goes_on(house, stream, "x@elsewhere.test");
}
TEST(SmtpContent, is_refused_with_451_where_the_spool_fails) {
  HouseOptions options;
  options.service = Service::submission;
  House::run(options, spool_fails);
}

Task<void> disk_is_full(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  co_await open_content(stream);
  {
    const kurir::test::FileLimit nothing_more(0);
    EXPECT_EQ(co_await answer(stream, "Subject: lost\r\n."), no_space);
  }
  co_await goes_on(house, stream, "bob@example.test");
}
TEST(SmtpContent, is_put_off_with_452_where_the_disk_is_full) { House::run({}, disk_is_full); }

// Extents go ahead of the record; the first one fails. The rest is read, and kept nowhere.
Task<void> extent_fails(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  co_await open_content(stream);
  const std::string line(76, 'x');
  {
    const kurir::test::FileLimit nothing_more(0);
    for (std::size_t octets = 0; octets < 400'000; octets += 78) {
      stream.feed(line + "\r\n");
      if (octets % 7'800 == 0) co_await yield_turn();
    }
    EXPECT_EQ(co_await answer(stream, "."), no_space);
  }
  co_await goes_on(house, stream, "bob@example.test");
}
TEST(SmtpContent, is_put_off_with_452_where_an_extent_cannot_be_written) {
  HouseOptions options;
  options.server.message_octets_max = 1'000'000;
  House::run(options, extent_fails);
}

Task<void> too_large(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  co_await open_content(stream);
  std::string content;
  while (content.size() < 100'000) content += "0123456789 0123456789 0123456789\r\n";
  stream.feed(content);
  for (unsigned turn = 0; turn < 5; ++turn) co_await yield_turn();
  EXPECT_EQ(stream.sent(), "") << "said before the end, the rest would be commands";
  EXPECT_EQ(co_await answer(stream, "."), "552 5.3.4 Message is larger than this server takes");
  EXPECT_EQ(house.queue().size(), 0U);
  EXPECT_EQ((co_await house.after_a_crash()).size(), 0U);
  EXPECT_EQ(co_await answer(stream, "NOOP"), "250 2.0.0 Ok");
}
TEST(SmtpContent, that_is_too_large_is_refused_after_the_dot) { House::run({}, too_large); }

Task<void> goes_in_circles(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  for (const std::size_t count : {limits::received_headers_max, limits::received_headers_max + 1}) {
    co_await open_content(stream);
    std::string content;
    for (std::size_t field = 0; field < count; ++field)
      content += "Received: from a\r\n\tby b; Thu, 1 Jan 2026 00:00:00 +0000\r\n";
    const std::string reply = co_await answer(stream, content + "\r\nReceived: in the text\r\n.");
    if (count == limits::received_headers_max) {
      EXPECT_TRUE(reply.starts_with("250 ")) << reply;
    } else {
      EXPECT_EQ(reply, "554 5.4.6 Too many Received fields: the message goes in circles");
    }
  }
  EXPECT_EQ(house.queue().size(), 1U);
}
TEST(SmtpContent, with_too_many_received_fields_goes_in_circles) {
  House::run({}, goes_in_circles);
}

struct Broken {
  std::string_view name, content, reply;
  bool closes;
};
constexpr std::string_view bare_line_end =
    "550 5.6.0 Message has a bare CR or LF; lines must end in CRLF (RFC 5321 2.3.8)";
constexpr Broken broken[] = {
    {"bare_lf", "a\nb\r\n.\r\n", bare_line_end, true},
    {"bare_cr", "a\rb\r\n.\r\n", bare_line_end, true},
    {"nul", {"a\0b\r\n.\r\n", 8}, "550 5.6.0 Message has a NUL octet (RFC 5322 2.2)", false},
};
class SmtpBroken : public testing::TestWithParam<Broken> {};

Task<void> is_refused(House& house, Broken message) {
  FakeStream& stream = *co_await said_hello(house);
  co_await open_content(stream);
  for (const char octet : message.content) {
    stream.feed(std::string_view(&octet, 1));
    co_await yield_turn();
  }
  EXPECT_EQ(co_await next_line(stream), message.reply);
  EXPECT_EQ(house.queue().size(), 0U);
  if (message.closes) {
    const bool ended = co_await house.has_ended(0, deadline_in(patience));
    EXPECT_TRUE(ended);
  } else {
    EXPECT_EQ(co_await answer(stream, "NOOP"), "250 2.0.0 Ok");
  }
}
TEST_P(SmtpBroken, content_is_refused) {
  House::run({}, [](House& house) { return is_refused(house, GetParam()); });
}
INSTANTIATE_TEST_SUITE_P(Content, SmtpBroken, testing::ValuesIn(broken),
                         [](const auto& one) { return std::string(one.param.name); });

Task<void> hang_up_within(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  co_await open_content(stream);
  stream.feed("Subject: never finished\r\n\r\n.");
  co_await yield_turn();
  stream.hang_up();
  const bool ended = co_await house.has_ended(0, deadline_in(patience));
  EXPECT_TRUE(ended);
  EXPECT_EQ(house.queue().size(), 0U);
}
TEST(SmtpContent, that_never_ended_is_no_message) { House::run({}, hang_up_within); }

Task<void> slow(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  co_await open_content(stream);
  stream.feed("Subject: slow\r\n");
  EXPECT_EQ(co_await next_line(stream), "421 4.4.2 Timeout: the content came too slowly");
  const bool ended = co_await house.has_ended(0, deadline_in(patience));
  EXPECT_TRUE(ended);
}
TEST(SmtpContent, that_comes_too_slowly_is_given_up) {
  HouseOptions options;
  options.server.data_timeout = Milliseconds(30);
  House::run(options, slow);
}

Task<void> in_extents(House& house) {
  FakeStream& stream = *co_await said_hello(house);
  co_await open_content(stream);
  std::string content = "Subject: large\r\n\r\n";
  while (content.size() < 700'000) content += "0123456789 0123456789 0123456789\r\n";
  for (std::size_t at = 0; at < content.size(); at += 50'021) {
    stream.feed(std::string_view(content).substr(at, 50'021));
    co_await yield_turn();
  }
  EXPECT_TRUE((co_await answer(stream, ".")).starts_with("250 2.0.0 queued as "));
  const queue::Message& message = *house.queued().at(0);
  EXPECT_GE(message.envelope.extents().size(), 4U);
  std::string stored;
  for (const store::RecordRef& extent : message.envelope.extents()) {
    const Result<store::Record> record = co_await house.shard().reader().read(extent);
    EXPECT_TRUE(record.has_value());
    stored += record->payload();
  }
  const Result<store::Record> record = co_await house.shard().reader().read(message.record);
  EXPECT_TRUE(record.has_value());
  stored += store::decode_message(record->payload())->tail;
  EXPECT_TRUE(stored.ends_with(content)) << "of " << stored.size() << " octets";
  EXPECT_EQ(message.content_octets, stored.size());
}
TEST(SmtpContent, that_is_large_lies_in_extents_octet_for_octet) {
  HouseOptions options;
  options.server.message_octets_max = 1'000'000;
  House::run(options, in_extents);
}

}  // namespace
}  // namespace kurir::smtp::test
