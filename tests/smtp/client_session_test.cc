// The client's session where chats do not reach: hosts that fall silent, never end, talk nonsense
// or vanish at any octet, and content in pieces of every size.

#include <gtest/gtest.h>

#include <algorithm>

#include "client_chat.hh"
#include "kurir/base/limits.hh"

namespace kurir::smtp::test {
namespace {

constexpr Nanoseconds never = std::chrono::hours(24);
constexpr Nanoseconds at_once = Milliseconds(2);

Letter small_letter() { return {"a@b.example", {"x@next.test"}, "Subject: x\r\n\r\ntext\r\n"}; }

// What a host says when all goes well, by command; the content's end is ".".
struct Step {
  std::string_view command;  // begins a line of the client's; empty: the greeting
  std::string reply;
};
std::vector<Step> steps(bool pipelining) {
  return {{"", "220 mx.next.test\r\n"},
          {"EHLO", pipelining ? "250-mx.next.test\r\n250 PIPELINING\r\n" : "250 mx.next.test\r\n"},
          {"MAIL", "250 ok\r\n"},
          {"RCPT", "250 ok\r\n"},
          {"DATA", "354 go on\r\n"},
          {".", "250 taken\r\n"},
          {"QUIT", "221 bye\r\n"}};
}

// Answers line after line by the steps, until the client ends or the host is hung up.
Task<void> host(FakeStream& stream, std::vector<Step> by_command) {
  stream.feed(by_command.front().reply);
  bool in_content = false;
  for (;;) {
    const std::string line = co_await stream.take_line(deadline_in(Seconds(10)));
    if (line == FakeStream::nothing_came) co_return;
    if (in_content && line != ".") continue;
    for (const Step& step : by_command) {
      if (step.command.empty() || !line.starts_with(step.command)) continue;
      if (step.reply == "<ends>") co_return stream.hang_up();
      if (step.reply.empty()) co_return;  // not another word
      in_content = step.reply.starts_with("354");
      stream.feed(step.reply);
      if (step.command == "QUIT") co_return;
    }
  }
}

// Runs one visit against such a host.
Task<Visit::Outcome> visit(LetterBox& box, std::vector<Letter> letters, std::vector<Step> said,
                           ClientTimeouts timeouts = {}) {
  Visit visit(box, std::move(letters), timeouts);
  Scope scope;
  scope.start(host(visit.stream(), std::move(said)));
  visit.start();
  co_await visit.join();
  co_await scope.join();
  co_return visit.outcome();
}

// --- timeouts (RFC 5321 4.5.3.2): the one of the step ends the wait, and no other is short

struct Silence {
  std::string_view name;
  Nanoseconds ClientTimeouts::* timeout;
  std::size_t step;
  std::string_view opened, answer;
};
constexpr std::string_view ready = "ready";
constexpr Silence silences[] = {
    {"greeting", &ClientTimeouts::greeting, 0,
     "for now (connection) 451 4.4.2 No answer in time after connection", ""},
    {"ehlo", &ClientTimeouts::hello, 1, "for now (EHLO) 451 4.4.2 No answer in time after EHLO",
     ""},
    {"mail", &ClientTimeouts::mail, 2, ready,
     "for now (MAIL) 451 4.4.2 No answer in time after MAIL"},
    {"rcpt", &ClientTimeouts::recipient, 3, ready,
     "for now (RCPT) 451 4.4.2 No answer in time after RCPT"},
    {"data", &ClientTimeouts::data_initiation, 4, ready,
     "for now (DATA) 451 4.4.2 No answer in time after DATA"},
    {"end", &ClientTimeouts::data_termination, 5, ready,
     "for now (.) 451 4.4.2 No answer in time after ."},
    {"quit", &ClientTimeouts::quit, 6, ready, "accepted (.) 250 taken"},
};

ClientTimeouts only(Nanoseconds ClientTimeouts::* timeout) {
  ClientTimeouts timeouts{never, never, never, never, never, never, never, never};
  timeouts.*timeout = at_once;
  return timeouts;
}

Task<void> is_given_up(LetterBox& box, Silence silence, bool pipelining) {
  std::vector<Step> said = steps(pipelining);
  said[silence.step].reply.clear();
  const Visit::Outcome outcome =
      co_await visit(box, {small_letter()}, std::move(said), only(silence.timeout));
  EXPECT_EQ(outcome.opened, silence.opened);
  if (silence.answer.empty()) {
    EXPECT_TRUE(outcome.answers.empty());
  } else {
    EXPECT_EQ(outcome.answers,
              (std::vector<std::vector<std::string>>{{std::string(silence.answer)}}));
  }
  EXPECT_EQ(outcome.was_usable, silence.step == 6);
}
Task<void> each_silence(LetterBox& box) {
  for (const Silence& silence : silences) {
    for (const bool pipelining : {false, true}) {
      SCOPED_TRACE(std::string(silence.name) + (pipelining ? ", pipelined" : ""));
      co_await is_given_up(box, silence, pipelining);
    }
  }
}
TEST(SmtpClientSession, gives_up_a_silent_host_at_the_timeout_of_the_step) {
  LetterBox::run(each_silence);
}

Task<void> deaf(LetterBox& box, ClientTimeouts timeouts, std::string_view after,
                std::string_view expected) {
  Letter letter = small_letter();
  letter.content = std::string(100'000, 'x') + "\r\n";
  Visit visit(box, {letter}, timeouts);
  visit.start();
  for (const Step& step : steps(false)) {
    if (!step.command.empty()) {
      const std::string line = co_await visit.stream().take_line(deadline_in(Seconds(10)));
      EXPECT_TRUE(line.starts_with(step.command)) << line;
    }
    if (step.command == after) visit.stream().stop_reading();
    visit.stream().feed(step.reply);
    if (step.command == after) break;
  }
  co_await visit.join();
  EXPECT_EQ(visit.outcome().answers,
            (std::vector<std::vector<std::string>>{{std::string(expected)}}));
}
TEST(SmtpClientSession, gives_up_a_host_that_does_not_read_the_content) {
  LetterBox::run([](LetterBox& box) {
    return deaf(box, only(&ClientTimeouts::data_block), "DATA",
                "for now (.) 451 4.4.2 No answer in time after content");
  });
}
TEST(SmtpClientSession, gives_up_a_host_that_does_not_read_commands) {
  LetterBox::run([](LetterBox& box) {
    return deaf(box, only(&ClientTimeouts::mail), "EHLO",
                "for now (MAIL) 451 4.4.2 No answer in time after MAIL");
  });
}

// --- 421, the end, and nonsense, in place of each answer

Task<void> each_answer(LetterBox& box, std::string_view instead, std::string_view expected) {
  for (const bool pipelining : {false, true}) {
    for (std::size_t step = 0; step < 6; ++step) {
      SCOPED_TRACE(testing::Message() << "step " << step << (pipelining ? " pipelined" : ""));
      std::vector<Step> said = steps(pipelining);
      said[step].reply = instead;
      if (step == 0 && instead == "<ends>") continue;  // golden: greeting_none
      Letter letter = small_letter();
      letter.recipients.push_back("y@next.test");
      const Visit::Outcome outcome = co_await visit(box, {letter, letter}, std::move(said));
      EXPECT_FALSE(outcome.was_usable);
      EXPECT_LE(outcome.answers.size(), 1U) << "the connection was used on";
      const std::string first =
          outcome.answers.empty() ? outcome.opened : outcome.answers.front().back();
      EXPECT_TRUE(first.starts_with("for now (") && first.find(expected) != std::string::npos)
          << first;
      if (!outcome.answers.empty()) EXPECT_EQ(outcome.answers.front().size(), 2U);
      if (testing::Test::HasFailure()) co_return;
    }
  }
}
struct Nuisance {
  std::string_view name;
  std::string instead;
  std::string_view expected;
};
std::string endless_lines() {
  std::string lines;
  while (lines.size() <= limits::smtp_peer_reply_octets_max) lines += "250-and another thing\r\n";
  return lines;
}
constexpr std::string_view nonsense = "451 4.5.0 Not an SMTP reply";
const Nuisance nuisances[] = {
    {"closing", "421 4.3.2 closing\r\n", "421 4.3.2 closing"},
    {"the_end", "<ends>", "451 4.4.2 Connection lost"},
    {"line_without_end", std::string(limits::smtp_peer_reply_line_octets_max + 1, '2'), nonsense},
    {"reply_without_end", endless_lines(), nonsense},
    {"code_999", "999 what\r\n", nonsense},
    {"code_000", "000 what\r\n", nonsense},
    {"code_1xx", "150 what\r\n", nonsense},
    {"letters", "2xx ok\r\n", nonsense},
    {"no_code", "ok\r\n", nonsense},
    {"empty_line", "\r\n", nonsense},
    {"codes_differ", "250-ok\r\n550 no\r\n", nonsense},
    {"code_and_junk", "250ok\r\n", nonsense},
    {"bare_lf", "250 ok\n", nonsense},
    {"bare_cr", "250 o\rk\r\n", nonsense},
    {"nul", std::string("250 o\0k\r\n", 9), nonsense},
};
Task<void> each_nuisance(LetterBox& box) {
  for (const Nuisance& nuisance : nuisances) {
    SCOPED_TRACE(nuisance.name);
    co_await each_answer(box, nuisance.instead, nuisance.expected);
  }
}
TEST(SmtpClientSession, puts_mail_off_where_a_host_ends_or_talks_nonsense) {
  LetterBox::run(each_nuisance);
}

// What the answer said may be shown, logged and sent on.
Task<void> is_printable(LetterBox& box) {
  std::vector<Step> said = steps(true);
  said[3].reply = "550-5.1.1 \x1b[31mred\r\n550 \xff\xfe\x7f " + std::string(3000, 'x') + "\r\n";
  const Visit::Outcome outcome = co_await visit(box, {small_letter()}, std::move(said));
  EXPECT_EQ(outcome.answers.size(), 1U);
  const std::string& answer = outcome.answers.at(0).at(0);
  EXPECT_TRUE(answer.starts_with("for good (RCPT) 550 5.1.1 ?[31mred ??? xxx")) << answer;
  EXPECT_LE(answer.size(), 1100U);
  EXPECT_TRUE(outcome.was_usable);
}
TEST(SmtpClientSession, keeps_of_an_answer_a_line_of_printable_ascii) {
  LetterBox::run(is_printable);
}

// --- gone while we send

Task<void> gone_at_each_octet(LetterBox& box) {
  Letter letter = small_letter();
  letter.recipients.push_back("y@next.test");
  for (const bool pipelining : {false, true}) {
    for (std::size_t octets = 0;; ++octets) {
      SCOPED_TRACE(testing::Message() << "gone when it had " << octets << " octets");
      Visit visit(box, {letter}, {});
      Scope scope;
      visit.stream().end_after_sent(octets);
      scope.start(host(visit.stream(), steps(pipelining)));
      visit.start();
      co_await visit.join();
      co_await scope.join();
      const Visit::Outcome& outcome = visit.outcome();
      EXPECT_TRUE(outcome.has_ended);
      if (outcome.opened != "ready") {
        EXPECT_EQ(outcome.opened, "for now (EHLO) 451 4.4.2 Connection lost after EHLO");
      } else if (visit.stream().octets_taken() < octets) {
        EXPECT_EQ(outcome.answers.at(0).at(0), "accepted (.) 250 taken");
        break;  // it had all
      } else {
        EXPECT_EQ(outcome.answers.at(0).size(), 2U);
        const std::string& answer = outcome.answers.at(0).at(1);
        const bool is_quit = outcome.was_usable;
        EXPECT_TRUE(is_quit ? answer == "accepted (.) 250 taken"
                            : answer.starts_with("for now (") &&
                                  answer.find("451 4.4.2 Connection lost") != std::string::npos)
            << answer;
      }
      if (testing::Test::HasFailure()) co_return;
    }
  }
}
TEST(SmtpClientSession, loses_nothing_to_a_host_that_goes_at_any_octet_it_is_sent) {
  LetterBox::run(gone_at_each_octet);
}

// The reason may be there although the rest could not be sent.
Task<void> last_words(LetterBox& box, std::string words, std::string expected) {
  Letter letter = small_letter();
  letter.content = std::string(200'000, 'x') + "\r\n";
  Visit visit(box, {letter}, {});
  visit.start();
  for (const Step& step : steps(false)) {
    if (!step.command.empty())
      static_cast<void>(co_await visit.stream().take_line(deadline_in(Seconds(10))));
    if (step.command == "DATA") break;
    visit.stream().feed(step.reply);
  }
  visit.stream().end_after_sent(10'000);
  visit.stream().feed("354 go on\r\n");
  visit.stream().feed(words);
  co_await visit.join();
  EXPECT_EQ(visit.outcome().answers, (std::vector<std::vector<std::string>>{{expected}}));
  EXPECT_FALSE(visit.outcome().was_usable);
}
TEST(SmtpClientSession, hears_why_a_host_ended_within_the_content) {
  const std::pair<std::string, std::string> rows[] = {
      {"552 5.3.4 too large\r\n", "for good (.) 552 5.3.4 too large"},
      {"451 4.3.0 later\r\n", "for now (.) 451 4.3.0 later"},
      {"250 taken\r\n", "for now (.) 451 4.4.2 Connection lost after content"},
      {"", "for now (.) 451 4.4.2 Connection lost after content"},
  };
  for (const auto& [words, expected] : rows) {
    SCOPED_TRACE(words);
    LetterBox::run([&](LetterBox& box) { return last_words(box, words, expected); });
  }
}

// --- content

// What DATA must carry for this content, by RFC 5321 4.5.2 and nothing else.
std::string as_data(std::string_view content) {
  std::string data;
  bool at_line_start = true;
  for (const char c : content) {
    if (at_line_start && c == '.') data += '.';
    data += c;
    at_line_start = c == '\n';
  }
  if (!at_line_start) data += "\r\n";
  return data + ".\r\n";
}

Task<std::string> data_of(LetterBox& box, Letter letter) {
  Visit visit(box, {letter}, {});
  visit.start();
  FakeStream& stream = visit.stream();
  for (const Step& step : steps(false)) {
    if (!step.command.empty())
      static_cast<void>(co_await stream.take_line(deadline_in(Seconds(10))));
    stream.feed(step.reply);
    if (step.command == "DATA") break;
  }
  const std::string expected = as_data(letter.content);
  while (stream.sent().size() < expected.size()) {
    const bool more = co_await stream.wait_until_sent(deadline_in(Seconds(10)));
    if (!more) break;
  }
  for (unsigned turn = 0; turn < 3; ++turn) co_await yield_turn();
  std::string data = stream.sent();
  stream.hang_up();
  co_await visit.join();
  co_return data;
}

Task<void> each_boundary(LetterBox& box) {
  const std::string_view contents[] = {
      ".\r\n..\r\n.x\r\n\r\n.\r\n", "a\r\n.\r\n.\r\n", ".", "no end", "x\r\n.",
  };
  for (const std::string_view content : contents) {
    for (std::size_t octets = 1; octets <= content.size(); ++octets) {
      Letter letter = small_letter();
      letter.content = content;
      letter.piece_octets = octets;
      const std::string data = co_await data_of(box, letter);
      EXPECT_EQ(data, as_data(content)) << octets << " octets a piece";
      if (testing::Test::HasFailure()) co_return;
    }
  }
}
TEST(SmtpClientSession, stuffs_dots_wherever_content_is_divided) { LetterBox::run(each_boundary); }

// Around the sizes where it is gathered, sent from where it lies, or stuffed piece by piece.
Task<void> sizes(LetterBox& box, bool dots) {
  for (const std::size_t size : {16'383U, 16'384U, 16'385U, 65'535U, 65'537U, 200'000U}) {
    for (const std::size_t piece : {0U, 10'000U, 50'000U}) {
      SCOPED_TRACE(testing::Message() << size << " octets in pieces of " << piece);
      Letter letter = small_letter();
      letter.content.clear();
      while (letter.content.size() + 80 < size)
        letter.content += (dots ? "." : "x") + std::string(70, 'y') + "\r\n";
      letter.content += std::string(size - letter.content.size() - 2, 'z') + "\r\n";
      letter.piece_octets = piece;
      const std::string data = co_await data_of(box, letter);
      EXPECT_TRUE(data == as_data(letter.content));
      if (testing::Test::HasFailure()) co_return;
    }
  }
}
TEST(SmtpClientSession, sends_content_of_any_size_as_it_is) {
  LetterBox::run([](LetterBox& box) { return sizes(box, false); });
}
TEST(SmtpClientSession, sends_content_of_any_size_with_its_dots_stuffed) {
  LetterBox::run([](LetterBox& box) { return sizes(box, true); });
}

// --- idle

Task<void> idle_ends(LetterBox& box) {
  static_cast<void>(box);
  for (const bool talks : {false, true}) {
    auto owned = std::make_unique<FakeStream>();
    FakeStream& stream = *owned;
    ClientSession session(std::move(owned), ClientOptions{"me.example.test", {}});
    EXPECT_TRUE(co_await session.idle(deadline_in(at_once))) << "nothing happened";
    session.wake();
    EXPECT_TRUE(co_await session.idle(deadline_in(never))) << "it was woken";
    if (talks) stream.feed("421 4.3.2 closing\r\n");
    if (!talks) stream.hang_up();
    EXPECT_FALSE(co_await session.idle(deadline_in(never)));
    EXPECT_FALSE(session.is_usable());
    co_await session.close();
    EXPECT_EQ(stream.sent(), "");
  }
}
TEST(SmtpClientSession, notices_that_an_idle_host_ends) { LetterBox::run(idle_ends); }

}  // namespace
}  // namespace kurir::smtp::test
