#include "kurir/wire/mime.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "kurir/base/limits.hh"
#include "mime_check.hh"
#include "mime_golden.hh"

namespace kurir::wire {
namespace {

std::string octets_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::filesystem::path> golden_messages() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(KURIR_GOLDEN_MIME)) {
    if (entry.path().extension() == ".eml") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

TEST(Mime, golden_messages_have_their_structure) {
  ASSERT_GE(golden_messages().size(), 13u);
  for (std::filesystem::path path : golden_messages()) {
    const std::string message = octets_of(path);
    EXPECT_EQ(test::golden_text(message), octets_of(path.replace_extension(".txt"))) << path;
  }
}

TEST(Mime, any_prefix_of_a_message_is_a_message) {
  for (const auto& path : golden_messages()) {
    const std::string message = octets_of(path);
    for (std::size_t cut = 0; cut <= message.size(); ++cut) {
      ASSERT_EQ(test::fault_of_message(std::string_view(message).substr(0, cut)), "")
          << path << " cut at " << cut;
    }
  }
}

// Replaces, removes and doubles pieces of golden messages; the seed is fixed.
TEST(Mime, any_mutation_of_a_message_is_a_message) {
  std::uint64_t state = 20250305;
  const auto below = [&state](std::size_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>((state >> 33) % bound);
  };
  constexpr std::string_view octets = "\r\n-:;=\"\\()<>@, \t\0ax\xFF";
  for (const auto& path : golden_messages()) {
    const std::string original = octets_of(path);
    if (original.empty()) continue;
    for (int round = 0; round < 400; ++round) {
      std::string message = original;
      for (std::size_t change = below(8) + 1; change > 0; --change) {
        const std::size_t at = below(message.size());
        switch (below(3)) {
          case 0:
            message[at] = octets[below(octets.size())];
            break;
          case 1:
            message.erase(at, below(20));
            break;
          default:
            message.insert(below(message.size()), message.substr(at, below(60)));
            break;
        }
        if (message.empty()) message = "\r\n";
      }
      ASSERT_EQ(test::fault_of_message(message), "") << path << " round " << round;
    }
  }
}

std::string nested_multiparts(std::size_t levels, bool same_boundary) {
  std::string message;
  for (std::size_t i = 0; i < levels; ++i) {
    const std::string boundary = same_boundary ? "b" : "b" + std::to_string(i);
    message +=
        "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary + "\r\n";
  }
  return message + "\r\ntext";
}

TEST(Mime, depth_is_bounded) {
  std::string messages;
  for (int i = 0; i < 10'000; ++i) messages += "Content-Type: message/rfc822\r\n\r\n";
  for (const std::string& message :
       {messages, nested_multiparts(10'000, false), nested_multiparts(10'000, true)}) {
    EXPECT_EQ(test::fault_of_message(message), "");
    const MimeStructure structure = parse_mime(message);
    const MimePart& deepest = *std::ranges::max_element(structure.parts, {}, &MimePart::depth);
    EXPECT_EQ(deepest.depth, limits::mime_depth_max);
    EXPECT_EQ(deepest.type + "/" + deepest.subtype, "application/octet-stream");
  }
}

TEST(Mime, number_of_parts_is_bounded) {
  std::string message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int i = 0; i < 100'000; ++i) message += "--b\r\n\r\n";
  message += "--b--\r\nepilogue\r\n";
  EXPECT_EQ(test::fault_of_message(message), "");
  const MimeStructure structure = parse_mime(message);
  EXPECT_EQ(structure.parts.size(), limits::mime_parts_max);
  // The last one has all the rest, up to the line that ends the multipart.
  EXPECT_EQ(structure.parts.back().body.end, message.size() - 2 - 17);
}

TEST(Mime, long_boundaries_match_nothing) {
  const std::string boundary(1'000'000, 'b');
  const std::string message = "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" +
                              boundary + "\r\n\r\ntext\r\n--" + boundary + "--\r\n";
  EXPECT_EQ(test::fault_of_message(message), "");
  const MimeStructure structure = parse_mime(message);
  ASSERT_EQ(structure.parts.size(), 2u);
  EXPECT_EQ(structure.parts[1].body, structure.parts[0].body);
}

TEST(Mime, numbers_that_are_no_parts) {
  const std::string message = octets_of(KURIR_GOLDEN_MIME "/rfc9051_sections.eml");
  const MimeStructure structure = parse_mime(message);
  const std::vector<std::vector<std::uint32_t>> numbers = {
      {}, {0}, {5}, {1, 1}, {3, 0}, {3, 3}, {4, 2, 2, 3}, {4294967295}, {4, 2, 2, 1, 1}};
  for (const auto& none : numbers) EXPECT_FALSE(structure.find_part(none));
  using Numbers = std::vector<std::uint32_t>;
  EXPECT_FALSE(structure.section(Numbers{}, SectionText::mime));
  EXPECT_FALSE(structure.section(Numbers{1}, SectionText::header));
  EXPECT_FALSE(structure.section(Numbers{4}, SectionText::text));
  EXPECT_EQ(structure.section(Numbers{3}, SectionText::header_fields),
            structure.section(Numbers{3}, SectionText::header));
}

}  // namespace
}  // namespace kurir::wire
