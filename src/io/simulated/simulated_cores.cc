// Cores as turns on the fiber of a simulated process: all of them on one thread, in an order that
// the seed chooses.

#include <algorithm>
#include <memory>
#include <utility>

#include "kurir/io/core.hh"
#include "kurir/io/mesh.hh"
#include "kurir/io/offload.hh"
#include "simulated_driver.hh"

namespace kurir::io {
namespace {

using simulated::Process;
using simulated::World;

constexpr Nanoseconds turn_delay_max = std::chrono::microseconds(30);

// When a core has its turns.
struct Schedule {
  std::function<void()> turn;
  bool is_asked = false;  // a turn will come
  Instant timer = no_deadline;
};

void ask_for_turn(Process& process, Schedule& schedule) {
  if (std::exchange(schedule.is_asked, true)) return;
  simulated::Random& random = World::current().random();
  Nanoseconds delay = random.duration(Nanoseconds(0), turn_delay_max);
  if (random.chance(process.stall_chance)) delay += random.duration({}, process.stall_max);
  process.post(delay, [&schedule] {
    schedule.is_asked = false;
    schedule.turn();
  });
}

// A turn at that time, at the latest. One that comes for nothing does no harm.
void ask_for_timer(Process& process, Schedule& schedule, Instant when,
                   const std::shared_ptr<simulated::Port>& port) {
  if (when >= schedule.timer) return;
  schedule.timer = when;
  World::current().at(when, [&process, &schedule, port, when] {
    if (!port->is_open || !process.is_alive()) return;
    if (schedule.timer == when) schedule.timer = no_deadline;
    ask_for_turn(process, schedule);
  });
}

}  // namespace

unsigned Cores::resolve_count(unsigned count) { return std::max(count, 1U); }

Result<void> Cores::run(const CoresOptions& options, std::function<Task<void>(CoreIndex)> main) {
  const unsigned count = resolve_count(options.count);
  Process& process = Process::current();
  Mesh mesh(count);
  Offload offload(options.offload_threads, count);
  std::atomic<unsigned> mains_running{count};
  struct Place {
    std::unique_ptr<Core> core;
    Schedule schedule;
    bool has_slept = false, has_ended = false;
  };
  std::vector<Place> places(count);
  unsigned alive = count;
  const auto take_turn = [&](Place& place) {
    if (place.has_ended) return;
    Core& core = *place.core;
    Core::exchange_current(&core);
    core.driver().turn(place.has_slept, core.now());
    core.wake_up(place.has_slept);
    if (core.is_alive()) {
      place.has_slept = core.fall_asleep();
      const auto& port = static_cast<simulated::SimulatedDriver&>(core.driver()).port();
      if (!place.has_slept) ask_for_turn(process, place.schedule);
      if (place.has_slept)
        ask_for_timer(process, place.schedule, core.executor().timers().next_expiry(), port);
    } else {
      place.has_ended = true;
      --alive;
    }
    Core::exchange_current(nullptr);
  };
  for (std::uint16_t number = 0; number < count; ++number) {
    auto driver = std::make_unique<simulated::SimulatedDriver>(options.driver);
    Place& place = places[number];
    driver->port()->wake = [&process, &place] { ask_for_turn(process, place.schedule); };
    place.core.reset(new Core(CoreIndex(number), std::move(driver), mesh, offload));
    place.schedule.turn = [&take_turn, &place] { take_turn(place); };
    Core::exchange_current(nullptr);
  }
  for (std::uint16_t number = 0; number < count; ++number) {
    Core::exchange_current(places[number].core.get());
    places[number].core->begin(main(CoreIndex(number)), mains_running);
    Core::exchange_current(nullptr);
    ask_for_turn(process, places[number].schedule);
  }
  while (alive > 0) process.next_job()();
  for (Place& place : places) {
    Core::exchange_current(place.core.get());
    place.core->driver().turn(false, place.core->now());
    Core::exchange_current(nullptr);
  }
  return {};
}

}  // namespace kurir::io
