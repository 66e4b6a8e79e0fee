#pragma once
// Authenticator: logins for all protocols: which SASL mechanisms (RFC 4422) a connection may use,
// and their exchanges. A protocol brings only the way a challenge and an answer travel. Passwords
// are hashed on the offload pool; guessing is slowed down by LoginLimits. Nothing here logs.
// Core-local.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/auth/login_limits.hh"
#include "kurir/auth/scram_exchange.hh"
#include "kurir/coro/task.hh"
#include "kurir/directory/directory.hh"
#include "kurir/io/socket.hh"

namespace kurir::auth {

enum class Mechanism : std::uint8_t {  // the strongest first, as they are offered
  scram_sha_256_plus,                  // RFC 7677
  scram_sha_256,
  scram_sha_1_plus,  // RFC 5802
  scram_sha_1,
  external,     // RFC 4422 appendix A: a client's certificate
  oauthbearer,  // RFC 7628
  xoauth2,
  plain,  // RFC 4616
  login,
};
inline constexpr std::size_t mechanisms_count = 9;
inline constexpr std::array<Mechanism, mechanisms_count> all_mechanisms = {
    Mechanism::scram_sha_256_plus,
    Mechanism::scram_sha_256,
    Mechanism::scram_sha_1_plus,
    Mechanism::scram_sha_1,
    Mechanism::external,
    Mechanism::oauthbearer,
    Mechanism::xoauth2,
    Mechanism::plain,
    Mechanism::login};
std::string_view name_of(Mechanism mechanism);
std::optional<Mechanism> find_mechanism(std::string_view name);  // in any case

// Who a token is for, or why it is none. Core-local.
class TokenChecker {
 public:
  virtual ~TokenChecker() = default;
  struct Checked {
    directory::LoginVerdict verdict = directory::LoginVerdict::refused;
    std::string user;
  };
  virtual Task<Checked> check(std::string token) = 0;
};

struct AuthenticatorOptions {
  std::vector<Mechanism> mechanisms;  // empty: all that can be
  bool allow_plaintext = false;       // without TLS
};

enum class Verdict : std::uint8_t {
  accepted,
  refused,      // unknown user, wrong password, disabled, somebody else's name: never said which
  unavailable,  // the password cannot be checked now
  put_off,      // too many failed before: not looked at
  cancelled,    // "*"
  bad_base64,
  too_long,
  bad_message,  // not what the mechanism says; not counted as a wrong password
  ended,        // the connection did
};

struct Outcome {
  Verdict verdict = Verdict::refused;
  AccountId account;
  std::string address;  // canonical
  std::uint64_t quota_octets = 0;
};

// How a session brings a challenge to its client. Both are base64.
class Conversation {
 public:
  enum class State : std::uint8_t { whole, too_long, ended };
  struct Line {
    State state = State::ended;
    std::string text;  // without its end
  };
  virtual Task<Line> ask(std::string challenge) = 0;

 protected:
  ~Conversation() = default;
};

class Authenticator {
 public:
  // `secret` makes the salts of those who have none; the same for all cores and starts. All outlive
  // it; no tokens: null.
  Authenticator(AuthenticatorOptions options, directory::Directory& directory, LoginLimits& limits,
                TokenChecker* tokens, std::uint64_t secret);

  // May a password pass over this connection at all?
  bool may_log_in(const io::Stream& stream) const;
  bool offers(Mechanism mechanism, const io::Stream& stream) const;
  std::vector<std::string_view> offered(const io::Stream& stream) const;

  // For USER and PASS, and for LOGIN of IMAP.
  Task<Outcome> log_in(std::string user, std::string password, const io::Stream& stream);
  // A mechanism that is offered. `initial`: as the client wrote it, "=" for one of no octets.
  Task<Outcome> authenticate(Mechanism mechanism, std::optional<std::string> initial,
                             const io::Stream& stream, Conversation& conversation);

 private:
  // The client's next message, decoded.
  struct Message {
    std::optional<Verdict> fault;
    std::string octets;
  };
  struct Talk {
    const io::Stream& stream;
    Conversation& conversation;
    std::optional<std::string> initial;
  };
  static Message decode(std::string_view line);
  static Task<Message> first(Talk& talk, std::string_view challenge);
  static Task<Message> next(Talk& talk, std::string_view challenge);

  Task<Outcome> plain(Talk& talk);
  Task<Outcome> login(Talk& talk);
  Task<Outcome> scram(Talk& talk, Mechanism mechanism);
  Task<Outcome> bearer(Talk& talk, Mechanism mechanism);
  Task<Outcome> external(Talk& talk);
  Outcome outcome_for(std::string_view user) const;
  static Task<bool> wait_turn(const LoginLimits::Try& attempt);
  ChannelBindings bindings_of(const io::Stream& stream) const;
  std::string salt_for(std::string_view user) const;

  const AuthenticatorOptions options_;
  directory::Directory& directory_;
  LoginLimits& limits_;
  TokenChecker* tokens_;
  const std::array<char, 8> secret_;
};

}  // namespace kurir::auth
