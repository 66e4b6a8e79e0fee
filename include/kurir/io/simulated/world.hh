#pragma once
// World: one simulation, made of one seed: a clock, a network, a disk, and the processes that live
// in it. One thread; one world at a time on it. What happens is a sequence of events in the order
// of their time; the same seed gives the same sequence (trace().hash()).

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kurir/io/simulated/disk.hh"
#include "kurir/io/simulated/faults.hh"
#include "kurir/io/simulated/network.hh"
#include "kurir/io/simulated/process.hh"
#include "kurir/io/simulated/random.hh"
#include "kurir/io/simulated/trace.hh"

namespace kurir::io::simulated {

// The wall clock, which may jump and stand still; monotonic time only goes on.
class WallClock {
 public:
  WallTime at(Instant now) const;
  void jump(Nanoseconds by) { offset_ += by; }
  void freeze(Instant now) { frozen_ = at(now), is_frozen_ = true; }
  void thaw() { is_frozen_ = false; }

 private:
  Nanoseconds offset_{1'790'000'000'000'000'000};  // in the year 2026
  WallTime frozen_{};
  bool is_frozen_ = false;
};

class World {
 public:
  explicit World(std::uint64_t seed);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  static World& current();

  Random& random() { return random_; }
  Trace& trace() { return trace_; }
  Faults& faults() { return faults_; }
  Network& network() { return network_; }
  Disk& disk() { return disk_; }
  WallClock& wall_clock() { return wall_clock_; }
  Instant now() const { return now_; }
  Process& start(std::string name, std::function<void()> body);

  // An event; those of the same time happen in the order of these calls.
  void at(Instant when, std::function<void()> action);
  void after(Nanoseconds delay, std::function<void()> action) {
    at(now_ + delay, std::move(action));
  }

  bool step();  // the next event; false: there is none
  void run_until(Instant end);
  // Until `done` says so; false where the time is up first.
  bool run_until(const std::function<bool()>& done, Instant end);

  // What the simulated programs say on standard error and output, last lines first to go.
  void say(std::string_view text);
  const std::string& said() const { return said_; }

  template <class... Words>
  void note(std::string_view what, const Words&... words) {
    trace_.note(now_, what, words...);
  }

 private:
  struct Event {
    Instant when;
    std::uint64_t order;
    std::function<void()> action;
  };
  static bool later(const Event& one, const Event& other) {
    return one.when != other.when ? one.when > other.when : one.order > other.order;
  }

  Random random_;
  Trace trace_;
  Faults faults_;
  Network network_;
  Disk disk_;
  WallClock wall_clock_;
  Instant now_{Seconds(1000)};
  std::vector<Event> events_;  // a heap
  std::uint64_t order_ = 0;
  std::vector<std::shared_ptr<Process>> processes_;
  std::string said_;
};

}  // namespace kurir::io::simulated
