#pragma once
// What a server keeps of a password for SCRAM (RFC 5802 3, RFC 7677): keys that check a proof and
// are no password themselves. Made slowly (PBKDF2) where a password is set, on the offload pool or
// in the command line; used on the cores for the price of some HMACs.
//
// As text, as administrators and other servers write it: "SCRAM-SHA-256$4096:SALT$STORED:SERVER"
// in base64; several, for several hashes, with a space between them. Packed, as a Snapshot holds
// it: octets, a third as many. Pure; any thread.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kurir/base/result.hh"

namespace kurir::directory {

enum class ScramHash : std::uint8_t { sha_1, sha_256 };

constexpr std::size_t digest_octets(ScramHash hash) { return hash == ScramHash::sha_1 ? 20 : 32; }
inline constexpr std::size_t scram_digest_octets_max = 32;
// RFC 7677 4 asks for at least 4096; a client has to do them at each login.
inline constexpr std::uint32_t scram_iterations = 4096;
inline constexpr std::uint32_t scram_iterations_max = 1'000'000;
inline constexpr std::size_t scram_salt_octets = 16;
inline constexpr std::size_t scram_salt_octets_max = 64;

// Views of what was packed.
struct ScramKeys {
  std::uint32_t iterations = 0;
  std::string_view salt, stored_key, server_key;
};

// For each hash, in the text form; the password is prepared first (SASLprep, RFC 4013). Errc::
// invalid: it has a letter that may not stand in a password, or too little entropy came with it.
Result<std::string> make_scram_text(std::string_view password, std::string_view entropy);

// Checks the text form; nullopt where it is none. An empty text is one without keys.
std::optional<std::string> pack_scram(std::string_view text);
std::optional<ScramKeys> find_scram(std::string_view packed, ScramHash hash);

// Of at most scram_digest_octets_max octets.
struct Digest {
  std::array<char, scram_digest_octets_max> octets{};
  std::size_t length = 0;
  std::string_view text() const { return {octets.data(), length}; }
};
Digest digest_of(ScramHash hash, std::string_view octets);
Digest hmac_of(ScramHash hash, std::string_view key, std::string_view octets);

}  // namespace kurir::directory
