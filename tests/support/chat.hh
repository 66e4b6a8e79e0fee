#pragma once
// Golden chats: transcripts that people read and the tests hold.
//
//   # explains
//   C: text         the client sends text and a line end
//   C+ text         the same, but in one segment with the next line of the client's
//   S: text         what the server must say next; "..." stands for any text
//   S: <closes>     the server ends the connection, having said all
//   C2: S2:         a second connection
//
// What the server says beyond a chat is a failure.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/fake_stream.hh"

namespace kurir::test {

// Whom a chat talks to. Core-local.
class ChatPartners {
 public:
  virtual FakeStream& stream(std::size_t connection) = 0;  // opened when first asked for
  // Whether the server ended it before the deadline.
  virtual Task<bool> has_ended(std::size_t connection, Deadline deadline) = 0;
  virtual std::size_t connections() const = 0;

 protected:
  ~ChatPartners() = default;
};

struct ChatLine {
  std::size_t number;      // in the file
  std::size_t connection;  // 0 or 1
  bool from_client;
  bool held_back;  // sent with the next
  std::string text;
};

inline std::vector<ChatLine> read_chat(const std::filesystem::path& path) {
  std::vector<ChatLine> lines;
  std::ifstream file(path);
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t mark = line.find_first_of(":+");
    if (mark == std::string::npos || mark > 2 || (line[0] != 'C' && line[0] != 'S')) {
      ADD_FAILURE() << path << ":" << number << ": neither C: nor S:";
      continue;
    }
    const std::size_t connection = mark == 1 ? 0 : static_cast<std::size_t>(line[1] - '1');
    const std::string text = line.size() > mark + 1 ? line.substr(mark + 2) : std::string();
    lines.push_back({number, connection, line[0] == 'C', line[mark] == '+', text});
  }
  return lines;
}

// "..." in the pattern stands for any text.
inline bool matches(std::string_view pattern, std::string_view text) {
  const std::size_t any = pattern.find("...");
  if (any == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, any))) return false;
  text.remove_prefix(any);
  pattern.remove_prefix(any + 3);
  for (std::size_t skipped = 0; skipped <= text.size(); ++skipped)
    if (matches(pattern, text.substr(skipped))) return true;
  return false;
}

// One line of the server's; false: the chat is over.
inline Task<bool> hear(ChatPartners& partners, const ChatLine& line) {
  const Deadline deadline = deadline_in(Seconds(10));
  FakeStream& stream = partners.stream(line.connection);
  if (line.text == "<closes>") {
    const bool ended = co_await partners.has_ended(line.connection, deadline);
    if (ended && stream.sent().empty()) co_return true;
    ADD_FAILURE() << "line " << line.number << (ended ? ": closed" : ": not closed")
                  << ", and said: " << stream.sent();
    co_return false;
  }
  const std::string said = co_await stream.take_line(deadline);
  if (matches(line.text, said)) co_return true;
  ADD_FAILURE() << "line " << line.number << "\n  expected: " << line.text
                << "\n  was said: " << said << "\n  and then: " << stream.sent();
  co_return false;
}

inline Task<void> hold_chat(ChatPartners& partners, std::vector<ChatLine> chat) {
  std::string segment;
  for (const ChatLine& line : chat) {
    if (line.from_client) {
      segment += line.text + "\r\n";
      if (line.held_back) continue;
      partners.stream(line.connection).feed(segment);
      segment.clear();
      continue;
    }
    const bool as_written = co_await hear(partners, line);
    if (!as_written) co_return;
  }
  EXPECT_EQ(segment, "") << "held back for ever";
  for (std::size_t index = 0; index < partners.connections(); ++index)
    EXPECT_EQ(partners.stream(index).sent(), "") << "said beyond the chat";
}

}  // namespace kurir::test
