#include "kurir/io/offload.hh"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kurir::io {
namespace {

constexpr int slow_niceness = 15;
// Of processor time without a pause: whoever asks for less comes first when it wakes up.
constexpr Nanoseconds slow_slice = Milliseconds(100);

// As sched_setattr(2) has it; the kernel's header and the C library's cannot be had together.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = slow_niceness;
  std::uint32_t priority = 0;
  std::uint64_t runtime = static_cast<std::uint64_t>(slow_slice.count());
  std::uint64_t deadline = 0, period = 0;
};

// The calling thread gives way to all others. Where that is refused, it is just not so meek.
void be_meek() {
  SchedulingAttributes wanted;
  static_cast<void>(syscall(SYS_sched_setattr, 0, &wanted, 0));
}

}  // namespace

Offload::Offload(unsigned threads, unsigned cores) : returned_(new Returned[cores]) {
  for (unsigned thread = 0; thread < threads; ++thread) {
    threads_.emplace_back([this] { work(lanes_[static_cast<std::size_t>(OffloadLane::quick)]); });
    threads_.emplace_back([this] {
      be_meek();
      work(lanes_[static_cast<std::size_t>(OffloadLane::slow)]);
    });
  }
}

Offload::~Offload() {
  for (Lane& lane : lanes_) {
    {
      const std::lock_guard lock(lane.mutex);
      lane.stopping = true;
    }
    lane.wake.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

bool Offload::submit(OffloadJob& job, OffloadLane wanted) {
  Lane& lane = lanes_[static_cast<std::size_t>(wanted)];
  {
    const std::lock_guard lock(lane.mutex);
    if (lane.waiting.size() >= waiting_max) return false;
    lane.waiting.push_back(&job);
  }
  lane.wake.notify_one();
  return true;
}

void Offload::work(Lane& lane) {
  for (;;) {
    OffloadJob* job = nullptr;
    {
      std::unique_lock lock(lane.mutex);
      lane.wake.wait(lock, [&lane] { return lane.stopping || !lane.waiting.empty(); });
      if (lane.waiting.empty()) return;
      job = lane.waiting.front();
      lane.waiting.pop_front();
    }
    job->run();
    Core& origin = *job->origin;
    Returned& returned = returned_[origin.index().value];
    {
      const std::lock_guard lock(returned.mutex);
      returned.jobs.push_back(job);
      returned.any.store(true, std::memory_order_release);
      // Under the lock, which collect() needs: once the job is collected the core may end, and its
      // driver's descriptor may be another file's.
      origin.driver().wake_from_anywhere();
    }
  }
}

bool Offload::has_returned(CoreIndex core) const {
  return returned_[core.value].any.load(std::memory_order_acquire);
}

void Offload::collect(CoreIndex core) {
  if (!has_returned(core)) return;
  std::vector<OffloadJob*> jobs;
  {
    Returned& returned = returned_[core.value];
    const std::lock_guard lock(returned.mutex);
    jobs.swap(returned.jobs);
    returned.any.store(false, std::memory_order_relaxed);
  }
  for (OffloadJob* job : jobs) Executor::current().post(job->waiter);
}

}  // namespace kurir::io
