#pragma once
// Rules: what a difficult peer does, and when. A rule as text:
//
//   STAGE [PERCENT%] ACTION
//
//   STAGE    CONNECT HELLO MAIL RCPT DATA END QUIT   (END: behind the dot; BDAT LAST counts as END)
//   ACTION   451 4.7.1 greylisted       this reply, whatever follows the code as its text
//            delay 200ms                waits first, then goes on to the next rule
//            delay 200ms+-100ms         evenly between 100 and 300 ms
//            disconnect                 without a word
//            silent                     never answers
//
// Rules are asked in their order; the first that does not only delay decides. A rule for a domain
// is asked where the recipient is of that domain. Pure; any core.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"

namespace kurir::sink {

enum class Stage : std::uint8_t { connect, hello, mail, rcpt, data, end, quit };

struct Rule {
  enum class Action : std::uint8_t { reply, delay, disconnect, silent };
  Stage stage = Stage::connect;
  Action action = Action::reply;
  double share = 1;        // 0 to 1
  std::string domain;      // empty: any
  std::uint16_t code = 0;  // of a reply
  std::string reply;       // whole, without CRLF
  Nanoseconds delay{}, jitter{};
};

// The error is a sentence for whoever wrote it.
std::expected<Rule, std::string> parse_rule(std::string_view text, std::string_view domain = {});

// What to do at a stage: wait so long, then this.
struct Decision {
  Nanoseconds delay{};
  const Rule* rule = nullptr;  // null: as a friendly server
};

// Chance of one core: the same seed gives the same answers. Core-local.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  double share() { return double(next() >> 11) * 0x1p-53; }  // 0 to 1, without 1

 private:
  std::uint64_t state_;
};

Decision decide(const std::vector<Rule>& rules, Stage stage, std::string_view domain,
                Chance& chance);

// What the local part itself asks for, as mox and KumoMTA know it: "451-later@", "550-any@",
// "timeout@", "disconnect@".
std::optional<Rule> rule_of_local_part(std::string_view local_part);

}  // namespace kurir::sink
