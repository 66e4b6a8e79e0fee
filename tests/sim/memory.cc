// What the server's process allocates: counted while it runs, and by the most of it since the
// begin. A killed process's memory counts no more.

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "kurir/io/simulated/process.hh"
#include "run.hh"

namespace kurir::sim {
namespace {

bool is_counting = false;
const void* counted_process = nullptr;
std::int64_t octets_now = 0, octets_most = 0;

bool is_servers() {
  if (!is_counting || !io::simulated::Process::is_running()) return false;
  const io::simulated::Process& process = io::simulated::Process::current();
  if (process.is_spared) return false;
  if (counted_process != &process) {
    counted_process = &process;
    octets_now = 0;
  }
  return true;
}

void* allocate(std::size_t octets, std::size_t alignment) {
  void* memory = alignment == 0 ? std::malloc(octets)
                                : std::aligned_alloc(
                                      alignment, (octets + alignment - 1) / alignment * alignment);
  if (memory == nullptr) std::abort();
  if (is_servers()) {
    octets_now += static_cast<std::int64_t>(malloc_usable_size(memory));
    octets_most = std::max(octets_most, octets_now);
  }
  return memory;
}

void release(void* memory) {
  if (memory != nullptr && is_servers())
    octets_now -= static_cast<std::int64_t>(malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

void begin_counting_memory() {
  is_counting = true;
  octets_now = octets_most = 0;
  counted_process = nullptr;
}

std::uint64_t memory_most() { return static_cast<std::uint64_t>(octets_most); }

}  // namespace kurir::sim

void* operator new(std::size_t octets) { return kurir::sim::allocate(octets, 0); }
void* operator new[](std::size_t octets) { return kurir::sim::allocate(octets, 0); }
void* operator new(std::size_t octets, std::align_val_t alignment) {
  return kurir::sim::allocate(octets, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t octets, std::align_val_t alignment) {
  return kurir::sim::allocate(octets, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { kurir::sim::release(memory); }
void operator delete[](void* memory) noexcept { kurir::sim::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { kurir::sim::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { kurir::sim::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { kurir::sim::release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { kurir::sim::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  kurir::sim::release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  kurir::sim::release(memory);
}
