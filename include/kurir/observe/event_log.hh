#pragma once
// EventLog: where a core's events go: gathered in memory, written by the offload pool soon after. A log that cannot keep up
// or cannot be written loses lines and counts them; mail never waits for it. One a core, core-local.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "kurir/base/clock.hh"
#include "kurir/coro/event.hh"
#include "kurir/coro/scope.hh"
#include "kurir/coro/task.hh"
#include "kurir/observe/event.hh"

namespace kurir::observe {

// What all cores write to. Used on the offload pool only, one write at a time, so that lines stay whole.
class EventSink {
 public:
  // "stdout", "none" or a file's path.
  explicit EventSink(std::string destination) : destination_(std::move(destination)) {}
  ~EventSink();
  bool wanted() const { return destination_ != "none"; }
  bool write(std::string_view lines);  // blocking; false: lost
  void reopen();                       // blocking: after rotation; also makes the file at start

 private:
  std::string destination_;
  std::mutex mutex_;
  int descriptor_ = -1;
};

class EventLog {
 public:
  explicit EventLog(EventSink& sink) : sink_(sink) {}
  ~EventLog();

  void write(const Event& event);
  std::uint64_t lost_lines() const { return lost_; }
  // Writes what is left.
  Task<void> stop();

 private:
  Task<void> write_out();
  EventSink& sink_;
  std::string gathered_;
  std::uint64_t gathered_lines_ = 0, lost_ = 0;
  bool writing_ = false, stopping_ = false;
  Signal hurry_;
  Scope scope_;
};

}  // namespace kurir::observe
