#pragma once
// Time and random numbers, from this core's driver. The only source of both above io/.

#include "kurir/base/clock.hh"

#include <cstdint>
#include <span>
#include <string>

namespace kurir::io {

Instant now();        // monotonic, as of this turn of the loop
WallTime wall_now();  // wall clock, asked anew
void random_octets(std::span<char> into);
std::uint64_t random_u64();
// From the system, on any thread: for start-up, the command line and the offload pool.
WallTime system_wall_time();
// From the system, on any thread: for start-up, the command line and the offload pool.
std::string system_random(std::size_t octets);

}  // namespace kurir::io
