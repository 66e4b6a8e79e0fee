#pragma once
// Who is told by VRFY whether an address exists (RFC 5321 7.3). A plain value.

#include <cstdint>

namespace kurir::smtp {

enum class Vrfy : std::uint8_t { nobody, users, everybody };

}  // namespace kurir::smtp
