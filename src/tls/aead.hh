#pragma once
// AES-GCM (NIST SP 800-38D) and SHA-256 by libcrypto, which uses the processor's instructions for
// them. Any thread; what is kept between calls is of the calling thread. Private to tls/.

#include <array>
#include <span>
#include <string_view>

namespace kurir::tls {

struct AeadInput {
  std::span<const unsigned char> key;  // 16, 24 or 32 octets
  std::span<const unsigned char> nonce;
  std::span<const unsigned char> associated;
  std::span<const unsigned char> octets;
};

// `into` has as many octets as the input, and may be where they lie. False: libcrypto could not.
[[nodiscard]] bool encrypt(const AeadInput& input, unsigned char* into,
                           std::span<unsigned char> tag);
// False also where the tag says that the octets are not what was encrypted; `into` means nothing
// then.
[[nodiscard]] bool decrypt(const AeadInput& input, unsigned char* into,
                           std::span<const unsigned char> tag);

using Digest = std::array<unsigned char, 32>;
Digest sha256(std::string_view label, std::span<const unsigned char> octets);

}  // namespace kurir::tls
