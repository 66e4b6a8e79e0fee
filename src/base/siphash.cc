#include "kurir/base/siphash.hh"

#include <bit>
#include <cstring>

namespace kurir {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as they lie");

std::uint64_t word_at(const char* octets) {
  std::uint64_t word;
  std::memcpy(&word, octets, sizeof word);
  return word;
}

struct State {
  std::uint64_t a, b, c, d;

  void round() {
    a += b;
    b = std::rotl(b, 13) ^ a;
    a = std::rotl(a, 32);
    c += d;
    d = std::rotl(d, 16) ^ c;
    a += d;
    d = std::rotl(d, 21) ^ a;
    c += b;
    b = std::rotl(b, 17) ^ c;
    c = std::rotl(c, 32);
  }
  void compress(std::uint64_t word) {
    d ^= word;
    round();
    round();
    a ^= word;
  }
  std::uint64_t finish() {
    for (int rounds = 0; rounds < 4; ++rounds) round();
    return a ^ b ^ c ^ d;
  }
};

}  // namespace

std::array<std::uint64_t, 2> siphash_128(const std::array<char, 16>& key, std::string_view octets) {
  const std::uint64_t k0 = word_at(key.data());
  const std::uint64_t k1 = word_at(key.data() + 8);
  State state{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ 0xee, k0 ^ 0x6c7967656e657261,
              k1 ^ 0x7465646279746573};
  std::uint64_t last = static_cast<std::uint64_t>(octets.size()) << 56;
  while (octets.size() >= 8) {
    state.compress(word_at(octets.data()));
    octets.remove_prefix(8);
  }
  for (std::size_t at = 0; at < octets.size(); ++at)
    last |= static_cast<std::uint64_t>(static_cast<unsigned char>(octets[at])) << (8 * at);
  state.compress(last);
  state.c ^= 0xee;
  const std::uint64_t low = state.finish();
  state.b ^= 0xdd;
  const std::uint64_t high = state.finish();
  return {low, high};
}

}  // namespace kurir
