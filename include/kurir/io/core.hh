#pragma once
// Core: one pinned thread with its driver, its executor and its ends of the mesh. Cores: all of
// them, from start to end. What one core owns no other touches; on_core() (mesh.hh) carries work to
// where its data lives.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kurir/base/ids.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/executor.hh"
#include "kurir/coro/scope.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/driver.hh"

namespace kurir::io {

class Mesh;
class Offload;
class Starved;

class Core {
 public:
  static Core& current();  // asserts that this thread is a core
  static bool is_core();

  CoreIndex index() const { return index_; }
  Driver& driver() { return *driver_; }
  Executor& executor() { return executor_; }
  Mesh& mesh() { return *mesh_; }
  Offload& offload() { return *offload_; }
  Scope& visitors() { return visitors_; }  // work that other cores sent here
  Instant now() const { return executor_.now(); }

  // Called once a turn of the loop, when no coroutine runs and none holds a view of shared memory
  // (QSBR's quiescent state), before the core sleeps and after it wakes.
  struct TurnHooks {
    std::function<void()> quiescent, before_sleep, after_sleep;
  };
  void set_turn_hooks(TurnHooks hooks) { hooks_ = std::move(hooks); }

  // The core that this thread now runs instead; the one before it. For whoever drives cores.
  static Core* exchange_current(Core* core);

 private:
  friend class Cores;
  Core(CoreIndex index, std::unique_ptr<Driver> driver, Mesh& mesh, Offload& offload);
  // A life of turns, driven by Cores: begin(), then as long as it is_alive(): fall_asleep(), the
  // driver's turn, wake_up().
  void begin(Task<void> main, std::atomic<unsigned>& mains_running);
  bool is_alive() const;
  bool fall_asleep();            // whether the driver may wait
  void wake_up(bool has_slept);  // what fall_asleep() said; runs what is ready

  CoreIndex index_;
  std::unique_ptr<Driver> driver_;
  Executor executor_;
  Mesh* mesh_;
  Offload* offload_;
  Scope visitors_, mains_;
  std::atomic<unsigned>* mains_running_ = nullptr;  // of all cores
  TurnHooks hooks_;
};

struct CoresOptions {
  unsigned count = 0;  // 0: as many as the process may run on
  DriverOptions driver;
  unsigned offload_threads = 2;
  // Called once on one core, before any main, when all threads and rings are there; false: nothing
  // runs. The simulator has no use for it.
  std::function<bool()> when_ready;
};

class Cores {
 public:
  // How many cores `count` means here.
  static unsigned resolve_count(unsigned count);
  // Starts the cores, runs main(index) on each, returns when all mains have ended. Signals that
  // signals.hh waits for are blocked in every thread first.
  static Result<void> run(const CoresOptions& options, std::function<Task<void>(CoreIndex)> main);

 private:
  static void run(Core& core, Task<void> main, std::atomic<unsigned>& mains_running);
};

}  // namespace kurir::io
