#include "kurir/auth/scram_exchange.hh"

#include <algorithm>

#include "kurir/directory/password.hh"
#include "kurir/wire/base64.hh"

namespace kurir::auth {
namespace {

constexpr std::size_t name_octets_max = 512;
constexpr std::size_t nonce_octets_max = 256;

std::unexpected<ScramFault> bad() { return std::unexpected(ScramFault::bad_message); }

// Takes what stands before the comma, and the comma.
std::optional<std::string_view> take(std::string_view& text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const std::string_view taken = text.substr(0, comma);
  text.remove_prefix(comma + 1);
  return taken;
}

// saslname = 1*(value-safe-char / "=2C" / "=3D")
std::optional<std::string> decode_name(std::string_view text) {
  std::string name;
  if (text.empty() || text.size() > name_octets_max) return std::nullopt;
  while (!text.empty()) {
    const bool is_escape = text.front() == '=';
    if (is_escape && !text.starts_with("=2C") && !text.starts_with("=3D")) return std::nullopt;
    if (text.front() == '\0') return std::nullopt;
    name += !is_escape ? text.front() : text[1] == '2' ? ',' : '=';
    text.remove_prefix(is_escape ? 3 : 1);
  }
  return name;
}

bool is_nonce(std::string_view text) {
  return !text.empty() && text.size() <= nonce_octets_max &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~' && c != ','; });
}

// attr-val = ALPHA "=" value; an extension that nobody needs to know (RFC 5802 5.1).
bool are_extensions(std::string_view text) {
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view one = text.substr(0, comma);
    const bool sound = one.size() >= 3 && one[1] == '=' && one.find('\0') == one.npos &&
                       ((one[0] | 0x20) >= 'a' && (one[0] | 0x20) <= 'z') && one[0] != 'm';
    if (!sound) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
    if (text.empty()) return false;
  }
  return true;
}

}  // namespace

ScramExchange::ScramExchange(directory::ScramHash hash, bool is_bound, bool offers_bound,
                             ChannelBindings bindings)
    : hash_(hash),
      is_bound_(is_bound),
      offers_bound_(offers_bound),
      bindings_(std::move(bindings)) {}

// gs2-header = ("p=" cb-name / "n" / "y") "," ["a=" saslname] ","
std::expected<void, ScramFault> ScramExchange::read_header(std::string_view& message) {
  const std::string_view whole = message;
  const auto flag = take(message);
  const auto authorization = take(message);
  if (!flag || !authorization) return bad();
  header_ = whole.substr(0, whole.size() - message.size());
  if (!authorization->empty()) {
    if (!authorization->starts_with("a=")) return bad();
    const auto name = decode_name(authorization->substr(2));
    if (!name) return bad();
    authorization_ = *name;
  }
  if (flag->starts_with("p=")) {
    if (!is_bound_) return bad();
    if (*flag == "p=tls-exporter") binding_ = bindings_.exporter;
    if (*flag == "p=tls-server-end-point") binding_ = bindings_.end_point;
    if (binding_.empty()) return std::unexpected(ScramFault::refused);
    return {};
  }
  if (*flag != "n" && *flag != "y") return bad();
  // "y": the client could, and was told that we cannot. Who told it so is between us.
  const bool is_downgrade = is_bound_ || (*flag == "y" && offers_bound_);
  if (is_downgrade) return std::unexpected(ScramFault::refused);
  return {};
}

// client-first-message-bare = username "," nonce ["," extensions]; "m=" first is not for us.
std::expected<ScramExchange::First, ScramFault> ScramExchange::read_first(
    std::string_view message) {
  const auto header = read_header(message);
  if (!header) return std::unexpected(header.error());
  transcript_ = message;
  const auto user = take(message);
  if (!user || !user->starts_with("n=")) return bad();
  const auto name = decode_name(user->substr(2));
  const std::size_t end = message.find(',');
  const std::string_view nonce = message.substr(0, end);
  if (!name || !nonce.starts_with("r=") || !is_nonce(nonce.substr(2))) return bad();
  if (end != std::string_view::npos && !are_extensions(message.substr(end + 1))) return bad();
  if (end != std::string_view::npos && end + 1 == message.size()) return bad();
  client_nonce_ = nonce.substr(2);
  return First{*name, authorization_};
}

std::string ScramExchange::challenge(const directory::ScramKeys& keys, std::string_view nonce) {
  stored_key_ = keys.stored_key;
  server_key_ = keys.server_key;
  nonce_ = client_nonce_ + std::string(nonce);
  std::string message = "r=" + nonce_ + ",s=" + wire::encode_base64(keys.salt) +
                        ",i=" + std::to_string(keys.iterations);
  transcript_ += ',' + message + ',';
  return message;
}

// channel-binding "," nonce ["," extensions] "," proof
std::expected<bool, ScramFault> ScramExchange::read_final(std::string_view message) {
  const std::size_t proof_at = message.rfind(",p=");
  if (proof_at == std::string_view::npos) return bad();
  const auto proof = wire::decode_base64(message.substr(proof_at + 3));
  std::string_view rest = message.substr(0, proof_at);
  transcript_ += rest;
  const std::size_t comma = rest.find(',');
  if (!proof || comma == std::string_view::npos || !rest.starts_with("c=")) return bad();
  const auto seen = wire::decode_base64(rest.substr(2, comma - 2));
  rest.remove_prefix(comma + 1);
  const std::size_t end = rest.find(',');
  const std::string_view nonce = rest.substr(0, end);
  const bool has_more = end != std::string_view::npos;
  if (has_more && (end + 1 == rest.size() || !are_extensions(rest.substr(end + 1)))) return bad();
  if (!seen || !nonce.starts_with("r=")) return bad();
  const std::size_t length = directory::digest_octets(hash_);
  if (proof->size() != length || stored_key_.size() != length) return bad();
  if (nonce.substr(2) != nonce_) return std::unexpected(ScramFault::refused);
  if (!directory::equal_in_constant_time(*seen, header_ + binding_))
    return std::unexpected(ScramFault::refused);
  // ClientKey = ClientProof XOR HMAC(StoredKey, AuthMessage), and its hash is the stored key.
  const directory::Digest signature = directory::hmac_of(hash_, stored_key_, transcript_);
  std::string client_key = *proof;
  for (std::size_t at = 0; at < length; ++at)
    client_key[at] = static_cast<char>(client_key[at] ^ signature.octets[at]);
  const directory::Digest stored = directory::digest_of(hash_, client_key);
  if (!directory::equal_in_constant_time(stored.text(), stored_key_)) return false;
  final_ = "v=" + wire::encode_base64(directory::hmac_of(hash_, server_key_, transcript_).text());
  return true;
}

}  // namespace kurir::auth
