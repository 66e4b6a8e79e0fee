#include "kurir/io/clock.hh"

#include "kurir/io/core.hh"

namespace kurir::io {

Instant now() { return Executor::current().now(); }
WallTime wall_now() { return Core::current().driver().wall_now(); }
void random_octets(std::span<char> into) { Core::current().driver().random(into); }

std::uint64_t random_u64() {
  std::uint64_t value = 0;
  random_octets({reinterpret_cast<char*>(&value), sizeof value});
  return value;
}

}  // namespace kurir::io
