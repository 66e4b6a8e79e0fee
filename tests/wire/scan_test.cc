#include "kurir/wire/scan.hh"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "support/guard_page.hh"

namespace kurir::wire {
namespace {

std::string random_content(std::minstd_rand& random, std::size_t octets, unsigned odd_every) {
  const std::string_view odd("\r\n.\0\xff\r.\n\r\n", 10);
  std::string content;
  unsigned until_line_end = random() % 90;
  while (content.size() < octets) {
    if (odd_every != 0 && random() % odd_every == 0) content += odd[random() % odd.size()];
    content += static_cast<char>('a' + random() % 26);
    if (until_line_end-- == 0) {
      content += random() % 16 == 0 ? "\r\n." : "\r\n";
      until_line_end = random() % (random() % 50 == 0 ? 3000 : 90);
    }
  }
  content.resize(octets);
  return content;
}

// The whole content through one kernel, going over the dots that it stops at.
struct Trace {
  ContentScan scan;
  std::vector<std::size_t> stops;
  friend bool operator==(const Trace&, const Trace&) = default;
};

Trace trace(ScanKernel kernel, std::string_view content) {
  Trace trace;
  std::size_t at = 0;
  while (at < content.size()) {
    at += scan_to_dot_line(kernel, trace.scan, content.substr(at));
    if (at < content.size()) {
      trace.stops.push_back(at);
      trace.scan.at_line_start = false;
    }
  }
  return trace;
}

TEST(Scan, kernels_agree_with_the_scalar_one) {
  std::minstd_rand random(998);
  test::GuardedBuffer buffer(8192);
  for (int round = 0; round < 6000; ++round) {
    const std::size_t octets = random() % (round % 8 == 0 ? 8192 : 300);
    const unsigned odd_every = std::array{0u, 2u, 20u, 300u}[round % 4];
    const std::string_view content = buffer.place_at_end(random_content(random, octets, odd_every));
    const Trace expected = trace(ScanKernel::scalar, content);
    for (const ScanKernel kernel : {ScanKernel::sse2, ScanKernel::avx2}) {
      if (!has_kernel(kernel)) continue;
      ASSERT_EQ(trace(kernel, content), expected) << ::testing::PrintToString(content);
    }
  }
}

TEST(Scan, one_odd_octet_at_each_place_is_seen_by_each_kernel) {
  for (std::size_t at = 0; at < 200; ++at) {
    for (const char odd : {'\r', '\n', '\0', '\xff'}) {
      std::string content(200, 'x');
      content[at] = odd;
      for (const ScanKernel kernel : {ScanKernel::scalar, ScanKernel::sse2, ScanKernel::avx2}) {
        if (!has_kernel(kernel)) continue;
        ContentScan scan;
        ASSERT_EQ(scan_to_dot_line(kernel, scan, content), content.size());
        EXPECT_EQ(scan.bare_cr || (scan.after_cr && at == 199), odd == '\r');
        EXPECT_EQ(scan.bare_lf, odd == '\n');
        EXPECT_EQ(scan.nul, odd == '\0');
        EXPECT_EQ(scan.eight_bit, odd == '\xff');
      }
    }
  }
}

TEST(Scan, octets_behind_the_dot_are_not_looked_at) {
  const std::string content = "x\r\n.\r\n" + std::string(200, '\xff') + std::string(1, '\0') + "\n";
  for (const ScanKernel kernel : {ScanKernel::scalar, ScanKernel::sse2, ScanKernel::avx2}) {
    if (!has_kernel(kernel)) continue;
    ContentScan scan;
    EXPECT_EQ(scan_to_dot_line(kernel, scan, content), 3u);
    EXPECT_FALSE(scan.eight_bit || scan.nul || scan.bare_lf);
  }
}

TEST(Scan, finds_crlf) {
  EXPECT_EQ(find_crlf("ab\r\n"), 2u);
  EXPECT_EQ(find_crlf("\r\n"), 0u);
  EXPECT_EQ(find_crlf("a\nb\r\r\n"), 4u);
  EXPECT_EQ(find_crlf("a\nb\r"), std::string_view::npos);
  EXPECT_EQ(find_crlf(""), std::string_view::npos);
}

}  // namespace
}  // namespace kurir::wire
