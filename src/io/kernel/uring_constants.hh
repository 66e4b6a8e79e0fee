#pragma once
// What newer kernels offer and liburing 2.3's header does not name yet. Each value is the kernel's
// ABI.

#include <liburing.h>

#include <cstdint>

namespace kurir::io::kernel {

inline constexpr unsigned setup_no_sqarray = 1U << 16;       // Linux 6.6
inline constexpr std::uint32_t feature_min_wait = 1U << 15;  // Linux 6.12
inline constexpr std::uint32_t feature_bundles = 1U << 14;   // Linux 6.10

}  // namespace kurir::io::kernel
