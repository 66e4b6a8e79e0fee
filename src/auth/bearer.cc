// OAUTHBEARER (RFC 7628) and XOAUTH2: a token of another authority's instead of a password.

#include "kurir/auth/authenticator.hh"
#include "kurir/io/clock.hh"
#include "kurir/wire/ascii.hh"

namespace kurir::auth {
namespace {

constexpr std::string_view scheme = "bearer ";
// RFC 7628 3.2.2; what Google's documents say of XOAUTH2 is the same.
constexpr std::string_view failure = R"({"status":"invalid_token","schemes":"bearer"})";

struct Bearer {
  std::string user, token;
};

bool take_pair(std::string_view& text, std::string_view& key, std::string_view& value) {
  const std::size_t end = text.find('\x01');
  const std::size_t equals = text.find('=');
  if (end == std::string_view::npos || equals == std::string_view::npos || equals > end)
    return false;
  key = text.substr(0, equals);
  value = text.substr(equals + 1, end - equals - 1);
  text.remove_prefix(end + 1);
  return true;
}

// pairs := *(key "=" value %x01) %x01
std::optional<std::string> token_of(std::string_view pairs) {
  std::string token;
  while (pairs != "\x01") {
    std::string_view key, value;
    if (!take_pair(pairs, key, value)) return std::nullopt;
    if (!wire::equals_ignoring_case(key, "auth")) continue;
    const bool is_bearer = value.size() > scheme.size() &&
                           wire::equals_ignoring_case(value.substr(0, scheme.size()), scheme);
    if (!is_bearer || !token.empty()) return std::nullopt;
    token = value.substr(scheme.size());
  }
  if (token.empty()) return std::nullopt;
  return token;
}

// OAUTHBEARER := gs2-header %x01 pairs; the header is "n," ["a=" user] ",".
std::optional<Bearer> parse_bearer(std::string_view message) {
  if (!message.starts_with("n,") && !message.starts_with("y,")) return std::nullopt;
  message.remove_prefix(2);
  const std::size_t comma = message.find(",\x01");
  if (comma == std::string_view::npos) return std::nullopt;
  Bearer bearer;
  const std::string_view user = message.substr(0, comma);
  if (!user.empty() && !user.starts_with("a=")) return std::nullopt;
  for (std::size_t at = 2; at < user.size(); ++at) {
    const bool is_escape = user.substr(at).starts_with("=2C") || user.substr(at).starts_with("=3D");
    if (user[at] == '=' && !is_escape) return std::nullopt;
    bearer.user += !is_escape ? user[at] : user[at + 1] == '2' ? ',' : '=';
    if (is_escape) at += 2;
  }
  const auto token = token_of(message.substr(comma + 2));
  if (!token) return std::nullopt;
  bearer.token = *token;
  return bearer;
}

// XOAUTH2 := "user=" user %x01 pairs
std::optional<Bearer> parse_xoauth2(std::string_view message) {
  std::string_view key, value;
  if (!take_pair(message, key, value) || key != "user" || value.empty()) return std::nullopt;
  const auto token = token_of(message);
  if (!token) return std::nullopt;
  return Bearer{std::string(value), *token};
}

}  // namespace

Task<Outcome> Authenticator::bearer(Talk& talk, Mechanism mechanism) {
  Outcome outcome;
  const Message message = co_await first(talk, "");
  if (message.fault) outcome.verdict = *message.fault;
  if (message.fault) co_return outcome;
  const auto asked = mechanism == Mechanism::oauthbearer ? parse_bearer(message.octets)
                                                         : parse_xoauth2(message.octets);
  if (!asked) outcome.verdict = Verdict::bad_message;
  if (!asked) co_return outcome;
  // Who leaves the name to the token fails for the own network only.
  const io::SocketAddress& peer = talk.stream.peer();
  const LoginLimits::Try attempt =
      limits_.begin(peer, asked->user.empty() ? peer.host() : asked->user);
  const bool may_try = co_await wait_turn(attempt);
  if (!may_try) outcome.verdict = Verdict::put_off;
  if (!may_try) co_return outcome;
  const TokenChecker::Checked checked = co_await tokens_->check(asked->token);
  if (checked.verdict == directory::LoginVerdict::unavailable) {
    outcome.verdict = Verdict::unavailable;
    co_return outcome;
  }
  if (checked.verdict == directory::LoginVerdict::accepted) {
    outcome = outcome_for(checked.user);
    // Whose name the client says must be whose token it is.
    const bool is_own = asked->user.empty() || outcome_for(asked->user).account == outcome.account;
    if (outcome.verdict == Verdict::accepted && is_own) {
      attempt.succeeded(io::now());
      co_return outcome;
    }
  }
  attempt.failed(io::now());
  // The client hears why, says that it did, and is refused (RFC 7628 3.2.3).
  const Message heard = co_await next(talk, failure);
  outcome = Outcome();
  if (heard.fault == Verdict::ended) outcome.verdict = Verdict::ended;
  co_return outcome;
}

}  // namespace kurir::auth
