#pragma once
// Fiber: a stack of its own, on which a simulated process runs until it waits. One thread runs all
// of them. A fiber that is destroyed before it has ended is simply never resumed: nothing on its
// stack is destroyed, as nothing is in a process that is killed.

#include <cstddef>
#include <functional>

namespace kurir::io::simulated {

class Fiber {
 public:
  explicit Fiber(std::function<void()> body);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  void resume();  // until it waits or ends; from outside of every fiber
  void wait();    // on the fiber: goes on after resume() was called
  bool ended() const { return ended_; }

 private:
  static void enter(Fiber* fiber);
  void leave();

  std::function<void()> body_;
  char* stack_ = nullptr;
  void* own_pointer_ = nullptr;                    // where it waits
  void* caller_pointer_ = nullptr;                 // where resume() waits
  [[maybe_unused]] void* caller_stack_ = nullptr;  // of whom the sanitizer is told
  [[maybe_unused]] std::size_t caller_octets_ = 0;
  bool ended_ = false;
};

}  // namespace kurir::io::simulated
