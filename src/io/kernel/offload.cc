#include "kurir/io/offload.hh"

#include <sys/resource.h>

namespace kurir::io {
namespace {

constexpr int slow_niceness = 15;

}  // namespace

Offload::Offload(unsigned threads, unsigned cores) : returned_(new Returned[cores]) {
  for (unsigned thread = 0; thread < threads; ++thread) {
    threads_.emplace_back([this] { work(lanes_[static_cast<std::size_t>(OffloadLane::quick)]); });
    threads_.emplace_back([this] {
      // Of this thread alone, as Linux has it. Where it is refused, the work is just not so meek.
      static_cast<void>(setpriority(PRIO_PROCESS, 0, slow_niceness));
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
