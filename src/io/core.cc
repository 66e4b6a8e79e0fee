#include "kurir/io/core.hh"

#include <utility>

#include "kurir/io/mesh.hh"
#include "kurir/io/offload.hh"

namespace kurir::io {
namespace {

thread_local Core* current_core = nullptr;

Task<void> run_main(Task<void> main, std::atomic<unsigned>& mains_running) {
  Task<void> body = std::move(main);
  co_await std::move(body);
  Core& core = Core::current();
  if (mains_running.fetch_sub(1) == 1) core.mesh().ring_all(core.index());
}

}  // namespace

Core& Core::current() {
  KURIR_ASSERT(current_core != nullptr);
  return *current_core;
}

bool Core::is_core() { return current_core != nullptr; }

Core::Core(CoreIndex index, std::unique_ptr<Driver> driver, Mesh& mesh, Offload& offload)
    : index_(index),
      driver_(std::move(driver)),
      executor_(driver_->now()),
      mesh_(&mesh),
      offload_(&offload) {
  mesh.attach(index, *driver_);
  current_core = this;
}

void Core::begin(Task<void> main, std::atomic<unsigned>& mains_running) {
  mains_running_ = &mains_running;
  mains_.start(run_main(std::move(main), mains_running));
}

bool Core::is_alive() const {
  return mains_running_->load() > 0 || mains_.running() > 0 || visitors_.running() > 0 ||
         !executor_.idle();
}

bool Core::fall_asleep() {
  const bool kept = mesh_->flush(index_);
  bool may_sleep = executor_.idle() && !kept;
  if (may_sleep) {
    mesh_->announce_sleep(index_);
    may_sleep = !mesh_->has_mail(index_) && !offload_->has_returned(index_);
    if (may_sleep && hooks_.before_sleep) hooks_.before_sleep();
  }
  return may_sleep;
}

void Core::wake_up(bool has_slept) {
  mesh_->announce_wake(index_);
  if (has_slept && hooks_.after_sleep) hooks_.after_sleep();
  executor_.advance(driver_->now());
  mesh_->receive(index_);
  offload_->collect(index_);
  executor_.run_ready();
  if (hooks_.quiescent) hooks_.quiescent();
}

Core* Core::exchange_current(Core* core) {
  Executor::exchange_current(core == nullptr ? nullptr : &core->executor_);
  return std::exchange(current_core, core);
}

}  // namespace kurir::io
