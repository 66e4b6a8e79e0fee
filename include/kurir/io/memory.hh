#pragma once
// Memory given back to the system while it stays in use. Any thread.

#include <cstddef>
#include <span>

namespace kurir::io {

// Pages that lie wholly in the octets and hold nothing but zeros need no memory: they are zeros
// again when they are read. Gives the count of octets given back. Nobody else may write to them
// meanwhile.
std::size_t give_back_zero_pages(std::span<std::byte> octets);

}  // namespace kurir::io
