#include "kurir/directory/scram_keys.hh"

#include <gsasl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include <charconv>
#include <cstdlib>

#include "kurir/base/assert.hh"
#include "kurir/directory/password.hh"
#include "kurir/wire/base64.hh"

namespace kurir::directory {
namespace {

// Packed: for each hash, its number, the salt's length, the iterations (4 octets, the low one
// first), the salt, the stored key, the server key.
constexpr std::size_t packed_head_octets = 6;
constexpr ScramHash hashes[] = {ScramHash::sha_256, ScramHash::sha_1};

const EVP_MD* function_of(ScramHash hash) {
  return hash == ScramHash::sha_1 ? EVP_sha1() : EVP_sha256();
}

std::string_view name_of(ScramHash hash) {
  return hash == ScramHash::sha_1 ? "SCRAM-SHA-1" : "SCRAM-SHA-256";
}

const unsigned char* octets_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// The password as both sides put it into PBKDF2; emptied when done.
class Prepared {
 public:
  explicit Prepared(std::string_view password) {
    const std::string text(password);
    char* prepared = nullptr;
    int reason = 0;
    if (gsasl_saslprep(text.c_str(), GSASL_ALLOW_UNASSIGNED, &prepared, &reason) == GSASL_OK)
      text_ = prepared;
    if (prepared != nullptr) explicit_bzero(prepared, strlen(prepared));
    std::free(prepared);
  }
  ~Prepared() { explicit_bzero(text_.data(), text_.size()); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string text_of(ScramHash hash, std::string_view password, std::string_view salt) {
  Digest salted;
  salted.length = digest_octets(hash);
  const int done = PKCS5_PBKDF2_HMAC(
      password.data(), static_cast<int>(password.size()), octets_of(salt),
      static_cast<int>(salt.size()), static_cast<int>(scram_iterations), function_of(hash),
      static_cast<int>(salted.length), reinterpret_cast<unsigned char*>(salted.octets.data()));
  KURIR_ASSERT(done == 1);
  const Digest client_key = hmac_of(hash, salted.text(), "Client Key");
  const Digest server_key = hmac_of(hash, salted.text(), "Server Key");
  explicit_bzero(salted.octets.data(), salted.octets.size());
  std::string text(name_of(hash));
  text += '$';
  text += std::to_string(scram_iterations);
  text += ':';
  wire::append_base64(text, salt);
  text += '$';
  wire::append_base64(text, digest_of(hash, client_key.text()).text());
  text += ':';
  wire::append_base64(text, server_key.text());
  return text;
}

// Takes what stands before the mark, and the mark.
std::optional<std::string_view> take_until(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at + 1);
  return taken;
}

std::optional<std::uint32_t> iterations_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || number == 0 || number > scram_iterations_max) return std::nullopt;
  return number;
}

// One "NAME$ITERATIONS:SALT$STORED:SERVER".
bool pack_one(std::string_view text, std::string& packed) {
  const auto name = take_until(text, '$');
  const auto iterations = take_until(text, ':');
  const auto salt = take_until(text, '$');
  const auto stored = take_until(text, ':');
  if (!stored) return false;
  for (const ScramHash hash : hashes) {
    if (*name != name_of(hash)) continue;
    const auto count = iterations_of(*iterations);
    const auto salt_octets = wire::decode_base64(*salt);
    const auto stored_key = wire::decode_base64(*stored);
    const auto server_key = wire::decode_base64(text);
    const std::size_t length = digest_octets(hash);
    const bool sound = count && salt_octets && stored_key && server_key && !salt_octets->empty() &&
                       salt_octets->size() <= scram_salt_octets_max &&
                       stored_key->size() == length && server_key->size() == length;
    if (!sound || find_scram(packed, hash)) return false;
    packed += static_cast<char>(hash);
    packed += static_cast<char>(salt_octets->size());
    for (unsigned shift = 0; shift < 32; shift += 8) packed += static_cast<char>(*count >> shift);
    packed += *salt_octets + *stored_key + *server_key;
    return true;
  }
  return false;
}

}  // namespace

Digest digest_of(ScramHash hash, std::string_view octets) {
  Digest digest;
  unsigned length = 0;
  const int done = EVP_Digest(octets.data(), octets.size(),
                              reinterpret_cast<unsigned char*>(digest.octets.data()), &length,
                              function_of(hash), nullptr);
  KURIR_ASSERT(done == 1);
  digest.length = length;
  return digest;
}

Digest hmac_of(ScramHash hash, std::string_view key, std::string_view octets) {
  Digest digest;
  unsigned length = 0;
  const unsigned char* done =
      HMAC(function_of(hash), key.data(), static_cast<int>(key.size()), octets_of(octets),
           octets.size(), reinterpret_cast<unsigned char*>(digest.octets.data()), &length);
  KURIR_ASSERT(done != nullptr);
  digest.length = length;
  return digest;
}

Result<std::string> make_scram_text(std::string_view password, std::string_view entropy) {
  const bool usable = is_password(password) && entropy.size() >= scram_salt_octets;
  if (!usable) return fail(Errc::invalid, Origin::directory);
  const Prepared prepared(password);
  if (prepared.text().empty()) return fail(Errc::invalid, Origin::directory);
  const std::string_view salt = entropy.substr(0, scram_salt_octets);
  std::string text;
  for (const ScramHash hash : hashes) {
    if (!text.empty()) text += ' ';
    text += text_of(hash, prepared.text(), salt);
  }
  return text;
}

std::optional<std::string> pack_scram(std::string_view text) {
  std::string packed;
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    const bool ends_in_space = end != std::string_view::npos && end + 1 == text.size();
    if (ends_in_space || !pack_one(text.substr(0, end), packed)) return std::nullopt;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return packed;
}

std::optional<ScramKeys> find_scram(std::string_view packed, ScramHash hash) {
  while (packed.size() > packed_head_octets) {
    const auto packed_hash = static_cast<ScramHash>(packed[0]);
    const std::size_t salt = static_cast<unsigned char>(packed[1]);
    const std::size_t digest = digest_octets(packed_hash);
    const std::size_t octets = packed_head_octets + salt + 2 * digest;
    KURIR_ASSERT(octets <= packed.size());
    if (packed_hash == hash) {
      ScramKeys keys;
      for (std::size_t at = 0; at < 4; ++at)
        keys.iterations |= std::uint32_t{static_cast<unsigned char>(packed[2 + at])} << (8 * at);
      keys.salt = packed.substr(packed_head_octets, salt);
      keys.stored_key = packed.substr(packed_head_octets + salt, digest);
      keys.server_key = packed.substr(packed_head_octets + salt + digest, digest);
      return keys;
    }
    packed.remove_prefix(octets);
  }
  return std::nullopt;
}

}  // namespace kurir::directory
