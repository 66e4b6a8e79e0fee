#pragma once
// SipHash-2-4 with 128 bits of result (Aumasson and Bernstein 2012): a keyed hash that nobody can
// forge without the key, which XXH3 does not promise. Pure.

#include <array>
#include <cstdint>
#include <string_view>

namespace kurir {

std::array<std::uint64_t, 2> siphash_128(const std::array<char, 16>& key, std::string_view octets);

}  // namespace kurir
