#include "kurir/io/core.hh"

#include <pthread.h>
#include <sched.h>

#include <barrier>
#include <csignal>
#include <optional>
#include <thread>

#include "kurir/io/mesh.hh"
#include "kurir/io/offload.hh"

namespace kurir::io {
namespace {

thread_local Core* current_core = nullptr;

std::vector<int> usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int processor = 0; processor < CPU_SETSIZE; ++processor)
      if (CPU_ISSET(processor, &set)) processors.push_back(processor);
  }
  return processors;
}

void pin_to(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set,
                         &set);  // a hint: running unpinned is only slower
}

// SignalWatch reads these; no thread may be interrupted by them. A peer that hangs up must not end
// the process.
void block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

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

void Core::run(Task<void> main, std::atomic<unsigned>& mains_running) {
  Scope scope;
  scope.start(run_main(std::move(main), mains_running));
  while (mains_running.load() > 0 || scope.running() > 0 || visitors_.running() > 0 ||
         !executor_.idle())
    turn();
  driver_->turn(
      false, executor_.now());  // hands over what was still to be submitted: closes and doorbells
  current_core = nullptr;
}

void Core::turn() {
  const bool kept = mesh_->flush(index_);
  bool may_sleep = executor_.idle() && !kept;
  if (may_sleep) {
    mesh_->announce_sleep(index_);
    may_sleep = !mesh_->has_mail(index_) && !offload_->has_returned(index_);
    if (may_sleep && hooks_.before_sleep) hooks_.before_sleep();
  }
  driver_->turn(may_sleep, executor_.timers().next_expiry());
  mesh_->announce_wake(index_);
  if (may_sleep && hooks_.after_sleep) hooks_.after_sleep();
  executor_.advance(driver_->now());
  mesh_->receive(index_);
  offload_->collect(index_);
  executor_.run_ready();
  if (hooks_.quiescent) hooks_.quiescent();
}

unsigned Cores::resolve_count(unsigned count) {
  if (count > 0) return count;
  return std::max<unsigned>(1, static_cast<unsigned>(usable_processors().size()));
}

Result<void> Cores::run(const CoresOptions& options, std::function<Task<void>(CoreIndex)> main) {
  const unsigned count = resolve_count(options.count);
  const std::vector<int> processors = usable_processors();
  block_signals();
  Mesh mesh(count);
  Offload offload(options.offload_threads, count);
  std::atomic<unsigned> mains_running{count};
  std::atomic<bool> failed{false};
  std::vector<std::optional<Error>> errors(count);
  std::barrier ready(static_cast<std::ptrdiff_t>(count));
  const auto run_core = [&](std::uint16_t number) {
    if (count > 1 && number < processors.size()) pin_to(processors[number]);
    Result<std::unique_ptr<Driver>> driver = Driver::create(options.driver);
    if (!driver) {
      errors[number] = driver.error();
      failed = true;
      ready.arrive_and_drop();
      return;
    }
    Core core(CoreIndex(number), std::move(*driver), mesh, offload);
    ready.arrive_and_wait();  // every driver is attached before the first doorbell
    if (!failed) core.run(main(CoreIndex(number)), mains_running);
    ready.arrive_and_wait();  // no driver goes while another core may ring it
    current_core = nullptr;
  };
  std::vector<std::thread> threads;
  for (std::uint16_t number = 0; number < count; ++number) threads.emplace_back(run_core, number);
  for (std::thread& thread : threads) thread.join();
  for (const std::optional<Error>& error : errors)
    if (error) return std::unexpected(*error);
  return {};
}

}  // namespace kurir::io
