// Runs the golden chats of tests/golden/imap: "C: " is what the client sends (a line end is added),
// "S: " what the server must say next; "..." stands for any text. C2, S2 are a second connection. A
// line that begins with "#" explains. What the server says beyond a chat is a failure.

#include <fstream>
#include <vector>

#include "fixture.hh"

namespace kurir::imap::test {
namespace {

struct ChatLine {
  std::size_t number;      // in the file
  std::size_t connection;  // 0 or 1
  bool from_client;
  std::string text;
};

std::vector<ChatLine> read_chat(const std::filesystem::path& path) {
  std::vector<ChatLine> lines;
  std::ifstream file(path);
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || (line[0] != 'C' && line[0] != 'S')) {
      ADD_FAILURE() << path << ":" << number << ": neither C: nor S:";
      continue;
    }
    const std::size_t connection = colon == 1 ? 0 : static_cast<std::size_t>(line[1] - '1');
    const std::string text = line.size() > colon + 1 ? line.substr(colon + 2) : std::string();
    lines.push_back({number, connection, line[0] == 'C', text});
  }
  return lines;
}

// "..." in the pattern stands for any text.
bool matches(std::string_view pattern, std::string_view text) {
  const std::size_t any = pattern.find("...");
  if (any == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, any))) return false;
  text.remove_prefix(any);
  pattern.remove_prefix(any + 3);
  for (std::size_t skipped = 0; skipped <= text.size(); ++skipped)
    if (matches(pattern, text.substr(skipped))) return true;
  return false;
}

Task<void> hold_chat(House& house, const std::vector<ChatLine>& chat) {
  for (const ChatLine& line : chat) {
    FakeStream& stream = house.connection(line.connection).stream;
    if (line.from_client) {
      stream.feed(line.text + "\r\n");
      continue;
    }
    const std::string said = co_await stream.take_line(deadline_in(Seconds(10)));
    if (matches(line.text, said)) continue;
    ADD_FAILURE() << "line " << line.number << "\n  expected: " << line.text
                  << "\n  was said: " << said << "\n  and then: " << stream.sent();
    co_return;
  }
  for (std::size_t index = 0; index < house.connections(); ++index)
    EXPECT_EQ(house.connection(index).stream.sent(), "") << "said beyond the chat";
}

class ImapChat : public testing::TestWithParam<std::string> {};

TEST_P(ImapChat, goes_as_written) {
  const std::vector<ChatLine> chat =
      read_chat(std::filesystem::path(KURIR_GOLDEN) / (GetParam() + ".chat"));
  ASSERT_FALSE(chat.empty());
  House::run({}, [&](House& house) { return hold_chat(house, chat); });
}

INSTANTIATE_TEST_SUITE_P(Golden, ImapChat,
                         testing::Values("login", "select_and_fetch", "sections", "flags",
                                         "expunge", "copy_and_move", "search", "folders", "append",
                                         "idle", "states", "condstore", "revision2"),
                         [](const auto& chat) { return chat.param; });

}  // namespace
}  // namespace kurir::imap::test
