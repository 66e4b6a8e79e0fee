// What a chat cannot show: waits, slow reading, cuts, silence, and what is counted and kept.

#include "fixture.hh"
#include "kurir/io/clock.hh"
#include "kurir/wire/load_stamp.hh"

namespace kurir::sink::test {
namespace {

constexpr std::string_view envelope = "MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n";

Options with(std::initializer_list<std::string_view> rules) {
  Options options;
  for (const std::string_view rule : rules) options.rules.push_back(*parse_rule(rule));
  return options;
}

Task<std::string> line(FakeStream& stream) {
  co_return co_await stream.take_line(deadline_in(Seconds(10)));
}

Task<bool> closes(Sinkhole& sinkhole, FakeStream& stream) {
  const bool ended = co_await sinkhole.has_ended(0, deadline_in(Seconds(10)));
  co_return ended&& stream.sent().empty();
}

Task<void> answers_wait(Sinkhole& sinkhole) {
  FakeStream& stream = sinkhole.stream(0);
  const std::string greeting = co_await line(stream);
  const Instant began = io::now();
  stream.feed("NOOP\r\nRSET\r\nNOOP\r\n");
  const std::string first = co_await line(stream);
  const Nanoseconds until_first = io::now() - began;
  const std::string second = co_await line(stream);
  const Nanoseconds until_second = io::now() - began;
  const std::string third = co_await line(stream);
  EXPECT_EQ(first, "250 2.0.0 ok");
  EXPECT_EQ(second, "451 slowly");
  EXPECT_EQ(third, "250 2.0.0 ok");
  EXPECT_LT(until_first, Milliseconds(40)) << "what was said before is not held up";
  EXPECT_GE(until_second, Milliseconds(50));
}

TEST(SinkSession, an_answer_waits_and_the_one_before_does_not) {
  Sinkhole::run(with({"RSET delay 50ms", "RSET 451 slowly"}), answers_wait);
}

Task<void> never_answers(Sinkhole& sinkhole) {
  FakeStream& stream = sinkhole.stream(0);
  const std::string greeting = co_await line(stream);
  stream.feed("NOOP\r\nMAIL FROM:<a@a.test>\r\n");
  const std::string first = co_await line(stream);
  EXPECT_EQ(first, "250 2.0.0 ok");
  stream.feed("NOOP\r\n");
  const bool said = co_await stream.wait_until_sent(deadline_in(Milliseconds(30)));
  EXPECT_FALSE(said);
  EXPECT_EQ(sinkhole.report().silenced, 1U);
  stream.hang_up();
  const bool ended = co_await closes(sinkhole, stream);
  EXPECT_TRUE(ended);
}

TEST(SinkSession, silence_lasts_until_the_peer_goes) {
  Sinkhole::run(with({"MAIL silent"}), never_answers);
}

Task<void> goes_at(Sinkhole& sinkhole, std::string octets, std::string last_said) {
  FakeStream& stream = sinkhole.stream(0);
  stream.feed(octets);
  std::string said;
  for (std::string next = co_await line(stream); next != FakeStream::nothing_came;
       next = co_await line(stream)) {
    said = next;
    const bool ended = co_await sinkhole.has_ended(0, deadline_in(Milliseconds(1)));
    if (ended && stream.sent().empty()) break;
  }
  EXPECT_EQ(said, last_said);
  const bool ended = co_await closes(sinkhole, stream);
  EXPECT_TRUE(ended);
  EXPECT_EQ(sinkhole.report().disconnected, 1U);
  EXPECT_EQ(sinkhole.report().messages, 0U);
}

TEST(SinkSession, disconnects_at_a_stage_having_answered_what_came_before) {
  Sinkhole::run(with({"DATA disconnect"}), [](Sinkhole& sinkhole) {
    return goes_at(sinkhole, std::string(envelope), "250 2.1.5 ok");
  });
}

TEST(SinkSession, disconnects_after_so_many_octets) {
  const std::string message = std::string(envelope) + "0123456789";
  Sinkhole::run(with({"DATA disconnect after 10"}),
                [&](Sinkhole& sinkhole) { return goes_at(sinkhole, message, "354 go on"); });
  Sinkhole::run(with({"DATA disconnect after 0"}),
                [&](Sinkhole& sinkhole) { return goes_at(sinkhole, message, "354 go on"); });
  const std::string whole = "CONNECT disconnect after " + std::to_string(message.size());
  Sinkhole::run(with({whole}),
                [&](Sinkhole& sinkhole) { return goes_at(sinkhole, message, "354 go on"); });
  Sinkhole::run(with({"CONNECT disconnect after 21"}), [&](Sinkhole& sinkhole) {
    return goes_at(sinkhole, message, "220 sink.test ESMTP kurir-sink");
  });
}

Task<void> takes_two(Sinkhole& sinkhole) {
  FakeStream& stream = sinkhole.stream(0);
  const std::string message = std::string(envelope) + std::string(60, 'x') + "\r\n.\r\n";
  stream.feed(message);
  stream.feed(message);
  std::string said;
  for (int reply = 0; reply < 9; ++reply) said = co_await line(stream);
  EXPECT_EQ(said, "250 2.0.0 taken");
  EXPECT_EQ(sinkhole.report().messages, 2U);
}

TEST(SinkSession, a_smaller_message_is_not_cut) {
  Sinkhole::run(with({"DATA disconnect after 100"}), takes_two);
}

Task<void> reads_slowly(Sinkhole& sinkhole, Nanoseconds least, std::string last) {
  FakeStream& stream = sinkhole.stream(0);
  const Instant began = io::now();
  stream.feed(std::string(envelope) + std::string(1000, 'x') + "\r\n.\r\n");
  std::string said;
  for (int reply = 0; reply < 5; ++reply) said = co_await line(stream);
  EXPECT_EQ(said, last);
  EXPECT_GE(io::now() - began, least);
  EXPECT_LT(io::now() - began, least * 20 + Seconds(2));
}

TEST(SinkSession, reads_as_slowly_as_it_is_told) {
  Sinkhole::run(with({"DATA read 10000"}), [](Sinkhole& sinkhole) {
    return reads_slowly(sinkhole, Milliseconds(90), "250 2.0.0 taken");
  });
  Options options;
  options.octets_per_second = 10'000;
  Sinkhole::run(options, [](Sinkhole& sinkhole) {
    return reads_slowly(sinkhole, Milliseconds(90), "250 2.0.0 taken");
  });
  Sinkhole::run(with({"DATA pause 1s", "DATA pause 0s"}), [](Sinkhole& sinkhole) {
    return reads_slowly(sinkhole, Seconds(1), "250 2.0.0 taken");
  });
}

TEST(SinkSession, aborts_behind_354) {
  Sinkhole::run(with({"DATA abort 50ms"}), [](Sinkhole& sinkhole) {
    return reads_slowly(sinkhole, Milliseconds(50), "550 5.0.0 Enough of that");
  });
}

Task<void> ends_while_it_waits(Sinkhole& sinkhole) {
  FakeStream& stream = sinkhole.stream(0);
  stream.feed("NOOP\r\n");
  const std::string greeting = co_await line(stream);
  sinkhole.house().stopping.set();
  const bool ended = co_await closes(sinkhole, stream);
  EXPECT_TRUE(ended);
}

TEST(SinkSession, nobody_waits_beyond_the_end) {
  Sinkhole::run(with({"NOOP delay 1000s"}), ends_while_it_waits);
}

std::string stamped(std::uint64_t number) {
  constexpr std::string_view body = "hello\r\n..\r\n";
  std::string content;
  wire::append_load_stamp(
      content,
      {.run = 9, .number = number, .octets = 10, .hash = wire::load_stamp_hash("hello\r\n.\r\n")});
  return content + "\r\n" + std::string(body) + ".\r\n";
}

Task<void> counts(Sinkhole& sinkhole) {
  FakeStream& stream = sinkhole.stream(0);
  std::string octets;
  for (const std::uint64_t number : {0U, 1U, 3U, 2U, 3U})
    octets += std::string(envelope) + stamped(number);
  stream.feed(octets + "QUIT\r\n");
  const bool ended = co_await sinkhole.has_ended(0, deadline_in(Seconds(10)));
  EXPECT_TRUE(ended);
  const Report& report = sinkhole.report();
  EXPECT_EQ(report.messages, 5U);
  EXPECT_EQ(report.recipients, 5U);
  EXPECT_EQ(report.replies[250], 15U);
  EXPECT_EQ(report.replies[354], 5U);
  EXPECT_EQ(stream.sends(), 1U) << "a batch, one send";
  const Audit::Run& run = report.audit.runs().at(9);
  EXPECT_EQ(run.altered, 0U);
  EXPECT_EQ(run.duplicated_numbers, std::vector<std::uint64_t>{3});
  EXPECT_EQ(run.out_of_order_numbers, std::vector<std::uint64_t>{2});
}

TEST(SinkSession, audits_what_it_takes) { Sinkhole::run({}, counts); }

struct Shelf final : Keeper {
  bool takes(std::string_view address) const override { return !address.starts_with('!'); }
  Task<bool> keep(const Letter& letter) override {
    co_await yield_turn();
    std::string text = std::string(letter.protocol) + "|" + std::string(letter.helo) + "|" +
                       std::string(letter.sender) + "|" + std::string(letter.mail_arguments);
    for (const Letter::Recipient& recipient : letter.recipients)
      text += "|" + std::string(recipient.address) + "|" + std::string(recipient.arguments);
    kept.push_back(text + "|" + std::string(letter.content));
    co_return !fails;
  }
  std::vector<std::string> kept;
  bool fails = false;
};

Task<void> keeps(Sinkhole& sinkhole) {
  Shelf shelf;
  sinkhole.house().keepers.push_back(&shelf);
  FakeStream& stream = sinkhole.stream(0);
  stream.feed(
      "EHLO me\r\nMAIL FROM: <a@a.test> SIZE=5\r\nRCPT TO:<b@b.test> NOTIFY=NEVER\r\n"
      "RCPT TO:<!x@b.test>\r\nDATA\r\nx\r\n..\r\n.\r\n");
  std::string said;
  for (int reply = 0; reply < 14; ++reply) {
    said = co_await line(stream);
    if (reply == 11) EXPECT_EQ(said, "550 5.1.3 No mailbox can have that name");
  }
  EXPECT_EQ(said, "250 2.0.0 taken");
  const std::vector<std::string> expected = {
      "ESMTP|me|a@a.test|<a@a.test> SIZE=5|b@b.test|<b@b.test> NOTIFY=NEVER|x\r\n.\r\n"};
  EXPECT_EQ(shelf.kept, expected);
  shelf.fails = true;
  stream.feed(std::string(envelope) + ".\r\n");
  for (int reply = 0; reply < 4; ++reply) said = co_await line(stream);
  EXPECT_EQ(said, "451 4.3.0 The message could not be kept");
  EXPECT_EQ(sinkhole.report().messages, 1U);
  co_await sinkhole.end_all();
}

TEST(SinkSession, a_keeper_has_the_letter_before_it_is_answered) { Sinkhole::run({}, keeps); }

}  // namespace
}  // namespace kurir::sink::test
