#pragma once
// What a verb answers: the tagged line, and whether the session goes on behind it. Private to
// imap/.

#include <cstdint>
#include <string>
#include <utility>

#include "kurir/base/result.hh"
#include "kurir/wire/imap_response.hh"

namespace kurir::imap {

enum class Then : std::uint8_t {
  go_on,
  end,   // after the tagged line the connection is closed
  drop,  // the connection is gone: there is nobody to answer
};

struct Reply {
  wire::ImapCondition condition = wire::ImapCondition::ok;
  std::string code;
  std::string text;
  Then then = Then::go_on;
};

inline Reply ok(std::string text, std::string code = {}) {
  return {wire::ImapCondition::ok, std::move(code), std::move(text)};
}
inline Reply no(std::string_view code, std::string text) {
  return {wire::ImapCondition::no, std::string(code), std::move(text)};
}
inline Reply bad(std::string text) { return {wire::ImapCondition::bad, {}, std::move(text)}; }
inline Reply dropped() { return {.then = Then::drop}; }

// The world failing, as the client hears it. subject: "The mailbox", "The message".
Reply refusal(const Error& error, std::string_view subject);

}  // namespace kurir::imap
