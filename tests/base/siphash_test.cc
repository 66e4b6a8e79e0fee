#include "kurir/base/siphash.hh"

#include <gtest/gtest.h>

#include <string>

namespace kurir {
namespace {

// From the reference implementation's vectors_sip128.
TEST(SipHash, agrees_with_the_reference) {
  std::array<char, 16> key;
  for (std::size_t at = 0; at < key.size(); ++at) key[at] = static_cast<char>(at);
  std::string octets;
  EXPECT_EQ(siphash_128(key, octets),
            (std::array<std::uint64_t, 2>{0xe6a825ba047f81a3, 0x930255c71472f66d}));
  octets += '\0';
  EXPECT_EQ(siphash_128(key, octets),
            (std::array<std::uint64_t, 2>{0x44af996bd8c187da, 0x45fc229b11597634}));
  for (char c = 1; c < 15; ++c) octets += c;
  EXPECT_EQ(siphash_128(key, octets),
            (std::array<std::uint64_t, 2>{0x11a8b03399e99354, 0xd9c3cf970fec087e}));
}

}  // namespace
}  // namespace kurir
