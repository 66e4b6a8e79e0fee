#include "kurir/imap/command_reader.hh"

#include <gtest/gtest.h>

#include <vector>

#include "kurir/base/limits.hh"
#include "support/fake_stream.hh"

namespace kurir::imap::test {
namespace {

using kurir::test::FakeStream;

using Found = CommandReader::Found;

struct Step {
  Found found;
  std::string text;
};

// Feeds the octets in pieces; gives what was found, but for incomplete.
std::vector<Step> read_in_pieces(std::string_view octets, std::size_t piece, bool logged_in) {
  FakeStream stream;
  CommandReader reader(stream);
  std::vector<Step> steps;
  while (!octets.empty()) {
    stream.feed(octets.substr(0, piece));
    octets.remove_prefix(std::min(piece, octets.size()));
    for (Found found = reader.next(logged_in); found != Found::incomplete;
         found = reader.next(logged_in)) {
      steps.push_back({found, std::string(reader.text())});
      if (found != Found::continuation) reader.done();
      if (found == Found::refused_running || found == Found::fault_running) return steps;
    }
  }
  return steps;
}

struct Case {
  std::string name;
  std::string octets;
  bool logged_in;
  std::vector<Step> expected;
};

const std::string long_line(70'000, 'x');

const Case cases[] = {
    {"line", "a NOOP\r\n", false, {{Found::whole, "a NOOP\r\n"}}},
    {"two",
     "a NOOP\r\nb NOOP\r\n",
     false,
     {{Found::whole, "a NOOP\r\n"}, {Found::whole, "b NOOP\r\n"}}},
    {"literal",
     "a LOGIN {3}\r\nbob {2+}\r\npw\r\n",
     false,
     {{Found::continuation, "a LOGIN {3}\r\n"},
      {Found::whole, "a LOGIN {3}\r\nbob {2+}\r\npw\r\n"}}},
    {"line end in a literal",
     "a LOGIN x {4+}\r\n\r\n\r\n\r\n",
     false,
     {{Found::whole, "a LOGIN x {4+}\r\n\r\n\r\n\r\n"}}},
    {"big literal asked for",
     "a LOGIN {5000}\r\nb NOOP\r\n",
     false,
     {{Found::refused, "a LOGIN {5000}\r\n"}, {Found::whole, "b NOOP\r\n"}}},
    {"big literal on its way",
     "a LOGIN {5000+}\r\nxxxx",
     false,
     {{Found::refused_running, "a LOGIN {5000+}\r\n"}}},
    {"number beyond all bounds",
     "a LOGIN {99999999999999999999}\r\n",
     false,
     {{Found::fault, "a LOGIN {99999999999999999999}\r\n"}}},
    {"number beyond all bounds on its way",
     "a LOGIN {99999999999999999999+}\r\n",
     false,
     {{Found::fault_running, "a LOGIN {99999999999999999999+}\r\n"}}},
    {"append",
     "a APPEND INBOX {500000}\r\n",
     true,
     {{Found::append, "a APPEND INBOX {500000}\r\n"}}},
    {"append before login",
     "a APPEND INBOX {500000}\r\n",
     false,
     {{Found::refused, "a APPEND INBOX {500000}\r\n"}}},
    {"append to a literal's name",
     "a APPEND {5+}\r\nINBOX {9}\r\n",
     true,
     {{Found::append, "a APPEND {5+}\r\nINBOX {9}\r\n"}}},
    {"too long",
     "a " + long_line + "\r\nb NOOP\r\n",
     false,
     {{Found::too_long, ("a " + long_line).substr(0, limits::imap_command_octets_max)},
      {Found::whole, "b NOOP\r\n"}}},
    {"too long with octets behind",
     "a " + long_line + " {9+}\r\nb NOOP\r\n",
     false,
     {{Found::refused_running, ("a " + long_line).substr(0, limits::imap_command_octets_max)}}},
    {"endless",
     "a " + std::string(1'200'000, '('),
     false,
     {{Found::endless, "a " + std::string(limits::imap_command_octets_max - 2, '(')}}},
};

TEST(CommandReader, assembles_commands_however_they_come) {
  for (const Case& one : cases) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, one.octets.size()}) {
      SCOPED_TRACE(one.name + " in pieces of " + std::to_string(piece));
      std::vector<Step> steps = read_in_pieces(one.octets, piece, one.logged_in);
      // It goes on being endless; the session ends at the first.
      if (!steps.empty() && steps[0].found == Found::endless) steps.resize(1);
      ASSERT_EQ(steps.size(), one.expected.size());
      for (std::size_t index = 0; index < steps.size(); ++index) {
        EXPECT_EQ(steps[index].found, one.expected[index].found);
        EXPECT_EQ(steps[index].text, one.expected[index].text);
      }
    }
  }
}

TEST(CommandReader, holds_no_more_than_came) {
  FakeStream stream;
  CommandReader reader(stream);
  stream.feed("a LOGIN {4096}\r\n");
  EXPECT_EQ(reader.next(false), Found::continuation);
  EXPECT_EQ(reader.text().size(), 16U);
}

}  // namespace
}  // namespace kurir::imap::test
