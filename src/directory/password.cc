#include "kurir/directory/password.hh"

#include <crypt.h>
#include <string.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "kurir/base/assert.hh"

namespace kurir::directory {
namespace {

constexpr const char* scheme = "$y$";
constexpr std::size_t hash_octets_min = 26;  // of the shortest scheme: "$1$$" and 22 of digest
// Of yescrypt's default cost, like the hashes that we make; of no password.
constexpr std::string_view dummy_hash =
    "$y$j9T$.0EUaljVrF4VzNpiRKm9q/$.....................0........................";

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

// The work area of crypt_ra: freed, and emptied of the password first.
class CryptMemory {
 public:
  CryptMemory() = default;
  CryptMemory(const CryptMemory&) = delete;
  CryptMemory& operator=(const CryptMemory&) = delete;
  ~CryptMemory() {
    if (memory_ != nullptr) explicit_bzero(memory_, static_cast<std::size_t>(octets_));
    std::free(memory_);
  }
  // A view of the work area; nullopt with errno.
  std::optional<std::string_view> crypt(const std::string& password, const std::string& setting) {
    const char* hashed = crypt_ra(password.c_str(), setting.c_str(), &memory_, &octets_);
    if (hashed == nullptr) return std::nullopt;
    return hashed;
  }

 private:
  void* memory_ = nullptr;
  int octets_ = 0;
};

// A copy with an end that crypt wants, emptied when done.
struct PasswordCopy {
  explicit PasswordCopy(std::string_view password) : text(password) {}
  ~PasswordCopy() { explicit_bzero(text.data(), text.size()); }
  PasswordCopy(const PasswordCopy&) = delete;
  PasswordCopy& operator=(const PasswordCopy&) = delete;
  std::string text;
};

Error crypt_error() {
  const Errc code = errno == ENOMEM ? Errc::exhausted : Errc::invalid;
  return {code, Origin::library, errno};
}

}  // namespace

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;  // the length of a hash is no secret
  unsigned difference = 0;
  for (std::size_t at = 0; at < a.size(); ++at)
    difference |= static_cast<unsigned char>(a[at]) ^ static_cast<unsigned char>(b[at]);
  return difference == 0;
}

bool is_password(std::string_view password) {
  return !password.empty() && password.size() <= limits::password_octets_max &&
         password.find('\0') == std::string_view::npos;
}

Result<std::string> hash_password(std::string_view password, std::string_view entropy) {
  if (!is_password(password) || entropy.size() < salt_entropy_octets)
    return fail(Errc::invalid, Origin::directory);
  const std::unique_ptr<char, Free> setting(
      crypt_gensalt_ra(scheme, 0, entropy.data(), static_cast<int>(entropy.size())));
  if (setting == nullptr) return std::unexpected(crypt_error());
  const PasswordCopy copy(password);
  CryptMemory memory;
  const auto hashed = memory.crypt(copy.text, setting.get());
  if (!hashed) return std::unexpected(crypt_error());
  return std::string(*hashed);
}

bool is_password_hash(std::string_view hash) {
  // "$scheme$...$digest": not the DES of old, which any text of two letters looks like.
  if (!hash.starts_with('$') || std::ranges::count(hash, '$') < 3) return false;
  if (hash.size() < hash_octets_min || hash.size() >= CRYPT_OUTPUT_SIZE) return false;
  for (const char c : hash)
    if (c <= ' ' || c > '~' || c == ':') return false;
  const int known = crypt_checksalt(std::string(hash).c_str());
  return known == CRYPT_SALT_OK || known == CRYPT_SALT_METHOD_LEGACY ||
         known == CRYPT_SALT_TOO_CHEAP;
}

Result<PasswordCheck> check_password(std::string_view password,
                                     std::optional<std::string_view> stored_hash) {
  if (!is_password(password)) return PasswordCheck::mismatch;
  const bool known = stored_hash.has_value() && is_password_hash(*stored_hash);
  const std::string setting(known ? *stored_hash : dummy_hash);
  const PasswordCopy copy(password);
  CryptMemory memory;
  const auto hashed = memory.crypt(copy.text, setting);
  if (!hashed && errno == ENOMEM) return std::unexpected(crypt_error());
  const bool match = hashed && equal_in_constant_time(*hashed, setting);
  return known && match ? PasswordCheck::match : PasswordCheck::mismatch;
}

}  // namespace kurir::directory
