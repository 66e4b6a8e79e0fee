// Cores as threads of the kernel, each pinned to a processor.

#include <pthread.h>
#include <sched.h>

#include <barrier>
#include <csignal>
#include <optional>
#include <thread>

#include "kurir/io/core.hh"
#include "kurir/io/mesh.hh"
#include "kurir/io/offload.hh"

namespace kurir::io {
namespace {

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

}  // namespace

unsigned Cores::resolve_count(unsigned count) {
  if (count > 0) return count;
  return std::max<unsigned>(1, static_cast<unsigned>(usable_processors().size()));
}

void Cores::run(Core& core, Task<void> main, std::atomic<unsigned>& mains_running) {
  core.begin(std::move(main), mains_running);
  Driver& driver = core.driver();
  while (core.is_alive()) {
    const bool may_sleep = core.fall_asleep();
    driver.turn(may_sleep, core.executor().timers().next_expiry());
    core.wake_up(may_sleep);
  }
  driver.turn(false, core.now());  // hands over what was still to be submitted: closes, doorbells
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
    if (number == 0 && !failed && options.when_ready && !options.when_ready()) failed = true;
    ready.arrive_and_wait();
    if (!failed) run(core, main(CoreIndex(number)), mains_running);
    ready.arrive_and_wait();  // no driver goes while another core may ring it
    Core::exchange_current(nullptr);
  };
  std::vector<std::thread> threads;
  for (std::uint16_t number = 0; number < count; ++number) threads.emplace_back(run_core, number);
  for (std::thread& thread : threads) thread.join();
  for (const std::optional<Error>& error : errors)
    if (error) return std::unexpected(*error);
  return {};
}

}  // namespace kurir::io
