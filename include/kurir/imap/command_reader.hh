#pragma once
// CommandReader: assembles a command, with its literals, out of a stream's input
// (wire/imap_literal.hh says how). Bounded by limits::imap_command_octets_max, and by what was
// received: nothing is allocated by a number that a client announces (threats.md I1). Reads nothing
// from the network. Core-local.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "kurir/io/socket.hh"
#include "kurir/wire/imap_literal.hh"

namespace kurir::imap {

class CommandReader {
 public:
  enum class Found : std::uint8_t {
    incomplete,       // fill the stream and ask again
    whole,            // text() is a command
    continuation,     // the client waits for "+ " before it sends a literal: say it, ask again
    append,           // text() ends with the announcement of an APPEND's message, which comes next
    too_long,         // the line was thrown away to its end; text() is its begin
    endless,          // more than a line may have came without an end
    refused,          // a literal that is too big and was not sent
    refused_running,  // the same, and it is on its way: the connection cannot go on
    fault,            // the announcement of a literal is wrong: syntax() says how
    fault_running,    // the same, with octets on their way
  };

  explicit CommandReader(io::Stream& stream) : stream_(stream) {}

  Found next(bool logged_in);
  // One line with its line end behind an APPEND's message, or an answer in AUTHENTICATE or IDLE;
  // text() holds it. Found: whole, incomplete, too_long, endless.
  Found next_line();
  std::string_view text() const { return text_; }
  wire::ImapSyntax syntax() const { return syntax_; }
  // Whether a part of a command was read.
  bool has_begun() const { return !text_.empty() || discarding_; }
  // Lets go of the text: what it says has been done.
  void done();

 private:
  Found read_line();
  Found discard_line();
  Found judge(const wire::ImapLiteral& literal, bool logged_in);
  bool take_literal();

  io::Stream& stream_;
  std::string text_;
  std::size_t line_begin_ = 0;  // of the line being read, in text_
  std::uint64_t literal_left_ = 0;
  std::size_t literals_ = 0;
  std::size_t discarded_ = 0;
  std::string tail_;  // the last octets of a line that is thrown away
  bool discarding_ = false;
  wire::ImapSyntax syntax_{};
};

}  // namespace kurir::imap
