#include "kurir/observe/json_text.hh"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/guard_page.hh"

namespace kurir::observe {
namespace {

std::string json_of(std::string_view octets) {
  test::GuardedBuffer guarded(octets.size());
  std::string out;
  append_json_string(out, guarded.place_at_end(octets));
  return out;
}

struct Row {
  std::string_view octets, json;
};

TEST(JsonText, every_octet_that_could_harm_a_log_or_terminal_is_escaped) {
  using namespace std::string_view_literals;
  const Row rows[] = {
      {"", R"("")"},
      {"bob@example.test", R"("bob@example.test")"},
      {"a\"b\\c/d", R"("a\"b\\c/d")"},
      {"a\0b"sv, R"("a\u0000b")"},
      {"a\r\nb\tc", R"("a\u000d\u000ab\u0009c")"},
      {"\x1b[2J", R"("\u001b[2J")"},
      {"a\x7f", R"("a\u007f")"},
      {"\xC2\x80\xC2\x85\xC2\x9F\xC2\xA0", "\"\\u0080\\u0085\\u009f\xC2\xA0\""},
      {"\xE2\x80\xA8\xE2\x80\xA9", R"("\u2028\u2029")"},
      {"\xE2\x80\xAA\xE2\x80\xAE\xE2\x81\xA6\xE2\x81\xA9", R"("\u202a\u202e\u2066\u2069")"},
      {"\xE2\x80\x8E\xE2\x80\x8F\xD8\x9C", R"("\u200e\u200f\u061c")"},
      {"\xEF\xBB\xBFx", R"("\ufeffx")"},
      {"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x93\xAC",
       "\"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x93\xAC\""},
      // Not UTF-8: alone, truncated, overlong, a surrogate, beyond the last character.
      {"\x80", "\"\xEF\xBF\xBD\""},
      {"a\xFF\xFE", "\"a\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xE2\x82", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xC3(", "\"\xEF\xBF\xBD(\""},
      {"\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xE0\x80\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xF4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
  };
  for (const Row& row : rows) EXPECT_EQ(json_of(row.octets), row.json);
}

TEST(JsonText, what_is_read_back_is_what_was_given) {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::string octets{'<', static_cast<char>(first), static_cast<char>(second), '>'};
      const std::string json = json_of(octets);
      const auto parsed = nlohmann::json::parse(json, nullptr, false);
      ASSERT_TRUE(parsed.is_string()) << json;
      for (const char octet : json)
        ASSERT_TRUE(static_cast<unsigned char>(octet) >= 0x20 && octet != 0x7F) << json;
      if (first < 0x80 && second < 0x80) ASSERT_EQ(parsed.get<std::string>(), octets);
    }
  }
}

TEST(JsonText, a_field_is_cut_at_a_character_within_its_bound) {
  const struct {
    std::size_t octets_max;
    std::string_view octets, json;
  } rows[] = {
      {0, "abc", R"("")"},
      {3, "abc", R"("abc")"},
      {3, "abcd", R"("abc")"},
      {3, "ab\xC3\xBC", R"("ab")"},
      {4, "ab\xC3\xBC", "\"ab\xC3\xBC\""},
      {3, "\xF0\x9F\x93\xAC", R"("")"},
      {2, "a\nb", R"("a\u000a")"},
      {1, "\xFF\xFF", "\"\xEF\xBF\xBD\""},
  };
  for (const auto& row : rows) {
    std::string out;
    append_json_string(out, row.octets, row.octets_max);
    EXPECT_EQ(out, row.json) << row.octets_max;
  }
  std::string out;
  append_json_string(out, std::string(64 << 10, 'x'));
  EXPECT_EQ(out.size(), limits::event_field_octets_max + 2);
}

}  // namespace
}  // namespace kurir::observe
