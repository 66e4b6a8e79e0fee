// Offloaded jobs as events: each runs at once, on no core, some time after it was submitted.

#include "kurir/io/offload.hh"

#include "kurir/base/assert.hh"

#include "kurir/io/simulated/world.hh"

namespace kurir::io {
namespace {

constexpr Nanoseconds job_time_min = std::chrono::microseconds(20), job_time_max = Milliseconds(5);

}  // namespace

Offload::Offload(unsigned, unsigned cores) : returned_(new Returned[cores]) {}
Offload::~Offload() {
  for (Lane& lane : lanes_) lane.stopping = true;
}

bool Offload::submit(OffloadJob& job, OffloadLane wanted) {
  Lane& lane = lanes_[static_cast<std::size_t>(wanted)];
  KURIR_ASSERT(!lane.stopping);
  if (lane.waiting.size() >= waiting_max) return false;
  lane.waiting.push_back(&job);
  const Nanoseconds time =
      simulated::World::current().random().duration(job_time_min, job_time_max);
  simulated::Process::current().post(time, [this, &lane] { work(lane); });
  return true;
}

// One job, the oldest.
void Offload::work(Lane& lane) {
  OffloadJob& job = *lane.waiting.front();
  lane.waiting.pop_front();
  Core& origin = *job.origin;
  job.run();
  Returned& returned = returned_[origin.index().value];
  returned.jobs.push_back(&job);
  returned.any.store(true, std::memory_order_relaxed);
  origin.driver().wake_from_anywhere();
}

bool Offload::has_returned(CoreIndex core) const {
  return returned_[core.value].any.load(std::memory_order_relaxed);
}

void Offload::collect(CoreIndex core) {
  Returned& returned = returned_[core.value];
  for (OffloadJob* job : returned.jobs) Executor::current().post(job->waiter);
  returned.jobs.clear();
  returned.any.store(false, std::memory_order_relaxed);
}

}  // namespace kurir::io
