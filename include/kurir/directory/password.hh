#pragma once
// Password hashes by libxcrypt (crypt(5)): yescrypt for new ones, whatever crypt knows for those
// brought along. Slow by purpose (tens of milliseconds) and blocking: runs on the offload pool or
// in the command line. Any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kurir/base/limits.hh"
#include "kurir/base/result.hh"

namespace kurir::directory {

// 1 to limits::password_octets_max octets without NUL. Nothing else is ever hashed.
bool is_password(std::string_view password);

// Octets of entropy that hash_password needs for the salt.
inline constexpr std::size_t salt_entropy_octets = 16;

// "$y$...". Errc::invalid: not a password, or too little entropy.
Result<std::string> hash_password(std::string_view password, std::string_view entropy);

// Does crypt know how to check this hash? An empty one is none.
bool is_password_hash(std::string_view hash);

enum class PasswordCheck : std::uint8_t { match, mismatch };

// The time tells nothing but whether they are of one length.
bool equal_in_constant_time(std::string_view a, std::string_view b);

// The time does not tell whether the user exists: for nullopt (no such user, a disabled one, or one
// without a hash) a dummy hash of the same cost is worked out, and the answer is mismatch
// (threats.md C4). Errc::exhausted: no memory for the work.
Result<PasswordCheck> check_password(std::string_view password,
                                     std::optional<std::string_view> stored_hash);

}  // namespace kurir::directory
