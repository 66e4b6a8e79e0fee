#pragma once
// Process: a program in the simulation, like the server or the peers that it speaks with. It has
// descriptors, locks and cores, all of which are gone when it is killed; its memory then stays as
// it was and is never looked at again.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>

#include "kurir/io/signals.hh"
#include "kurir/io/simulated/disk.hh"
#include "kurir/io/simulated/fiber.hh"
#include "kurir/io/simulated/network.hh"

namespace kurir::io::simulated {

class World;

class Process : public std::enable_shared_from_this<Process> {
 public:
  using Handle = std::variant<std::shared_ptr<Acceptor>, std::shared_ptr<Endpoint>,
                              std::shared_ptr<DatagramEnd>, OpenFile>;

  Process(World& world, std::string name, std::function<void()> body);

  static Process& current();  // asserts that one runs
  static bool is_running();
  const std::string& name() const { return name_; }
  bool is_alive() const { return is_alive_; }  // neither killed nor ended

  // Where it stands, for ever: SIGKILL, or a power cut's part. On its own fiber this does not
  // return.
  void kill();
  void send_signal(ProcessSignal signal);
  std::function<void()> on_signal;  // set by SignalWatch
  std::deque<ProcessSignal> signals;

  // Runs it on the process's fiber, where that waits in next_job().
  void post(Nanoseconds delay, std::function<void()> job);
  // On the fiber: the next one; the world goes on meanwhile.
  std::function<void()> next_job();
  // On the fiber: it is not resumed any more; whoever calls this has arranged for a kill().
  void freeze();

  // Descriptors, up to their limit: negative errno.
  int add(Handle handle);
  Handle& handle(int descriptor);
  Handle remove(int descriptor);
  std::size_t descriptors() const { return handles_.size(); }
  std::size_t descriptors_max = 20'000;
  bool is_spared = false;   // by faults: what a peer does wrong it does on purpose
  double stall_chance = 0;  // of a core's turn: it starts late
  Nanoseconds stall_max{};

 private:
  friend class World;
  void resume();
  void let_go();

  World& world_;
  std::string name_;
  Fiber fiber_;
  std::deque<std::function<void()>> jobs_;
  std::map<int, Handle> handles_;
  int next_descriptor_ = 3;
  bool is_alive_ = true;
};

}  // namespace kurir::io::simulated
