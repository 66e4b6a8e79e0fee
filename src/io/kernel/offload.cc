#include "kurir/io/offload.hh"

namespace kurir::io {

Offload::Offload(unsigned threads, unsigned cores) : returned_(new Returned[cores]) {
  for (unsigned thread = 0; thread < threads; ++thread) threads_.emplace_back([this] { work(); });
}

Offload::~Offload() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Offload::submit(OffloadJob& job) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= waiting_max) return false;
    waiting_.push_back(&job);
  }
  wake_.notify_one();
  return true;
}

void Offload::work() {
  for (;;) {
    OffloadJob* job = nullptr;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      job = waiting_.front();
      waiting_.pop_front();
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
