#include "kurir/cli/submitted_text.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/feed_all_ways.hh"

namespace kurir::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(LineEnds, every_line_gets_its_crlf) {
  const struct {
    std::string_view input, counting_dots, ignoring_dots;
  } rows[] = {{"", "", ""},
              {"a", "a\r\n", "a\r\n"},
              {"a\nb\r\nc\rd\n", "a\r\nb\r\nc\r\nd\r\n", "a\r\nb\r\nc\r\nd\r\n"},
              {"a\r\r\nb", "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n"},
              {"\n\r\n\r", "\r\n\r\n\r\n", "\r\n\r\n\r\n"},
              {".\nx", "", ".\r\nx\r\n"},
              {"a\n.\r\nx", "a\r\n", "a\r\n.\r\nx\r\n"},
              {"a\n.", "a\r\n", "a\r\n.\r\n"},
              {"..\n.a\na.\n", "..\r\n.a\r\na.\r\n", "..\r\n.a\r\na.\r\n"},
              {"\xe9\n", "\xe9\r\n", "\xe9\r\n"}};
  for (const auto& row : rows) {
    for (const bool dots : {true, false}) {
      test::feed_slices(row.input, [&](std::span<const std::string_view> slices) {
        LineEnds ends(dots);
        std::string out;
        for (const std::string_view slice : slices) ends.feed(slice, out);
        ends.finish(out);
        EXPECT_EQ(out, dots ? row.counting_dots : row.ignoring_dots);
        EXPECT_EQ(ends.is_8bit(), row.input.starts_with('\xe9'));
      });
    }
  }
}

HeaderOptions options() {
  return {.sender = "bob@h.test",
          .full_name = "Bob \"B\"",
          .hostname = "h.test",
          .date = "DATE",
          .unique = "UNIQUE"};
}

TEST(CompleteHeader, what_is_missing_is_added_on_top) {
  const SubmittedHeader header = complete_header("Subject: x\r\n\r\nbody\r\n", options());
  EXPECT_EQ(header.text,
            "Date: DATE\r\nMessage-ID: <UNIQUE@h.test>\r\nFrom: \"Bob \\\"B\\\"\" <bob@h.test>\r\n"
            "To: undisclosed-recipients:;\r\nSubject: x\r\n\r\n");
  EXPECT_EQ(header.octets_read, 14U);
  EXPECT_FALSE(header.is_cut);
  const std::string whole = "DATE: a\r\nfrom: b@c\r\nmessage-id: <d>\r\nCc: e@f\r\n\r\n";
  EXPECT_EQ(complete_header(whole, options()).text, whole);
}

TEST(CompleteHeader, where_the_section_ends) {
  const struct {
    std::string_view input;
    std::size_t octets_read;
    bool is_cut;
  } rows[] = {{"", 0, true},
              {"\r\nbody\r\n", 2, false},
              {"body without fields\r\n", 0, false},
              {" folded nothing: x\r\n", 0, false},
              {"A: b\r\n c\r\nno field\r\n", 10, false},
              {"From bob Mon\r\nA: b\r\n\r\nx\r\n", 22, false},
              {"http://x: y\r\n\r\n", 15, false},
              {"A: b\r\n", 6, true},
              {"A: b\r\nB: c", 6, true}};
  for (const auto& row : rows) {
    const SubmittedHeader header = complete_header(row.input, options());
    EXPECT_EQ(header.octets_read, row.octets_read) << row.input;
    EXPECT_EQ(header.is_cut, row.is_cut) << row.input;
    EXPECT_TRUE(header.text.ends_with("\r\n\r\n"));
  }
}

TEST(CompleteHeader, recipients_are_read_and_blind_copies_taken_out) {
  HeaderOptions reading = options();
  reading.reads_recipients = true;
  const std::string_view input =
      "Return-Path: <x>\r\nTo: A <a@b.test>, root\r\nCC: g: c@d.test,\r\n e@f.test;\r\n"
      "Bcc: \"q q\"@g.test\r\n\r\n";
  const SubmittedHeader header = complete_header(input, reading);
  EXPECT_THAT(header.recipients,
              ElementsAre("a@b.test", "root@h.test", "c@d.test", "e@f.test", "\"q q\"@g.test"));
  EXPECT_THAT(header.text, Not(HasSubstr("q q")));
  EXPECT_THAT(header.text, Not(HasSubstr("Return-Path")));
  EXPECT_THAT(header.text, HasSubstr("CC: g: c@d.test,\r\n e@f.test;\r\n"));
  EXPECT_TRUE(complete_header(input, options()).recipients.empty());
  const SubmittedHeader resent = complete_header(
      "To: a@b.test\r\nResent-To: c@d.test\r\nResent-Bcc: e@f.test\r\n\r\n", reading);
  EXPECT_THAT(resent.recipients, ElementsAre("c@d.test", "e@f.test"));
}

TEST(CompleteHeader, a_name_that_is_not_ascii_is_encoded_in_short_words) {
  HeaderOptions named = options();
  named.full_name = "Zo\xc3\xab";
  EXPECT_THAT(complete_header("\r\n", named).text,
              HasSubstr("From: =?utf-8?B?Wm/Dqw==?= <bob@h.test>\r\n"));
  for (int i = 0; i < 60; ++i) named.full_name += "\xc3\xab";
  const std::string text = complete_header("\r\n", named).text;
  for (std::size_t at = 0; at < text.size(); at = text.find("\r\n", at) + 2)
    EXPECT_LE(text.find("\r\n", at) - at, 90U);
  named.sender = named.full_name = "";
  EXPECT_THAT(complete_header("\r\n", named).text, HasSubstr("From: MAILER-DAEMON@h.test\r\n"));
}

}  // namespace
}  // namespace kurir::cli
