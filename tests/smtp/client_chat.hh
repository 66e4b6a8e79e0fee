#pragma once
// Golden chats of the client's side, tests/golden/smtp_client:
//
//   # explains
//   S: text       the next host says text and a line end
//   S: <ends>     it ends the connection
//   C: text       what Kurir must say next. Lines that follow each other leave in one send, and
//                 nothing else leaves before the next host has spoken
//   C: <closes>   Kurir ends the connection, having said all
//   M: sender recipient ...        a message that Kurir has for it, "<>" being the null sender;
//                                  "8bit", "binary" or "utf8" in front says what its content has,
//                                  "requiretls", BY=seconds;mode, PRIORITY=..., RET=... and
//                                  ENVID=... what its sender asked; behind a recipient NOTIFY=bits,
//                                  ORCPT=... and ALIAS=address are its own
//   M> text       a line of its content
//   A: ready      what open() must say; then, by recipient, what send() must: verdict (command)
//                 reply

#include <list>

#include "client_fixture.hh"
#include "support/chat.hh"

namespace kurir::smtp::test {

struct ClientChat {
  struct Line {
    std::size_t number;  // in the file
    bool from_client;
    std::string text;
  };
  std::vector<Line> lines;
  std::vector<Letter> letters;
  std::vector<std::string> answers;
  std::list<std::string> words;  // that letters view
};

// The views of the last recipient's requests look into chat.words.
inline void read_request(ClientChat& chat, Letter& letter, const std::string& word) {
  letter.asked.resize(letter.recipients.size());
  const std::size_t equals = word.find('=') + 1;
  const std::string_view value = chat.words.emplace_back(word.substr(equals));
  OutgoingRecipient& last = letter.asked.back();
  if (word.starts_with("NOTIFY="))
    last.notify = queue::Notify(static_cast<std::uint8_t>(std::stoi(word.substr(equals))));
  else if (word.starts_with("ORCPT="))
    last.orcpt = value;
  else
    last.original = value;
}

inline void read_letter(ClientChat& chat, std::string_view words) {
  Letter& letter = chat.letters.emplace_back();
  while (!words.empty()) {
    const std::size_t space = std::min(words.find(' '), words.size());
    const std::string word(words.substr(0, space));
    words.remove_prefix(std::min(space + 1, words.size()));
    if (word == "8bit")
      letter.has_8bit = true;
    else if (word == "utf8")
      letter.is_utf8 = true;
    else if (word == "requiretls")
      letter.requires_tls = true;
    else if (word.starts_with("BY="))
      letter.deliver_by = wire::DeliverBy{.seconds = std::stoi(word.substr(3)),
                                          .notifies = word.contains(";N"),
                                          .traces = word.ends_with('T')};
    else if (word.starts_with("PRIORITY="))
      letter.priority = static_cast<std::int8_t>(std::stoi(word.substr(9)));
    else if (word == "binary")
      letter.is_binary = true;
    else if (word.starts_with("RET="))
      letter.returned = word == "RET=FULL" ? queue::Returned::full : queue::Returned::headers;
    else if (word.starts_with("ENVID="))
      letter.envid = word.substr(6);
    else if (word.starts_with("NOTIFY=") || word.starts_with("ORCPT=") ||
             word.starts_with("ALIAS="))
      read_request(chat, letter, word);
    else if (letter.sender.empty())
      letter.sender = word;
    else
      letter.recipients.push_back(word);
  }
  if (letter.sender == "<>") letter.sender.clear();
}

inline ClientChat read_client_chat(const std::filesystem::path& path) {
  ClientChat chat;
  std::ifstream file(path);
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    const std::string mark = line.substr(0, 2);
    const std::string text = line.substr(std::min<std::size_t>(3, line.size()));
    if (mark == "S:" || mark == "C:")
      chat.lines.push_back({number, mark == "C:", text});
    else if (mark == "M:")
      read_letter(chat, text);
    else if (mark == "M>" && !chat.letters.empty())
      chat.letters.back().content += text + "\r\n";
    else if (mark == "A:")
      chat.answers.push_back(text);
    else
      ADD_FAILURE() << path << ":" << number << ": what is that?";
  }
  return chat;
}

// How the next host speaks: what is said at once, and when it is gone.
struct HostManner {
  std::size_t octets_at_once = std::string::npos;
  std::size_t octets_max = std::string::npos;  // of all that it says
};

// The next host of a chat, until it or the chat ends.
class ChatHost {
 public:
  ChatHost(const ClientChat& chat, FakeStream& stream, HostManner manner = {})
      : chat_(chat), stream_(stream), manner_(manner) {}

  // False: the client did not say what is written.
  Task<bool> play() {
    for (std::size_t at = 0; at < chat_.lines.size() && !gone_; ++at) {
      if (!chat_.lines[at].from_client) {
        co_await say(chat_.lines[at].text);
        continue;
      }
      const bool as_written = co_await hear(at);
      if (!as_written) co_return false;
    }
    co_return true;
  }
  std::size_t octets_said() const { return said_; }
  std::size_t lines_said() const { return lines_said_; }  // to their ends

 private:
  Task<bool> hear(std::size_t at) {
    const ClientChat::Line& line = chat_.lines[at];
    if (line.text == "<closes>") {
      const bool closed = co_await stream_.wait_until_closed(deadline_in(Seconds(10)));
      EXPECT_TRUE(closed);
      EXPECT_EQ(stream_.sent(), "") << "said beyond the chat";
      co_return closed&& stream_.sent().empty();
    }
    const std::string said = co_await stream_.take_line(deadline_in(Seconds(10)));
    EXPECT_EQ(said, line.text) << "line " << line.number << ", and then: " << stream_.sent();
    const bool goes_on = at + 1 < chat_.lines.size() && chat_.lines[at + 1].from_client &&
                         chat_.lines[at + 1].text != "<closes>";
    EXPECT_EQ(goes_on, !stream_.sent().empty())
        << "line " << line.number << (goes_on ? ": alone" : ": and at once: " + stream_.sent());
    co_return said == line.text&& goes_on == !stream_.sent().empty();
  }
  Task<void> say(std::string text) {
    if (text == "<ends>") {
      gone_ = true;
      co_return stream_.hang_up();
    }
    text += "\r\n";
    for (std::size_t at = 0; at < text.size() && !gone_;) {
      const std::size_t octets =
          std::min({manner_.octets_at_once, text.size() - at, manner_.octets_max - said_});
      if (octets > 0) stream_.feed(text.substr(at, octets));
      at += octets;
      said_ += octets;
      gone_ = said_ == manner_.octets_max;
      if (manner_.octets_at_once != std::string::npos) co_await yield_turn();
      if (at == text.size()) ++lines_said_;
    }
    if (gone_) stream_.hang_up();
  }

  const ClientChat& chat_;
  FakeStream& stream_;
  const HostManner manner_;
  std::size_t said_ = 0, lines_said_ = 0;
  bool gone_ = false;
};

}  // namespace kurir::smtp::test
