// Holds the golden chats of tests/golden/smtp_client (client_chat.hh says how they are written),
// and again with the next host's words cut, lost and changed in every place.

#include "client_chat.hh"

#include <gtest/gtest.h>

#include <algorithm>

namespace kurir::smtp::test {
namespace {

const std::filesystem::path chats = std::filesystem::path(KURIR_GOLDEN) / "../smtp_client";

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& file : std::filesystem::directory_iterator(chats))
    all.push_back(file.path().stem());
  std::ranges::sort(all);
  return all;
}

std::vector<std::string> flat(const Visit::Outcome& outcome) {
  std::vector<std::string> all = {outcome.opened};
  for (const auto& letter : outcome.answers) all.insert(all.end(), letter.begin(), letter.end());
  return all;
}

struct Held {
  Visit::Outcome outcome;
  std::size_t octets_said = 0, lines_said = 0;
  bool as_written = false;
};

Task<Held> hold(LetterBox& box, const ClientChat& chat, HostManner manner = {}) {
  const bool is_lmtp = std::ranges::any_of(
      chat.lines, [](const ClientChat::Line& line) { return line.text.starts_with("LHLO "); });
  Visit visit(box, chat.letters, {}, is_lmtp);
  ChatHost host(chat, visit.stream(), manner);
  visit.start();
  const bool as_written = co_await host.play();
  visit.stream().hang_up();
  co_await visit.join();
  co_return Held{visit.outcome(), host.octets_said(), host.lines_said(), as_written};
}

// One log for all of them: making one takes longer than a chat.
template <Task<void> (*check)(LetterBox&, const ClientChat&)>
Task<void> of_each(LetterBox& box) {
  for (const std::string& name : names()) {
    SCOPED_TRACE(name);
    const ClientChat chat = read_client_chat(chats / (name + ".chat"));
    co_await check(box, chat);
    if (testing::Test::HasFailure()) co_return;
  }
}

class SmtpClientChat : public testing::TestWithParam<std::string> {
 protected:
  ClientChat chat_ = read_client_chat(chats / (GetParam() + ".chat"));
};

Task<void> goes(LetterBox& box, const ClientChat& chat) {
  const Held held = co_await hold(box, chat);
  EXPECT_EQ(flat(held.outcome), chat.answers);
  EXPECT_TRUE(held.outcome.has_ended);
}
TEST_P(SmtpClientChat, goes_as_written) {
  ASSERT_FALSE(chat_.lines.empty());
  LetterBox::run([&](LetterBox& box) { return goes(box, chat_); });
}

// However its words come in.
Task<void> goes_split(LetterBox& box, const ClientChat& chat) {
  for (std::size_t octets = 1; octets <= 20; ++octets) {
    SCOPED_TRACE(testing::Message() << octets << " octets at once");
    const Held held = co_await hold(box, chat, {.octets_at_once = octets});
    EXPECT_EQ(flat(held.outcome), chat.answers);
    if (testing::Test::HasFailure()) co_return;
  }
}
TEST(SmtpClientChats, go_as_written_in_pieces) { LetterBox::run(of_each<goes_split>); }

// --- a host that is gone after so many octets

// The number of the chat's host lines before each letter's last answer is whole; a letter counts
// as taken only from there on.
std::vector<std::size_t> lines_to_accept(const ClientChat& chat) {
  std::vector<std::size_t> ends;
  std::size_t said = 0;
  bool in_end = false, in_chunk = false;
  for (const ClientChat::Line& line : chat.lines) {
    if (line.from_client) {
      in_chunk = in_chunk || line.text.starts_with("BDAT ");
      in_end = line.text == "." || in_chunk;
      continue;
    }
    in_chunk = false;
    ++said;
    if (in_end && line.text.starts_with("250 ")) ends.push_back(said);
  }
  return ends;
}

void expect_only_what_was_promised(const ClientChat& chat, const Held& held) {
  EXPECT_TRUE(held.outcome.has_ended);
  EXPECT_TRUE(held.as_written);
  const std::vector<std::string> answers = flat(held.outcome);
  std::size_t accepted = 0;
  ASSERT_LE(answers.size(), chat.answers.size());
  for (std::size_t at = 0; at < answers.size(); ++at) {
    // As in the whole chat, or lost.
    const bool is_lost =
        answers[at].starts_with("for now (") &&
        answers[at].find(") 451 4.4.2 Connection lost after ") != std::string::npos;
    EXPECT_TRUE(is_lost || answers[at] == chat.answers[at]) << answers[at];
    if (at > 0 && answers[at].starts_with("accepted ")) ++accepted;
  }
  std::size_t promised = 0;
  for (const std::size_t lines : lines_to_accept(chat)) promised += held.lines_said >= lines;
  std::size_t letters_accepted = 0;
  for (const auto& letter : held.outcome.answers)
    letters_accepted += std::ranges::any_of(
        letter, [](const std::string& answer) { return answer.starts_with("accepted "); });
  EXPECT_EQ(letters_accepted, promised);
  EXPECT_GE(accepted, letters_accepted);
}

Task<void> is_cut(LetterBox& box, const ClientChat& chat) {
  const Held whole = co_await hold(box, chat);
  for (std::size_t octets = 0; octets < whole.octets_said; ++octets) {
    SCOPED_TRACE(testing::Message() << "gone after " << octets << " octets");
    const Held held = co_await hold(box, chat, {.octets_max = octets});
    expect_only_what_was_promised(chat, held);
    if (testing::Test::HasFailure()) co_return;
  }
}
TEST(SmtpClientChats, believe_only_whole_answers_of_a_host_that_is_gone) {
  LetterBox::run(of_each<is_cut>);
}

INSTANTIATE_TEST_SUITE_P(Golden, SmtpClientChat, testing::ValuesIn(names()),
                         [](const auto& chat) { return chat.param; });

}  // namespace
}  // namespace kurir::smtp::test
