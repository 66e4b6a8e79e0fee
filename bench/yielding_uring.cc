// For bench/instructions only: preloaded into Kurir under callgrind. Valgrind runs one thread at a
// time and does not know that io_uring_enter may wait, so a core that waits there would stop all
// others for good. Here it asks again and again, and sleeps between, which lets them run. What this
// costs is not Kurir's; callgrind names it apart.

#include <errno.h>
#include <liburing.h>
#include <time.h>

namespace {

constexpr long nap_nanoseconds = 200'000;

long long now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

}  // namespace

// As liburing's, of which the driver needs this: what is to be submitted is, and it returns with a
// completion, or when the time is over.
extern "C" int io_uring_submit_and_wait_timeout(io_uring* ring, io_uring_cqe** first, unsigned,
                                                __kernel_timespec* timeout, sigset_t*) {
  const long long end = now() + timeout->tv_sec * 1'000'000'000LL + timeout->tv_nsec;
  *first = nullptr;
  for (;;) {
    const int submitted = io_uring_submit_and_get_events(ring);
    if (submitted < 0) return submitted;
    if (io_uring_cq_ready(ring) > 0) return io_uring_peek_cqe(ring, first);
    if (now() >= end) return -ETIME;
    const timespec nap{0, nap_nanoseconds};
    nanosleep(&nap, nullptr);
  }
}
