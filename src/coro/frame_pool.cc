#include "kurir/coro/frame_pool.hh"

#include <array>
#include <cstdint>
#include <cstdlib>

#include "kurir/base/assert.hh"

namespace kurir {
namespace {

constexpr std::size_t class_octets = 64;
constexpr std::size_t classes = 64;             // frames up to 4 KiB are pooled
constexpr std::uint32_t frames_kept_max = 256;  // a class; more go back to the allocator

struct FreeFrame {
  FreeFrame* next;
};

struct FreeList {
  FreeFrame* first = nullptr;
  std::uint32_t count = 0;
};

struct Pool {
  std::array<FreeList, classes> lists;
  ~Pool() {
    for (FreeList& list : lists) {
      while (list.first != nullptr) {
        FreeFrame* frame = list.first;
        list.first = frame->next;
        std::free(frame);
      }
      list.count =
          frames_kept_max;  // frames freed after this thread's pool died go to the allocator
    }
  }
};

thread_local Pool pool;

std::size_t class_of(std::size_t octets) { return (octets - 1) / class_octets; }

}  // namespace

void* allocate_frame(std::size_t octets) {
  const std::size_t index = class_of(octets);
  if (index < classes) {
    FreeList& list = pool.lists[index];
    if (list.first != nullptr) {
      FreeFrame* frame = list.first;
      list.first = frame->next;
      --list.count;
      return frame;
    }
    octets = (index + 1) * class_octets;
  }
  void* frame = std::malloc(octets);
  KURIR_ASSERT(frame != nullptr);
  return frame;
}

void free_frame(void* frame, std::size_t octets) noexcept {
  const std::size_t index = class_of(octets);
  if (index < classes) {
    FreeList& list = pool.lists[index];
    if (list.count < frames_kept_max) {
      auto* free_frame = static_cast<FreeFrame*>(frame);
      free_frame->next = list.first;
      list.first = free_frame;
      ++list.count;
      return;
    }
  }
  std::free(frame);
}

}  // namespace kurir
