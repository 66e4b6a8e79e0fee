#include "kurir/io/simulated/fiber.hh"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <utility>

#include "kurir/base/assert.hh"

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/common_interface_defs.h>
#define KURIR_FIBERS_ARE_ANNOUNCED 1
#else
#define KURIR_FIBERS_ARE_ANNOUNCED 0
#endif

// Keeps what a call must keep (System V ABI) on the stack that it leaves, and takes it from the one
// that it goes on with.
asm(R"(
.text
.globl kurir_switch_stack
.type kurir_switch_stack,@function
kurir_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.globl kurir_begin_stack
.type kurir_begin_stack,@function
kurir_begin_stack:
  movq %r12, %rdi
  callq *%r13
  ud2
.size kurir_begin_stack,.-kurir_begin_stack
)");
extern "C" void kurir_switch_stack(void** leaves, void* goes_on);
extern "C" void kurir_begin_stack();

namespace kurir::io::simulated {
namespace {

constexpr std::size_t stack_octets = 1 << 20, guard_octets = 4096;
constexpr std::size_t words_kept = 6;

}  // namespace

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)) {
  void* memory = ::mmap(nullptr, stack_octets, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  KURIR_ASSERT(memory != MAP_FAILED);
  stack_ = static_cast<char*>(memory);
  KURIR_ASSERT(::mprotect(stack_, guard_octets, PROT_NONE) == 0);
  auto* top =
      reinterpret_cast<std::uintptr_t*>(stack_ + stack_octets) - 3;  // aligned when it begins
  *top = reinterpret_cast<std::uintptr_t>(&kurir_begin_stack);
  std::uintptr_t* words = top - words_kept;  // r15 r14 r13 r12 rbx rbp
  words[2] = reinterpret_cast<std::uintptr_t>(&Fiber::enter);
  words[3] = reinterpret_cast<std::uintptr_t>(this);
  own_pointer_ = words;
}

Fiber::~Fiber() { ::munmap(stack_, stack_octets); }

void Fiber::resume() {
  KURIR_ASSERT(!ended_);
#if KURIR_FIBERS_ARE_ANNOUNCED
  void* own = nullptr;
  __sanitizer_start_switch_fiber(&own, stack_, stack_octets);
  kurir_switch_stack(&caller_pointer_, own_pointer_);
  __sanitizer_finish_switch_fiber(own, nullptr, nullptr);
#else
  kurir_switch_stack(&caller_pointer_, own_pointer_);
#endif
}

void Fiber::wait() {
#if KURIR_FIBERS_ARE_ANNOUNCED
  void* own = nullptr;
  __sanitizer_start_switch_fiber(&own, caller_stack_, caller_octets_);
  kurir_switch_stack(&own_pointer_, caller_pointer_);
  const void* caller = nullptr;
  __sanitizer_finish_switch_fiber(own, &caller, &caller_octets_);
  caller_stack_ = const_cast<void*>(caller);
#else
  kurir_switch_stack(&own_pointer_, caller_pointer_);
#endif
}

void Fiber::enter(Fiber* fiber) {
#if KURIR_FIBERS_ARE_ANNOUNCED
  const void* caller = nullptr;
  __sanitizer_finish_switch_fiber(nullptr, &caller, &fiber->caller_octets_);
  fiber->caller_stack_ = const_cast<void*>(caller);
#endif
  fiber->body_();
  fiber->leave();
}

void Fiber::leave() {
  ended_ = true;
  wait();
  std::abort();  // nobody resumes what has ended
}

}  // namespace kurir::io::simulated
