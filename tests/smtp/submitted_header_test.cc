#include "kurir/smtp/submitted_header.hh"

#include <gtest/gtest.h>

namespace kurir::smtp {
namespace {

constexpr SubmittedHeader made_with() { return {}; }

std::string completed(std::string_view content) {
  SubmittedHeader made = made_with();
  made.message_id = "1@host.test";
  return complete_header(content, made);
}

const std::string date = "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n",
                  id = "Message-ID: <1@host.test>\r\n";

TEST(SubmittedHeader, is_completed) {
  EXPECT_EQ(completed("Subject: x\r\n\r\nbody\r\n"), "Subject: x\r\n" + date + id + "\r\nbody\r\n");
  EXPECT_EQ(completed("date: x\r\nMESSAGE-id: y\r\n\r\nbody"),
            "date: x\r\nMESSAGE-id: y\r\n\r\nbody");
  EXPECT_EQ(completed("Subject: x\r\n"), "Subject: x\r\n" + date + id + "\r\n");
  EXPECT_EQ(completed(""), date + id + "\r\n");
  EXPECT_EQ(completed("\r\nbody\r\n"), date + id + "\r\nbody\r\n");
  EXPECT_EQ(completed("no field\r\nbody\r\n"), date + id + "\r\nno field\r\nbody\r\n");
  EXPECT_EQ(completed("A: b\r\nno field\r\n\r\nbody\r\n"),
            "A: b\r\n" + date + id + "\r\nno field\r\n\r\nbody\r\n");
}

TEST(SubmittedHeader, loses_its_blind_recipients) {
  EXPECT_EQ(completed("BCC: a@b.test,\r\n c@d.test\r\nTo: e@f.test\r\nbcc: g\r\nResent-Bcc: "
                      "h\r\n\r\nBcc: stays\r\n"),
            "To: e@f.test\r\n" + date + id + "\r\nBcc: stays\r\n");
  EXPECT_EQ(completed("Bcc: a@b.test"), date + id + "\r\n");
}

TEST(SubmittedHeader, knows_its_end_wherever_it_was_cut) {
  const std::string content = "A: b\r\n\r\nbody";
  for (std::size_t length = 0; length <= content.size(); ++length)
    for (std::size_t from = 0; from <= length; ++from) {
      const std::string_view before = std::string_view(content).substr(0, from);
      if (has_whole_header(before, 0)) continue;
      EXPECT_EQ(has_whole_header(std::string_view(content).substr(0, length), from), length >= 8);
    }
  EXPECT_TRUE(has_whole_header("\r\n", 0));
}

}  // namespace
}  // namespace kurir::smtp
