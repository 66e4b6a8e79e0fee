#include "kurir/wire/text_search.hh"

#include <gtest/gtest.h>

namespace kurir::wire {
namespace {

struct Row {
  std::string_view needle, text;
  bool found;
};
constexpr Row header_rows[] = {
    {"", "", true},
    {"", "x", true},
    {"x", "", false},
    {"hello", " Say HELLO, world", true},
    {"HELLO", "say hello", true},
    {"hello", "hell o", false},
    {"aab", "aaab", true},
    {"abcabd", "abcabcabd", true},
    {"aaaa", "aaa", false},
    {"two words", "two\r\n words", true},
    {"j\xC3\xBCrgen", "=?iso-8859-1?q?J=FCRGEN?=", true},
    {"J\xC3\x9CRGEN", "=?utf-8?b?asO8cmdlbg==?=", true},
    {"utf-8", "=?utf-8?q?x?=", false},
    {"\xCE\xA3\xCE\xAF\xCF\x83\xCF\x85\xCF\x86\xCE\xBF\xCF\x82",  // Greek, final sigma
     "\xCE\xA3\xCE\x8A\xCE\xA3\xCE\xA5\xCE\xA6\xCE\x9F\xCE\xA3", true},
    {"\xC3\xA9", "e\xCC\x81", true},                 // composed, decomposed
    {"file", "\xEF\xAC\x81le", true},                // the ligature fi
    {"\xF0\x90\x90\xA8", "\xF0\x90\x90\x80", true},  // Deseret, beyond 16 bits
    {"\xE4\xBD\xA0\xE5\xA5\xBD", "=?gb2312?b?xOO6ww==?=", true},
    {"\xE9", "raw \xE9 octet", true},
    {"\xE9", "raw \xC3\xA9", false},
    {"\xC3", "\xC3\xA9", false},
};

TEST(TextSearch, header_text_is_decoded_and_case_ignored) {
  for (const Row& row : header_rows) {
    EXPECT_EQ(TextSearch(row.needle).matches_header(row.text), row.found)
        << row.needle << " in " << row.text;
  }
}

constexpr std::string_view message =
    "From: alice@example.test\r\n"
    "Subject: =?utf-8?q?M=C3=BCnchen?=\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "preamble\r\n"
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    "Stra=C3=9Fe and a soft=\r\n break\r\n"
    "--b\r\nContent-Type: text/html; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "z9LJ18XU\r\n"
    "--b\r\nContent-Type: image/png\r\n\r\nbinary\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: enclosed\r\n\r\ndeep text\r\n"
    "--b--\r\nepilogue\r\n";

TEST(TextSearch, body_is_what_text_parts_say) {
  struct BodyRow {
    std::string_view needle;
    bool in_body, in_text;
  };
  constexpr BodyRow rows[] = {
      {"", true, true},
      {"STRA\xC3\x9F"
       "E",
       true, true},
      {"soft break", true, true},
      {"=C3", false, false},
      {"\xD0\x9F\xD0\xA0\xD0\x98\xD0\x92\xD0\x95\xD0\xA2", false, false},
      {"\xD0\x9E\xD0\xA0\xD0\x98\xD0\x92\xD0\x95\xD0\xA2", true, true},
      {"z9LJ", false, false},
      {"binary", false, false},
      {"ENCLOSED", true, true},
      {"deep", true, true},
      {"m\xC3\xBCnchen", false, true},
      {"from: ALICE", false, true},
      {"nowhere", false, false},
      {"break\r\nz", false, false},
  };
  const MimeStructure structure = parse_mime(message);
  for (const BodyRow& row : rows) {
    const TextSearch search(row.needle);
    EXPECT_EQ(search.matches_body(message, structure), row.in_body) << row.needle;
    EXPECT_EQ(search.matches_text(message, structure), row.in_text) << row.needle;
  }
}

// Slices are of 16 KiB: the needle, and a character in it, lie across their ends.
TEST(TextSearch, needle_across_slices_is_found) {
  const std::string needle =
      "n\xC3\xA9\xF0\x90\x90\x80"
      "dle";
  const std::string_view head = "Content-Type: text/plain; charset=utf-8\r\n\r\n";
  for (std::size_t before = 16 * 1024 - 12; before <= 16 * 1024 + 1; ++before) {
    std::string text(head);
    text.append(before, 'n').append(needle).append("x");
    EXPECT_TRUE(TextSearch(needle).matches_body(text, parse_mime(text))) << before;
    text[head.size() + before] = 'x';
    EXPECT_FALSE(TextSearch("n" + needle).matches_body(text, parse_mime(text))) << before;
  }
}

TEST(TextSearch, text_cut_in_a_character_is_searched) {
  const std::string_view text = "\r\nabc\xE4\xBD";
  EXPECT_TRUE(TextSearch("C\xE4\xBD").matches_body(text, parse_mime(text)));
  EXPECT_FALSE(TextSearch("\xE4\xBD\xA0").matches_body(text, parse_mime(text)));
}

}  // namespace
}  // namespace kurir::wire
