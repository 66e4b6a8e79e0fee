#pragma once
// A buffer that ends (or begins) exactly at a page that cannot be touched, so that a parser that
// reads one octet too far stops the test at once, in every build.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "kurir/base/assert.hh"

namespace kurir::test {

// Owns PROT_NONE | data pages | PROT_NONE. A view that it hands out dies at the next place_ call.
class GuardedBuffer {
 public:
  explicit GuardedBuffer(std::size_t octets) {
    const std::size_t page = page_octets();
    data_octets_ = (std::max<std::size_t>(octets, 1) + page - 1) / page * page;
    void* mapped =
        ::mmap(nullptr, data_octets_ + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    KURIR_ASSERT(mapped != MAP_FAILED);
    data_ = static_cast<char*>(mapped) + page;
    KURIR_ASSERT(::mprotect(data_, data_octets_, PROT_READ | PROT_WRITE) == 0);
  }
  ~GuardedBuffer() { ::munmap(data_ - page_octets(), data_octets_ + 2 * page_octets()); }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  // A copy whose last octet touches the guard page behind it; what lies before it is garbage.
  std::string_view place_at_end(std::string_view octets) {
    return place(octets, data_ + data_octets_ - octets.size());
  }
  // A copy whose first octet touches the guard page before it.
  std::string_view place_at_start(std::string_view octets) { return place(octets, data_); }

  // Writable room of exactly this many octets that ends at the guard page, for writers.
  char* room_at_end(std::size_t octets) {
    KURIR_ASSERT(octets <= data_octets_);
    return data_ + data_octets_ - octets;
  }

 private:
  static std::size_t page_octets() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

  std::string_view place(std::string_view octets, char* where) {
    KURIR_ASSERT(octets.size() <= data_octets_);
    if (!octets.empty()) std::memcpy(where, octets.data(), octets.size());
    return {where, octets.size()};
  }

  char* data_ = nullptr;
  std::size_t data_octets_ = 0;
};

}  // namespace kurir::test
