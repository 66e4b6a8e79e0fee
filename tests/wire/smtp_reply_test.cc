#include "kurir/wire/smtp_reply.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kurir/base/limits.hh"
#include "support/feed_all_ways.hh"

namespace kurir::wire {
namespace {

using namespace std::string_view_literals;

std::string written(const Reply& reply) {
  std::string out = "before";
  append_reply(out, reply);
  EXPECT_EQ(out.size(), 6 + octets_of(reply));
  return out.substr(6);
}

TEST(SmtpReply, is_written_on_one_line_or_many) {
  EXPECT_EQ(written({250, {2, 1, 0}, "Sender ok"}), "250 2.1.0 Sender ok\r\n");
  EXPECT_EQ(written({354, {}, "Go on"}), "354 Go on\r\n");
  EXPECT_EQ(written({250, {}, "mail.test\nPIPELINING\nSIZE 1000"}),
            "250-mail.test\r\n250-PIPELINING\r\n250 SIZE 1000\r\n");
  EXPECT_EQ(written({550, {5, 7, 1}, "No relaying\nSee http://x.test"}),
            "550-5.7.1 No relaying\r\n550 5.7.1 See http://x.test\r\n");
  EXPECT_EQ(written({250, {}, ""}), "250 \r\n");
}

TEST(SmtpReply, text_from_elsewhere_cannot_break_it) {
  EXPECT_EQ(written({550, {5, 0, 0}, "a\rb\0c\xff\x1b[2J\x7f"sv.substr(0, 9)}),
            "550 5.0.0 a?b?c??[2\r\n");
  const std::string long_text(1200, 'x');
  const std::string reply = written({451, {4, 3, 0}, long_text});
  std::string_view rest = reply;
  std::size_t text_octets = 0;
  for (std::string_view line; !rest.empty(); rest.remove_prefix(line.size())) {
    line = rest.substr(0, rest.find('\n') + 1);
    EXPECT_LE(line.size(), limits::smtp_reply_line_octets_max);
    EXPECT_TRUE(line.ends_with("\r\n"));
    text_octets += line.size() - 2 - "451 4.3.0 "sv.size();
  }
  EXPECT_EQ(text_octets, long_text.size());
  EXPECT_TRUE(parse_smtp_reply(reply).is_match());
}

TEST(SmtpReply, is_not_written_where_it_has_no_room) {
  const Reply reply{250, {2, 0, 0}, "one\ntwo"};
  const std::string expected = written(reply);
  test::GuardedBuffer buffer(expected.size());
  for (std::size_t room = 0; room <= expected.size(); ++room) {
    const std::span<char> out(buffer.room_at_end(room), room);
    const std::size_t octets = write_reply(out, reply);
    EXPECT_EQ(octets, room == expected.size() ? expected.size() : 0);
  }
  EXPECT_EQ(std::string_view(buffer.room_at_end(expected.size()), expected.size()), expected);
}

TEST(SmtpReply, each_fault_has_its_reply) {
  const auto text = [](SmtpFaultKind kind, SmtpVerb verb) {
    return written(reply_for({kind, verb, 0})).substr(0, 9);
  };
  EXPECT_EQ(text(SmtpFaultKind::unknown_verb, SmtpVerb::unknown), "500 5.5.2");
  EXPECT_EQ(text(SmtpFaultKind::too_long, SmtpVerb::unknown), "500 5.5.2");
  EXPECT_EQ(text(SmtpFaultKind::syntax, SmtpVerb::ehlo), "501 5.5.4");
  EXPECT_EQ(text(SmtpFaultKind::unknown_parameter, SmtpVerb::mail), "555 5.5.4");
  EXPECT_EQ(text(SmtpFaultKind::bad_address, SmtpVerb::mail), "501 5.1.7");
  EXPECT_EQ(text(SmtpFaultKind::bad_address, SmtpVerb::rcpt), "501 5.1.3");
  EXPECT_EQ(text(SmtpFaultKind::path_too_long, SmtpVerb::rcpt), "501 5.1.3");
  EXPECT_EQ(text(SmtpFaultKind::non_ascii, SmtpVerb::rcpt), "550 5.6.7");
  EXPECT_EQ(text(SmtpFaultKind::bad_chunk_size, SmtpVerb::bdat), "501 5.5.4");
}

TEST(PeerReply, is_read_with_all_its_lines) {
  struct Case {
    std::string_view input;
    unsigned code;
    EnhancedStatus status;
    std::vector<std::string_view> lines;
  };
  const Case cases[] = {
      {"220 mail.test ESMTP\r\n", 220, {}, {"mail.test ESMTP"}},
      {"250\r\n", 250, {}, {""}},
      {"250 \r\n", 250, {}, {""}},
      {"250-a\r\n250-b c\r\n250-\r\n250 d\r\n", 250, {}, {"a", "b c", "", "d"}},
      {"250-a\r\n250\r\n", 250, {}, {"a", ""}},
      {"550 5.1.1 no such user\r\n", 550, {5, 1, 1}, {"5.1.1 no such user"}},
      {"550-5.7.26 a\r\n550 5.7.26 b\r\n", 550, {5, 7, 26}, {"5.7.26 a", "5.7.26 b"}},
      {"250 2.0.0\r\n", 250, {2, 0, 0}, {"2.0.0"}},
      {"250 5.0.0 class of another code\r\n", 250, {}, {"5.0.0 class of another code"}},
      {"250 2.0 short\r\n", 250, {}, {"2.0 short"}},
      {"451 4.1234.0 x\r\n", 451, {}, {"4.1234.0 x"}},
      {"250 2.0.0x\r\n", 250, {}, {"2.0.0x"}},
      {"550 \x1b[2J\xff\r\n", 550, {}, {"\x1b[2J\xff"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.input);
    test::feed_all_ways(
        c.input, [](std::string_view input) { return parse_smtp_reply(input); },
        [&](const auto& result) {
          ASSERT_TRUE(result.is_match());
          const PeerReply& reply = result.value();
          EXPECT_EQ(reply.code, c.code);
          EXPECT_EQ(reply.status, c.status);
          EXPECT_EQ(reply.first_line(), c.lines[0]);
          std::string_view rest = reply.lines;
          for (const std::string_view line : c.lines) EXPECT_EQ(PeerReply::take_line(rest), line);
          EXPECT_TRUE(rest.empty());
        },
        {.followed_by = "250 next\r\n"});
  }
}

TEST(PeerReply, garbage_is_a_fault) {
  struct Case {
    std::string input;
    SmtpReplyFault fault;
  };
  std::string endless;
  while (endless.size() < 70'000) endless += "250-and on and on\r\n";
  const Case cases[] = {
      {"\r\n", SmtpReplyFault::malformed},
      {"25\r\n", SmtpReplyFault::malformed},
      {"2x0 ok\r\n", SmtpReplyFault::malformed},
      {"999 ok\r\n", SmtpReplyFault::malformed},
      {"000 ok\r\n", SmtpReplyFault::malformed},
      {"150 ok\r\n", SmtpReplyFault::malformed},
      {"250_ok\r\n", SmtpReplyFault::malformed},
      {"2500 ok\r\n", SmtpReplyFault::malformed},
      {" 250 ok\r\n", SmtpReplyFault::malformed},
      {"250-a\r\nb\r\n", SmtpReplyFault::malformed},
      {"250-a\r\n251 b\r\n", SmtpReplyFault::codes_differ},
      {"250 ok\n", SmtpReplyFault::bad_line_end},
      {"250 a\rb\r\n", SmtpReplyFault::bad_line_end},
      {std::string("250 \0\r\n", 7), SmtpReplyFault::malformed},
      {"250 " + std::string(5000, 'x') + "\r\n", SmtpReplyFault::too_long},
      {endless, SmtpReplyFault::too_long},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.input.substr(0, 80));
    test::feed_all_ways(
        c.input, [](std::string_view input) { return parse_smtp_reply(input); },
        [&](const auto& result) {
          ASSERT_TRUE(result.is_fault());
          EXPECT_EQ(result.fault(), c.fault);
        });
  }
}

TEST(PeerReply, its_text_is_made_printable_for_logs) {
  std::string out = "remote said: ";
  append_printable(out, "a\r\nb\0\x1b\x7f\xc2\x85 c"sv, 9);
  EXPECT_EQ(out, "remote said: a??b?????");
}

}  // namespace
}  // namespace kurir::wire
