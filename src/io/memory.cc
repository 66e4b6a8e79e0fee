#include "kurir/io/memory.hh"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

namespace kurir::io {
namespace {

bool is_zero(std::span<const std::byte> page) {
  // The first octet, and then that all are like the one before.
  return page[0] == std::byte(0) && std::memcmp(page.data(), page.data() + 1, page.size() - 1) == 0;
}

}  // namespace

std::size_t give_back_zero_pages(std::span<std::byte> octets) {
  static const auto page_octets = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(octets.data());
  const std::size_t first = (page_octets - begin % page_octets) % page_octets;
  std::size_t given = 0;
  std::size_t at = first;
  while (at + page_octets <= octets.size()) {
    std::size_t end = at;
    while (end + page_octets <= octets.size() && is_zero(octets.subspan(end, page_octets)))
      end += page_octets;
    if (end > at && ::madvise(octets.data() + at, end - at, MADV_DONTNEED) == 0) given += end - at;
    at = end + page_octets;  // the page at `end` holds something
  }
  return given;
}

}  // namespace kurir::io
