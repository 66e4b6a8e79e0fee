#include "kurir/wire/folded_header.hh"

#include <gtest/gtest.h>

#include "kurir/wire/header.hh"

namespace kurir::wire {
namespace {

constexpr std::string_view header =
    "Received: from a by b; 1 Jan 2026\r\n"
    "subject: =?iso-8859-1?q?J=FCRGEN?= writes\r\n  over two lines\r\n"
    "From: \"Alice A.\" <alice@example.test>\r\n"
    "To: bob@example.test\r\n"
    "X-Mailer: none\r\n"
    "TO: carol@example.test\r\n"
    "Cc:\r\n"
    "Date: Fri, 2 Jan 2026 23:30:00 -0500\r\n"
    "Date: Sat, 3 Jan 2026 23:30:00 -0500\r\n"
    "\r\n";

bool found_in_header(std::string_view name, const TextSearch& search) {
  for (const HeaderField& field : find_fields(header, name))
    if (search.matches_header(field.value)) return true;
  return false;
}

TEST(FoldedHeader, says_what_the_header_says) {
  const FoldedHeader folded(header);
  constexpr std::string_view needles[] = {"",      "j\xC3\xBCrgen", "TWO",   "writes over",
                                          "alice", "bob",           "CAROL", "none",
                                          "m",     "2026",          "\x01"};
  int found = 0;
  for (const std::string_view name : {"Subject", "from", "TO", "Cc", "Bcc", "Message-ID"}) {
    ASSERT_TRUE(FoldedHeader::keeps(name)) << name;
    for (const std::string_view needle : needles) {
      const TextSearch search(needle);
      EXPECT_EQ(folded.matches(name, search), found_in_header(name, search))
          << name << " " << needle;
      found += found_in_header(name, search) ? 1 : 0;
    }
  }
  EXPECT_EQ(found, 11);
}

TEST(FoldedHeader, keeps_no_other_fields) {
  EXPECT_FALSE(FoldedHeader::keeps("X-Mailer"));
  EXPECT_FALSE(FoldedHeader::keeps(""));
  EXPECT_FALSE(FoldedHeader::keeps("Subjec"));
}

TEST(FoldedHeader, keeps_the_day_of_the_first_date_in_its_own_zone) {
  using std::chrono::year;
  EXPECT_EQ(FoldedHeader(header).sent(), std::chrono::sys_days(year(2026) / 1 / 2));
  EXPECT_FALSE(FoldedHeader("Date: soon\r\nDate: Fri, 2 Jan 2026 23:30:00 +0000\r\n\r\n").sent());
  EXPECT_FALSE(FoldedHeader("Subject: x\r\n\r\n").sent());
}

TEST(FoldedHeader, knows_nothing_of_too_much) {
  const auto of_subject = [](std::size_t octets) {
    return FoldedHeader("Subject: " + std::string(octets, 'x') + "\r\n\r\n");
  };
  const TextSearch search("x");
  EXPECT_EQ(of_subject(4000).matches("Subject", search), true);
  EXPECT_EQ(of_subject(5000).matches("Subject", search), std::nullopt);
  EXPECT_LT(of_subject(5000).octets(), 100u);
  EXPECT_EQ(of_subject(70'000).matches("To", search), std::nullopt);
}

}  // namespace
}  // namespace kurir::wire
