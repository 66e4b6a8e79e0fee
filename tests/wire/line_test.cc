#include "kurir/wire/line.hh"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "support/feed_all_ways.hh"

namespace kurir::wire {
namespace {

using namespace std::string_view_literals;

TEST(Line, a_line_ends_in_crlf_only) {
  struct Case {
    std::string_view input;
    std::optional<std::string_view> line;  // nothing: incomplete
  };
  const Case cases[] = {
      {"\r\n", ""},
      {"NOOP\r\n", "NOOP"},
      {"a line of more than sixteen octets\r\n", "a line of more than sixteen octets"},
      {"exactly 16 octet\r\n", "exactly 16 octet"},
      {"\x80\xff\r\n", "\x80\xff"},
      {"", std::nullopt},
      {"NOOP", std::nullopt},
      {"NOOP\r", std::nullopt},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.input);
    test::feed_all_ways(
        c.input, [](std::string_view input) { return next_line(input, 512); },
        [&](const auto& result) {
          ASSERT_FALSE(result.is_fault());
          ASSERT_EQ(result.is_match(), c.line.has_value());
          if (!c.line) return;
          EXPECT_EQ(result.value(), *c.line);
          EXPECT_EQ(result.consumed(), c.line->size() + 2);
        },
        {.followed_by = "\n.\r\n"});
  }
}

TEST(Line, other_line_ends_and_nul_are_faults) {
  struct Case {
    std::string_view input;
    LineFault fault;
  };
  const Case cases[] = {
      {"\n"sv, LineFault::bare_lf},
      {"NOOP\n"sv, LineFault::bare_lf},
      {"NOOP\nQUIT\r\n"sv, LineFault::bare_lf},
      {"a line longer than sixteen\nQUIT\r\n"sv, LineFault::bare_lf},
      {"NOOP\rQUIT\r\n"sv, LineFault::bare_cr},
      {"NOOP\r\r\n"sv, LineFault::bare_cr},
      {"NO\0OP\r\n"sv, LineFault::nul},
      {"\0"sv, LineFault::nul},
      {"a line longer than sixteen\0\r\n"sv, LineFault::nul},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.input);
    test::feed_all_ways(
        c.input, [](std::string_view input) { return next_line(input, 512); },
        [&](const auto& result) {
          ASSERT_TRUE(result.is_fault());
          EXPECT_EQ(result.fault(), c.fault);
        });
  }
}

TEST(Line, the_bound_counts_the_line_end) {
  for (const std::size_t octets : {std::size_t{0}, std::size_t{30}, std::size_t{62}}) {
    const std::string input = std::string(octets, 'x') + "\r\n";
    test::feed_all_ways(
        input, [](std::string_view text) { return next_line(text, 64); },
        [](const auto& result) { EXPECT_TRUE(result.is_match()); });
  }
  for (const std::size_t octets : {std::size_t{63}, std::size_t{64}, std::size_t{5000}}) {
    const std::string input = std::string(octets, 'x') + "\r\n";
    test::feed_all_ways(
        input, [](std::string_view text) { return next_line(text, 64); },
        [](const auto& result) {
          ASSERT_TRUE(result.is_fault());
          EXPECT_EQ(result.fault(), LineFault::too_long);
        });
  }
}

TEST(LineSkipper, skips_to_the_next_crlf_at_any_split) {
  test::feed_slices("junk\n\r \r\r\nNOOP\r\n", [](std::span<const std::string_view> slices) {
    LineSkipper skipper;
    std::string rest;
    bool finished = false;
    for (std::string_view slice : slices) {
      if (!finished) {
        const LineSkipper::Step step = skipper.skip(slice);
        finished = step.finished;
        slice.remove_prefix(step.consumed);
        if (!finished) EXPECT_TRUE(slice.empty());
      }
      rest += slice;
    }
    EXPECT_TRUE(finished);
    EXPECT_EQ(rest, "NOOP\r\n");
    EXPECT_EQ(skipper.skipped_octets(), 10u);
  });
}

}  // namespace
}  // namespace kurir::wire
