#pragma once
// Hashing of octets: xxHash's XXH3. checksum() is for stored bytes, keyed_hash() for tables that a
// peer can fill (the key comes from the kernel's random source at start, threats.md F6). Any core.

#include <xxhash.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>  // by the processor's widest instructions, found out at run time
#endif

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kurir {

inline std::uint64_t checksum(std::string_view octets, std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(octets.data(), octets.size(), seed);
}

inline std::uint64_t keyed_hash(std::string_view octets, std::uint64_t key) {
  return XXH3_64bits_withSeed(octets.data(), octets.size(), key);
}

}  // namespace kurir
