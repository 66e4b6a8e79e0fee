#pragma once
// Rules: what a difficult peer does, and when. A rule as text:
//
//   STAGE [PERCENT%] ACTION
//
//   STAGE    CONNECT (or BANNER) HELLO (EHLO, HELO, LHLO) MAIL RCPT DATA END (.) RSET NOOP VRFY
//   QUIT;
//            END: behind the dot; BDAT LAST counts as END
//            STARTTLS; HANDSHAKE: before TLS begins, where a reply is said in plaintext: of 2yz,
//            TLS begins behind it all the same
//   ACTION   451 4.7.1 greylisted       this reply, whatever follows the code as its text; 421 ends
//                                       the connection
//            delay 200ms                waits first, then goes on to the next rule
//            delay 200ms+-100ms         evenly between 100 and 300 ms
//            delay 200ms exp            so long on average, exponentially; at most 20 times as long
//            delay 2s again 30%         2 s, and 2 s more for as long as a throw of 30% succeeds
//            disconnect                 without a word
//            disconnect after 2000      DATA: so many octets of content; CONNECT: of anything
//            silent                     never answers
//            read 1000                  reads so many octets a second from there on
//            pause 5s                   DATA: reads nothing for so long behind its 354
//            abort 5s                   DATA: says 354, reads nothing, then 550, and is gone
//
// Rules are asked in their order; the first that replies, disconnects, is silent or aborts decides,
// the others add up. A rule for a domain is asked where the recipient is of that domain: at RCPT;
// at DATA and END where the first recipient is (over LMTP, at END, each). Pure; any core.

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"

namespace kurir::sink {

enum class Stage : std::uint8_t {
  connect,
  hello,
  mail,
  rcpt,
  data,
  end,
  rset,
  noop,
  vrfy,
  quit,
  starttls,
  handshake
};
inline constexpr std::size_t stages_count = 12;

struct Rule {
  enum class Action : std::uint8_t { reply, delay, disconnect, cut, silent, read, pause, abort };
  enum class Spread : std::uint8_t { even, exponential, again };
  Stage stage = Stage::connect;
  Action action = Action::reply;
  double share = 1;        // 0 to 1
  std::string domain;      // lower-case; empty: any
  std::uint16_t code = 0;  // of a reply
  std::string reply;       // whole, without CRLF
  Nanoseconds delay{}, jitter{};
  Spread spread = Spread::even;
  double again = 0;          // 0 to 1
  std::uint64_t octets = 0;  // of cut: after so many; of read: a second

  // Whether nothing else is asked behind it.
  bool decides() const {
    return action == Action::reply || action == Action::disconnect || action == Action::silent ||
           action == Action::abort;
  }
};

// The error is a sentence for whoever wrote it.
std::expected<Rule, std::string> parse_rule(std::string_view text, std::string_view domain = {});
// CONNECT, banner, ".": as in a rule.
std::optional<Stage> parse_stage(std::string_view text);

// What to do at a stage: wait so long, then this.
struct Decision {
  Nanoseconds delay{}, pause{};
  const Rule* rule = nullptr;  // null: as a friendly server
  std::uint64_t cut_after = 0, octets_per_second = 0;
  bool cuts = false;
};

// Chance of one connection: the same seed gives the same answers. Core-local.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  double share() { return double(next() >> 11) * 0x1p-53; }  // 0 to 1, without 1

 private:
  std::uint64_t state_;
};

// Rules by stage, in their order.
class RuleBook {
 public:
  RuleBook() = default;
  explicit RuleBook(const std::vector<Rule>& rules);
  bool empty(Stage stage) const { return rules_[static_cast<std::size_t>(stage)].empty(); }
  // `domain` in any case; empty: not known.
  Decision decide(Stage stage, std::string_view domain, Chance& chance) const;

 private:
  std::array<std::vector<Rule>, stages_count> rules_;
};

// What the local part itself asks for, as KumoMTA's and mox's sinks know it:
//
//   451-later@  550-any@        that code, to RCPT or MAIL          (KumoMTA)
//   ...tempfail...  ...permfail...   400, 500, to RCPT or MAIL      (KumoMTA)
//   250-any@                    no rule is asked about it           (KumoMTA)
//   ...temperror  ...permerror  451, 550                            (mox)
//   450  x-450  x.450           that code                           (mox; "user450" is a name)
//   ...timeout  ...disconnect   no answer; the connection goes      (mox; ours)
//
// mox's answer behind the content, to RCPT where the local part begins with "rcptto", and of a
// sender's address, to MAIL, where it begins with "mailfrom".
enum class AddressRole : std::uint8_t { sender, recipient };
struct Asked {
  bool is_friend = false;  // 250-
  std::optional<Rule> rule;
};
Asked asked_by(std::string_view local_part, AddressRole role);

}  // namespace kurir::sink
