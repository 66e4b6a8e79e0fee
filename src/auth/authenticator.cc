#include "kurir/auth/authenticator.hh"

#include <algorithm>
#include <bit>

#include "kurir/coro/event.hh"
#include "kurir/directory/address.hh"
#include "kurir/io/bound_channel.hh"
#include "kurir/io/clock.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/base64.hh"
#include "kurir/wire/sasl.hh"

namespace kurir::auth {
namespace {

constexpr std::array<std::string_view, mechanisms_count> names = {"SCRAM-SHA-256-PLUS",
                                                                  "SCRAM-SHA-256",
                                                                  "SCRAM-SHA-1-PLUS",
                                                                  "SCRAM-SHA-1",
                                                                  "EXTERNAL",
                                                                  "OAUTHBEARER",
                                                                  "XOAUTH2",
                                                                  "PLAIN",
                                                                  "LOGIN"};

Outcome fault(Verdict verdict) {
  Outcome outcome;
  outcome.verdict = verdict;
  return outcome;
}

Verdict verdict_of(directory::LoginVerdict verdict) {
  switch (verdict) {
    case directory::LoginVerdict::accepted:
      return Verdict::accepted;
    case directory::LoginVerdict::refused:
      return Verdict::refused;
    case directory::LoginVerdict::unavailable:
      return Verdict::unavailable;
    case directory::LoginVerdict::put_off:
      return Verdict::put_off;
  }
  return Verdict::refused;
}

bool is_bound(Mechanism mechanism) {
  return mechanism == Mechanism::scram_sha_256_plus || mechanism == Mechanism::scram_sha_1_plus;
}

}  // namespace

std::string_view name_of(Mechanism mechanism) { return names[static_cast<std::size_t>(mechanism)]; }

std::optional<Mechanism> find_mechanism(std::string_view name) {
  for (std::size_t at = 0; at < names.size(); ++at)
    if (wire::equals_ignoring_case(name, names[at])) return static_cast<Mechanism>(at);
  return std::nullopt;
}

Authenticator::Authenticator(AuthenticatorOptions options, directory::Directory& directory,
                             LoginLimits& limits, TokenChecker* tokens, std::uint64_t secret)
    : options_(std::move(options)),
      directory_(directory),
      limits_(limits),
      tokens_(tokens),
      secret_(std::bit_cast<std::array<char, 8>>(secret)) {}

bool Authenticator::may_log_in(const io::Stream& stream) const {
  return stream.is_encrypted() || options_.allow_plaintext;
}

bool Authenticator::offers(Mechanism mechanism, const io::Stream& stream) const {
  if (!may_log_in(stream)) return false;
  const bool is_chosen =
      options_.mechanisms.empty() ||
      std::ranges::find(options_.mechanisms, mechanism) != options_.mechanisms.end();
  if (!is_chosen) return false;
  switch (mechanism) {
    case Mechanism::scram_sha_256_plus:
    case Mechanism::scram_sha_1_plus: {
      const ChannelBindings bindings = bindings_of(stream);
      return !bindings.exporter.empty() || !bindings.end_point.empty();
    }
    case Mechanism::oauthbearer:
    case Mechanism::xoauth2:
      return tokens_ != nullptr;
    case Mechanism::external:
      return !stream.peer_names().empty();
    default:
      return true;
  }
}

std::vector<std::string_view> Authenticator::offered(const io::Stream& stream) const {
  std::vector<std::string_view> all;
  for (std::size_t at = 0; at < names.size(); ++at)
    if (offers(static_cast<Mechanism>(at), stream)) all.push_back(names[at]);
  return all;
}

Task<Outcome> Authenticator::log_in(std::string user, std::string password,
                                    const io::Stream& stream) {
  Outcome outcome;
  const LoginLimits::Try attempt = limits_.begin(stream.peer(), user);
  const bool may_try = co_await wait_turn(attempt);
  if (!may_try) co_return fault(Verdict::put_off);
  // Others of the network may have failed while this one waited for the pool.
  const Instant begin = io::now();
  const directory::LoginOutcome checked = co_await directory_.log_in(
      std::move(user), std::move(password), [&] { return attempt.wait(begin) == Milliseconds(0); });
  outcome.verdict = verdict_of(checked.verdict);
  if (outcome.verdict == Verdict::refused) attempt.failed(io::now());
  if (outcome.verdict != Verdict::accepted) co_return outcome;
  attempt.succeeded(io::now());
  outcome.account = checked.account;
  outcome.address = checked.address;
  outcome.quota_octets = checked.quota_octets;
  co_return outcome;
}

// False: those who failed since it began to wait come first.
Task<bool> Authenticator::wait_turn(const LoginLimits::Try& attempt) {
  const Milliseconds wait = attempt.wait(io::now());
  if (wait == Milliseconds(0)) co_return true;
  co_await kurir::sleep_for(wait);
  co_return attempt.wait(io::now()) == Milliseconds(0);
}

Outcome Authenticator::outcome_for(std::string_view user) const {
  const Shared<const directory::Snapshot> users = directory_.pin();
  const std::optional<directory::Login> found = users->find_user(user);
  if (!found || found->account.disabled) return fault(Verdict::refused);
  Outcome outcome;
  outcome.verdict = Verdict::accepted;
  outcome.account = found->account.id;
  outcome.address = std::string(found->account.address);
  outcome.quota_octets = found->account.quota_octets;
  return outcome;
}

Task<Outcome> Authenticator::authenticate(Mechanism mechanism, std::optional<std::string> initial,
                                          const io::Stream& stream, Conversation& conversation) {
  Talk talk{stream, conversation, std::move(initial)};
  Outcome outcome;
  switch (mechanism) {
    case Mechanism::plain:
      outcome = co_await plain(talk);
      break;
    case Mechanism::login:
      outcome = co_await login(talk);
      break;
    case Mechanism::oauthbearer:
    case Mechanism::xoauth2:
      outcome = co_await bearer(talk, mechanism);
      break;
    case Mechanism::external:
      outcome = co_await external(talk);
      break;
    default:
      outcome = co_await scram(talk, mechanism);
      break;
  }
  co_return outcome;
}

Authenticator::Message Authenticator::decode(std::string_view line) {
  Message message;
  std::string room(wire::base64_decoded_octets_max(line.size()), '\0');
  const auto decoded = wire::decode_sasl(line, room);
  if (decoded) {
    message.octets = std::string(*decoded);
  } else {
    message.fault = decoded.error() == wire::SaslFault::cancelled  ? Verdict::cancelled
                    : decoded.error() == wire::SaslFault::too_long ? Verdict::too_long
                                                                   : Verdict::bad_base64;
  }
  return message;
}

Task<Authenticator::Message> Authenticator::first(Talk& talk, std::string_view challenge) {
  if (!talk.initial) {
    Message asked = co_await next(talk, challenge);
    co_return asked;
  }
  if (*talk.initial == "=") co_return Message();
  co_return decode(*talk.initial);
}

Task<Authenticator::Message> Authenticator::next(Talk& talk, std::string_view challenge) {
  const Conversation::Line line = co_await talk.conversation.ask(wire::encode_base64(challenge));
  Message message;
  if (line.state == Conversation::State::whole) message = decode(line.text);
  if (line.state == Conversation::State::too_long) message.fault = Verdict::too_long;
  if (line.state == Conversation::State::ended) message.fault = Verdict::ended;
  co_return message;
}

Task<Outcome> Authenticator::plain(Talk& talk) {
  const Message message = co_await first(talk, "");
  if (message.fault) co_return fault(*message.fault);
  const auto plain = wire::parse_sasl_plain(message.octets);
  if (!plain) co_return fault(Verdict::bad_message);
  // Acting for somebody else is for nobody here: it fails as a wrong password does.
  const bool for_other = !plain->authzid.empty() && plain->authzid != plain->authcid;
  if (for_other) co_return fault(Verdict::refused);
  Outcome outcome =
      co_await log_in(std::string(plain->authcid), std::string(plain->password), talk.stream);
  co_return outcome;
}

Task<Outcome> Authenticator::login(Talk& talk) {
  const Message user = co_await first(talk, "Username:");
  if (user.fault) co_return fault(*user.fault);
  const Message password = co_await next(talk, "Password:");
  if (password.fault) co_return fault(*password.fault);
  const bool sound = wire::check_sasl_login(user.octets) && wire::check_sasl_login(password.octets);
  if (!sound) co_return fault(Verdict::bad_message);
  Outcome outcome = co_await log_in(user.octets, password.octets, talk.stream);
  co_return outcome;
}

// The name is that of the certificate, which the client may say again. One that names several users
// needs it.
Task<Outcome> Authenticator::external(Talk& talk) {
  const Message wanted = co_await first(talk, "");
  if (wanted.fault) co_return fault(*wanted.fault);
  for (const std::string& name : talk.stream.peer_names()) {
    Outcome outcome = outcome_for(name);
    if (outcome.verdict != Verdict::accepted) continue;
    const bool is_wanted =
        wanted.octets.empty() || outcome_for(wanted.octets).account == outcome.account;
    if (is_wanted) co_return outcome;
  }
  limits_.begin(talk.stream.peer(), wanted.octets).failed(io::now());
  co_return fault(Verdict::refused);
}

ChannelBindings Authenticator::bindings_of(const io::Stream& stream) const {
  return {io::channel_binding(stream, io::ChannelBinding::exporter),
          io::channel_binding(stream, io::ChannelBinding::server_end_point)};
}

// A client learns nothing from it: it is as good as random, and the same at each try.
std::string Authenticator::salt_for(std::string_view user) const {
  const directory::Digest digest = directory::hmac_of(
      directory::ScramHash::sha_256, {secret_.data(), secret_.size()}, directory::lower_case(user));
  return std::string(digest.text().substr(0, directory::scram_salt_octets));
}

Task<Outcome> Authenticator::scram(Talk& talk, Mechanism mechanism) {
  using directory::ScramHash;
  const bool is_256 =
      mechanism == Mechanism::scram_sha_256_plus || mechanism == Mechanism::scram_sha_256;
  const ScramHash hash = is_256 ? ScramHash::sha_256 : ScramHash::sha_1;
  const Mechanism bound = is_256 ? Mechanism::scram_sha_256_plus : Mechanism::scram_sha_1_plus;
  ScramExchange exchange(hash, is_bound(mechanism), offers(bound, talk.stream),
                         bindings_of(talk.stream));
  const Message begin = co_await first(talk, "");
  if (begin.fault) co_return fault(*begin.fault);
  const auto asked = exchange.read_first(begin.octets);
  if (!asked)
    co_return fault(asked.error() == ScramFault::refused ? Verdict::refused : Verdict::bad_message);
  Outcome outcome = outcome_for(asked->user);
  const bool for_other = !asked->authorization.empty() && asked->authorization != asked->user;
  // Nobody's keys, which no proof fits, until there are the user's own.
  const std::string salt = salt_for(asked->user);
  const std::string nothing(directory::digest_octets(hash), '\0');
  directory::ScramKeys keys{directory::scram_iterations, salt, nothing, nothing};
  const Shared<const directory::Snapshot> users = directory_.pin();
  const std::optional<directory::Login> found = users->find_user(asked->user);
  const auto own = found ? directory::find_scram(found->scram, hash) : std::nullopt;
  const bool is_usable = own && outcome.verdict == Verdict::accepted && !for_other;
  if (is_usable) keys = *own;
  std::array<char, 18> random{};
  io::random_octets(random);
  const std::string nonce = wire::encode_base64({random.data(), random.size()});
  const std::string challenge = exchange.challenge(keys, nonce);
  const Message proof = co_await next(talk, challenge);
  if (proof.fault) co_return fault(*proof.fault);
  const LoginLimits::Try attempt = limits_.begin(talk.stream.peer(), asked->user);
  const bool may_try = co_await wait_turn(attempt);
  if (!may_try) co_return fault(Verdict::put_off);
  const auto proven = exchange.read_final(proof.octets);
  if (!proven && proven.error() == ScramFault::bad_message) co_return fault(Verdict::bad_message);
  if (!proven || !*proven || !is_usable) {
    attempt.failed(io::now());
    co_return fault(Verdict::refused);
  }
  attempt.succeeded(io::now());
  const Message thanks = co_await next(talk, exchange.final_message());
  if (thanks.fault) co_return fault(*thanks.fault);
  co_return outcome;
}

}  // namespace kurir::auth
