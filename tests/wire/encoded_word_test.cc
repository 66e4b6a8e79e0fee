#include "kurir/wire/encoded_word.hh"

#include <gtest/gtest.h>

#include "kurir/wire/charset.hh"
#include "support/feed_all_ways.hh"

namespace kurir::wire {
namespace {

struct Row {
  std::string_view value, text;
};
constexpr Row rows[] = {
    {"", ""},
    {" plain\r\n text ", "plain text"},
    {"=?us-ascii?q?a_b?=", "a b"},
    {"=?ISO-8859-1?Q?Andr=E9?= Pirard", "Andr\xC3\xA9 Pirard"},
    {"=?iso-8859-15?q?=A4=E9?=", "\xE2\x82\xAC\xC3\xA9"},
    {"=?windows-1252?q?=80=93?=", "\xE2\x82\xAC\xE2\x80\x9C"},
    {"=?UTF-8?B?w7w=?=", "\xC3\xBC"},
    {"=?utf-8*de?b?w7w?=", "\xC3\xBC"},
    {"a =?utf-8?q?b?= c", "a b c"},
    {"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"},
    {"=?utf-8?q?a?=\r\n  =?iso-8859-1?q?b=E9?= c", "ab\xC3\xA9 c"},
    {"=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b"},
    {"=?utf-8?q?a_?= =?utf-8?q?b?=", "a b"},
    {"(=?utf-8?q?a?=)", "(a)"},
    {"=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "\xC3\xBC"},
    {"=?iso-2022-jp?B?GyRCJCIbKEI=?=", "\xE3\x81\x82"},
    {"=?utf-7?q?+AOk-?=", "\xC3\xA9"},
    {"=?gb2312?b?xOO6ww==?=", "\xE4\xBD\xA0\xE5\xA5\xBD"},
    {"=?utf-16be?b?2D3eAA==?=", "\xF0\x9F\x98\x80"},
    {"=?utf-16be?b?2D0=?=", "\xEF\xBF\xBD"},
    {"=?x-unknown?q?=E9?=", "\xE9"},
    {"=??q?a?=", "a"},
    // No encoded-words.
    {"=?utf-8?q?open", "=?utf-8?q?open"},
    {"=?utf-8?x?a?=", "=?utf-8?x?a?="},
    {"=?utf-8?q", "=?utf-8?q"},
    {"=?utf-8", "=?utf-8"},
    {"=?", "=?"},
    {"=?utf 8?q?a?=", "=?utf 8?q?a?="},
    {"=?utf-8?q?a?b?=", "=?utf-8?q?a?b?="},
    {"=?=?utf-8?q?a?=", "=?a"},
    {"=?utf-8?q?=C=zz=?=", "=C=zz="},
    {"raw \xC3\xBC \xFF", "raw \xC3\xBC \xFF"},
};

TEST(EncodedWord, decodes_header_text) {
  for (const Row& row : rows) {
    test::feed_guarded(
        row.value, [](std::string_view value) { return decode_header_text(value); },
        [&](const std::string& text) { EXPECT_EQ(text, row.text) << row.value; });
  }
}

TEST(Charset, decodes_in_any_slices) {
  struct CharsetRow {
    std::string_view charset, octets, text;
  };
  constexpr CharsetRow charset_rows[] = {
      {"utf-8", "a\xC3\xBC", "a\xC3\xBC"},
      {"Latin1", "\xE9\x80", "\xC3\xA9\xC2\x80"},
      {"iso-2022-jp", "\x1B$B$\"\x1B(B!", "\xE3\x81\x82!"},
      {"Shift_JIS", "\x82\xA0", "\xE3\x81\x82"},
      {"koi8-r", "\xC1", "\xD0\xB0"},
      {"utf-16le", std::string_view("\x3D\xD8\x00\xDE\x41\x00", 6), "\xF0\x9F\x98\x80\x41"},
      {"Shift_JIS", "a\x82", "a\x1A"},
      {"nonsense", "\x82", "\x82"},
  };
  for (const CharsetRow& row : charset_rows) {
    test::feed_slices(row.octets, [&](const auto& slices) {
      CharsetDecoder decoder(row.charset);
      std::string text;
      for (const auto& slice : slices) decoder.decode(std::string_view(slice), text);
      decoder.finish(text);
      EXPECT_EQ(text, row.text) << row.charset;
    });
  }
}

TEST(Charset, strange_names_are_unknown) {
  const std::string lengthy(64 * 1024, 'x');
  for (const std::string_view name :
       {std::string_view(""), std::string_view(lengthy), std::string_view("utf-16,swaplfnl"),
        std::string_view("../../etc/passwd"), std::string_view("a\0b", 3)}) {
    EXPECT_FALSE(CharsetDecoder(name).known()) << name.substr(0, 40);
  }
}

TEST(Charset, long_texts_pass_the_librarys_buffer) {
  CharsetDecoder decoder("koi8-r");
  std::string text;
  decoder.decode(std::string(10'000, '\xC1'), text);
  decoder.finish(text);
  EXPECT_EQ(text.size(), 20'000u);
}

}  // namespace
}  // namespace kurir::wire
