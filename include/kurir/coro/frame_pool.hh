#pragma once
// Where coroutine frames come from: free lists by size class, one set a thread. A frame may be
// freed on another thread than it was made on; it then joins that thread's list.

#include <cstddef>

namespace kurir {

// Never returns null: running out of memory for a frame ends the process (the bounds on sessions
// come first).
void* allocate_frame(std::size_t octets);
void free_frame(void* frame, std::size_t octets) noexcept;

}  // namespace kurir
