#include "kurir/wire/smtp_data.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "support/feed_all_ways.hh"

namespace kurir::wire {
namespace {

using namespace std::string_view_literals;
using namespace std::string_literals;
using Slices = std::span<const std::string_view>;

struct Received {
  std::string content;
  std::string behind;  // what would be read as commands
  bool finished = false;
  ContentFacts facts;
};

Received receive(Slices slices) {
  DataScanner scanner;
  Received received;
  for (std::string_view slice : slices) {
    while (!scanner.finished() && !slice.empty()) {
      const DataScanner::Step step = scanner.step(slice);
      received.content += step.piece;
      slice.remove_prefix(step.consumed);
      EXPECT_EQ(step.finished, scanner.finished());
    }
    received.behind += slice;
  }
  received.finished = scanner.finished();
  received.facts = scanner.facts();
  return received;
}

// The same by the letter of RFC 5321, as slow and plain as can be.
Received receive_plainly(std::string_view stream) {
  Received received;
  bool line_start = true;
  while (!stream.empty()) {
    if (line_start && stream.starts_with(".\r\n")) {
      received.finished = true;
      received.behind = stream.substr(3);
      break;
    }
    if (line_start && stream.starts_with('.')) {
      stream.remove_prefix(1);
      received.facts.dot_line |= stream.starts_with('.');
    }
    line_start = false;
    if (stream.starts_with("\r\n")) {
      received.content += "\r\n";
      stream.remove_prefix(2);
      line_start = true;
    } else if (!stream.empty()) {
      received.content += stream[0];
      stream.remove_prefix(1);
    }
  }
  return received;
}

TEST(DataScanner, only_crlf_dot_crlf_ends_data) {
  // threats.md A1: the sequences that some program takes for the end.
  const std::string_view sequences[] = {"\n.\n",
                                        "\n.\r\n",
                                        "\r\n.\n",
                                        "\r.\r",
                                        "\r.\n",
                                        "\n.\r",
                                        "\r.\r\n",
                                        "\r\n.\r",
                                        "\r\n.\r\r\n",
                                        "\r\r\n.\r\n",
                                        "\r\r\n.\r\r\n",
                                        "\r\n\0.\r\n"sv,
                                        "\r\n.\0\r\n"sv,
                                        "\r\n. \r\n",
                                        "\xc2\x85.\xc2\x85",
                                        "\x0b.\x0b",
                                        "\xe2\x80\xa8.\xe2\x80\xa8"};
  const std::string_view smuggled =
      "MAIL FROM:<admin@evil.test>\r\nRCPT TO:<b@test>\r\nDATA\r\n"
      "Subject: SMUGGLED\r\n\r\nx";
  ASSERT_EQ(std::size(sequences), 17u);
  for (const std::string_view sequence : sequences) {
    SCOPED_TRACE(::testing::PrintToString(sequence));
    // "\r\r\n.\r\n" does hold CRLF.CRLF: the end by the standard, behind a bare CR that is told.
    const bool holds_the_end = sequence == "\r\r\n.\r\n";
    const std::string stream = std::string("Subject: outer\r\n\r\nbody")
                                   .append(sequence)
                                   .append(smuggled)
                                   .append("\r\n.\r\nQUIT\r\n");
    test::feed_slices(stream, [&](Slices slices) {
      const Received received = receive(slices);
      ASSERT_TRUE(received.finished);
      const auto expected =
          holds_the_end ? std::string(smuggled).append("\r\n.\r\nQUIT\r\n") : "QUIT\r\n";
      EXPECT_EQ(received.behind, expected);
      const bool clean_line_ends = sequence.find_first_of("\r\n") == sequence.npos ||
                                   sequence.starts_with("\r\n\0"sv) ||
                                   sequence == "\r\n.\0\r\n"sv || sequence == "\r\n. \r\n";
      EXPECT_EQ(received.facts.has_bare_line_end(), !clean_line_ends);
      EXPECT_EQ(received.facts.nul, sequence.find('\0') != sequence.npos);
    });
  }
}

TEST(DataScanner, dots_are_unstuffed_once_and_at_line_starts_only) {
  struct Case {
    std::string_view stream;
    std::string_view content;
    bool dot_line;
  };
  // threats.md A4.
  const Case cases[] = {
      {".\r\n", "", false},
      {"\r\n.\r\n", "\r\n", false},
      {"a\r\n.\r\n", "a\r\n", false},
      {"..\r\n.\r\n", ".\r\n", true},
      {"...\r\n.\r\n", "..\r\n", true},
      {".x\r\n.\r\n", "x\r\n", false},
      {"..x\r\n.\r\n", ".x\r\n", true},
      {"a.\r\n.b\r\n..c\r\n.\r\n", "a.\r\nb\r\n.c\r\n", true},
      {"a.b\r\n.\r\n", "a.b\r\n", false},
      {"a\r\n..\r\n..\r\n.\r\n", "a\r\n.\r\n.\r\n", true},
      {". \r\n.\r\n", " \r\n", false},
      {"a\n.b\r\n.\r\n", "a\n.b\r\n", false},
      {".\rx\r\n.\r\n", "\rx\r\n", false},
      {".\r\r\n.\r\n", "\r\r\n", false},
      {"..\r.\r\n.\r\n", ".\r.\r\n", true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(::testing::PrintToString(c.stream));
    test::feed_slices(std::string(c.stream) + ".\r\n", [&](Slices slices) {
      const Received received = receive(slices);
      ASSERT_TRUE(received.finished);
      EXPECT_EQ(received.content, c.content);
      EXPECT_EQ(received.behind, ".\r\n");
      EXPECT_EQ(received.facts.dot_line, c.dot_line);
      EXPECT_EQ(received.facts.octets, c.content.size());
      EXPECT_TRUE(received.facts.ends_line);
    });
  }
}

TEST(DataScanner, tells_what_the_content_holds) {
  struct Case {
    std::string content;
    ContentFacts facts;
  };
  const Case cases[] = {
      {"plain\r\n", {}},
      {"8-bit \xc3\xbc\r\n", {.eight_bit = true}},
      {std::string("nul\0\r\n", 6), {.nul = true}},
      {"a\nb\r\n", {.bare_lf = true}},
      {"a\rb\r\n", {.bare_cr = true}},
      {"a\r\r\n", {.bare_cr = true}},
      {"a\n\r\n", {.bare_lf = true}},
      {std::string(998, 'x') + "\r\n", {}},
      {std::string(999, 'x') + "\r\n", {.long_line = true}},
      {"a\r\n" + std::string(998, 'x') + "\r\n" + std::string(998, 'y') + "\r\n", {}},
      {"a\r\n" + std::string(999, 'x') + "\r\nb\r\n", {.long_line = true}},
  };
  for (const Case& c : cases) {
    test::feed_slices(c.content + ".\r\n\xff\0\n"s, [&](Slices slices) {
      ContentFacts expected = c.facts;
      expected.octets = c.content.size();
      const Received received = receive(slices);
      EXPECT_TRUE(received.finished);
      EXPECT_EQ(received.content, c.content);
      EXPECT_EQ(received.facts, expected);
    });
    test::feed_slices(c.content, [&](Slices slices) {
      ContentFacts expected = c.facts;
      expected.octets = c.content.size();
      ContentScanner scanner;
      for (const std::string_view slice : slices) scanner.feed(slice);
      EXPECT_EQ(scanner.facts(), expected);
    });
  }
}

TEST(DataScanner, agrees_with_a_plain_reading_on_random_streams) {
  std::minstd_rand random(5321);
  const std::string_view alphabet = "\r\n.\r\n.\r\n.ab";
  for (int round = 0; round < 20'000; ++round) {
    std::string stream;
    const unsigned octets = random() % 40;
    for (unsigned i = 0; i < octets; ++i) stream += alphabet[random() % alphabet.size()];
    std::vector<std::string_view> slices;
    for (std::string_view rest = stream; !rest.empty();) {
      slices.push_back(rest.substr(0, 1 + random() % 7));
      rest.remove_prefix(slices.back().size());
    }
    const Received expected = receive_plainly(stream);
    const Received received = receive(slices);
    ASSERT_EQ(received.finished, expected.finished) << ::testing::PrintToString(stream);
    if (!expected.finished) continue;
    ASSERT_EQ(received.content, expected.content) << ::testing::PrintToString(stream);
    ASSERT_EQ(received.behind, expected.behind) << ::testing::PrintToString(stream);
    ASSERT_EQ(received.facts.dot_line, expected.facts.dot_line) << ::testing::PrintToString(stream);
  }
}

TEST(DataScanner, a_slice_without_dots_is_one_piece) {
  std::string slice;
  while (slice.size() < 60'000) slice += "A line of text with a. dot. in it.\r\n";
  DataScanner scanner;
  const DataScanner::Step step = scanner.step(slice);
  EXPECT_EQ(step.piece.data(), slice.data());
  EXPECT_EQ(step.piece.size(), slice.size());
  EXPECT_EQ(step.consumed, slice.size());
}

TEST(HeaderWatch, counts_fields_of_the_header_section_only) {
  struct Case {
    std::string_view content;
    unsigned count;
  };
  const Case cases[] = {
      {"", 0},
      {"Received: a\r\nRECEIVED:b\r\n c\r\nreceived: d\r\n\r\nReceived: body\r\n", 3},
      {"Subject: Received: x\r\n Received: folded\r\nX-Received: y\r\n\r\n", 0},
      {"Receive: x\r\nReceivedd: x\r\nReceived-SPF: x\r\nReceived: x", 1},
      {"\r\nReceived: body\r\n", 0},
      {"Rec\r\nReceived:\r\n\r\n", 1},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.content);
    test::feed_slices(c.content, [&](Slices slices) {
      ContentScanner scanner;
      for (const std::string_view slice : slices) scanner.feed(slice);
      EXPECT_EQ(scanner.facts().received_fields, c.count);
    });
  }
}

TEST(HeaderWatch, finds_that_tls_is_optional) {
  struct Case {
    std::string_view content;
    bool is_optional;
  };
  const Case cases[] = {
      {"TLS-Required: No\r\n\r\n", true},
      {"Subject: x\r\ntls-required:nO  \r\n\r\n", true},
      {"Received: x\r\nTLS-Required:\tNo\nTo: x\r\n", true},
      {"TLS-Required: Nope\r\n\r\n", false},
      {"TLS-Required: N\r\nTLS-Required: o\r\n\r\n", false},
      {"TLS-Required: Yes\r\n\r\n", false},
      {"X-TLS-Required: No\r\n TLS-Required: No\r\n\r\n", false},
      {"TLS-Required\r\n: No\r\n\r\n", false},
      {"\r\nTLS-Required: No\r\n", false},
      {"\rLS-Required: No\r\n\r\n", false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.content);
    test::feed_slices(c.content, [&](Slices slices) {
      ContentScanner scanner;
      for (const std::string_view slice : slices) scanner.feed(slice);
      EXPECT_EQ(scanner.facts().tls_optional, c.is_optional);
    });
  }
}

TEST(ContentScanner, dots_stay_and_are_told) {
  test::feed_slices(".\r\n..x\r\na.\r\n", [](Slices slices) {
    ContentScanner scanner;
    for (const std::string_view slice : slices) scanner.feed(slice);
    EXPECT_TRUE(scanner.facts().dot_line);
    EXPECT_EQ(scanner.facts().octets, 12u);
    EXPECT_FALSE(scanner.facts().has_bare_line_end());
  });
  ContentScanner open_end;
  open_end.feed("a\r\nb");
  EXPECT_FALSE(open_end.facts().ends_line);
  open_end.feed("\r");
  EXPECT_TRUE(open_end.facts().bare_cr);
  open_end.feed("\n");
  EXPECT_FALSE(open_end.facts().bare_cr);
}

std::string stuff(Slices slices) {
  DotStuffer stuffer;
  std::string sent;
  for (std::string_view slice : slices) {
    while (!slice.empty()) {
      const DotStuffer::Step step = stuffer.step(slice);
      EXPECT_FALSE(step.piece.empty());
      sent += step.piece;
      slice.remove_prefix(step.consumed);
    }
  }
  sent += stuffer.terminator();
  return sent;
}

TEST(DotStuffer, stuffs_what_the_scanner_unstuffs) {
  struct Case {
    std::string_view content;
    std::string_view sent;
  };
  const Case cases[] = {
      {"", ".\r\n"},
      {"a\r\n", "a\r\n.\r\n"},
      {".\r\n", "..\r\n.\r\n"},
      {"..\r\n.x\r\na.\r\n", "...\r\n..x\r\na.\r\n.\r\n"},
      {"no line end", "no line end\r\n.\r\n"},
      {".", "..\r\n.\r\n"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(::testing::PrintToString(c.content));
    test::feed_slices(c.content, [&](Slices slices) { EXPECT_EQ(stuff(slices), c.sent); });
    const std::string_view sent[] = {c.sent};
    const Received received = receive(sent);
    ASSERT_TRUE(received.finished);
    EXPECT_TRUE(received.content == c.content ||
                received.content == std::string(c.content) + "\r\n");
  }
}

}  // namespace
}  // namespace kurir::wire
