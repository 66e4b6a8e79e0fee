#pragma once
// The summary: one line a second for whoever watches a terminal: what came in and went out since
// the line before, and what is open and queued now.

#include <span>
#include <string>

#include "kurir/base/clock.hh"
#include "kurir/coro/event.hh"
#include "kurir/coro/scope.hh"
#include "kurir/coro/task.hh"
#include "kurir/observe/counters.hh"
#include "kurir/observe/event_log.hh"

namespace kurir::observe {

// With its LF. Pure; any core. Rates are a second's, whatever `elapsed` is.
std::string summary_line(const Totals& before, const Totals& after, Nanoseconds elapsed,
                         WallTime time);

// Core 0 only, as its sink. The caller has looked whether that is a terminal (io::is_terminal).
class Summary {
 public:
  // Of all cores' counters, which outlive it. Where events go to stdout too it is their sink, so
  // that lines do not mingle.
  Summary(std::span<const Counters> cores, EventSink& sink) : cores_(cores), sink_(sink) {}
  ~Summary();

  void start(Nanoseconds interval = Seconds(1));
  Task<void> stop();

 private:
  Task<void> run(Nanoseconds interval);
  std::span<const Counters> cores_;
  EventSink& sink_;
  kurir::Event stop_;  // not the thing that is logged
  Scope scope_;
};

}  // namespace kurir::observe
