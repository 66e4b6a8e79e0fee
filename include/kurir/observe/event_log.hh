#pragma once
// EventSink and EventLog: where events go. Each core gathers its lines in memory (EventLog); what
// was gathered is handed to core 0, which has it written on the offload pool, one batch at a time
// (EventSink): the lines of a core keep their order, and no two lines mingle. A log that cannot
// keep up or cannot be written loses lines and counts them; mail never waits for it.

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "kurir/base/clock.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/event.hh"
#include "kurir/coro/scope.hh"
#include "kurir/coro/task.hh"
#include "kurir/observe/counters.hh"
#include "kurir/observe/event.hh"

namespace kurir::observe {

// What all cores write to. Made before the cores start, outlives them.
class EventSink {
 public:
  // What became of a batch; its memory comes back, empty, for the next one.
  struct Written {
    std::uint64_t lines_lost = 0;
    std::string memory;
  };

  // "stdout", "none" or a file's path. `node_id`: the UUID in each event.
  explicit EventSink(std::string destination, std::string node_id = {});
  ~EventSink();
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;

  bool wanted() const { return destination_ != "none"; }
  std::string_view node_id() const { return node_id_; }

  // Blocking; any thread. Opens the file, and makes it where there is none: at start, and again
  // after a rotation; what is written from now on goes there. On failure what was open stays in
  // use.
  Result<void> reopen();

  // Core 0 only. Whole lines, each with its LF. Gives up within some seconds, at once where the
  // reader stands still since the last time.
  Task<Written> write(std::string lines);

 private:
  struct Attempt {
    std::size_t octets = 0;  // of the lines
    bool advanced = false;   // those, or the rest of a torn line
    bool timed_out = false;
  };
  Attempt attempt(std::string_view lines, Milliseconds patience);  // on the pool
  void adopt_descriptor();
  Task<std::size_t> write_some(std::string_view lines);
  std::uint64_t give_up(std::string_view unwritten, bool begins_a_line);

  const std::string destination_, node_id_;
  // Opened by any thread, taken by the writer: release and acquire. -1: nothing new.
  std::atomic<int> fresh_descriptor_{-1};
  // From here on: core 0, and the pool's thread while core 0 awaits it.
  int descriptor_ = -1;
  std::string rest_;  // of a line that was torn: goes before anything else
  std::uint64_t lines_lost_ = 0;
  bool writing_ = false, stalled_ = false;
  Signal turn_;
};

// One a core. Core-local.
class EventLog {
 public:
  // Lost lines are also counted in `counters`, where given.
  explicit EventLog(EventSink& sink, Counters* counters = nullptr)
      : sink_(sink), counters_(counters) {}
  ~EventLog();

  // Never waits. It is written some 50 ms later, or when 64 KiB are there.
  void write(const Event& event);
  std::uint64_t lost_lines() const { return lost_; }
  // Writes what is left. What comes afterwards is lost.
  Task<void> stop();

 private:
  Task<void> write_out();
  void lose(std::uint64_t lines);
  EventSink& sink_;
  Counters* counters_;
  std::string gathered_, spare_;
  std::uint64_t lost_ = 0;
  bool writing_ = false, stopping_ = false, stopped_ = false;
  Signal hurry_;
  Scope scope_;
};

}  // namespace kurir::observe
