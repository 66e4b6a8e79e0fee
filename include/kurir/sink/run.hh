#pragma once
// A sink, from start to end, in this process: kurir-sink's main, tests, and whoever has cores of
// his own (Sink).

#include <memory>

#include "kurir/base/ids.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/task.hh"
#include "kurir/sink/letter.hh"
#include "kurir/sink/options.hh"
#include "kurir/sink/report.hh"

namespace kurir::sink {

// Starts cores, which end before it returns: call it from a thread that is none. Ends with SIGINT
// or SIGTERM, or after what Options say. Errors: of io::Cores::run(); busy, unavailable: the
// address.
Result<Report> run(const Options& options);

// On cores that run already. Made before them, outlives them.
class Sink {
 public:
  Sink(const Options& options, unsigned cores);
  ~Sink();
  // On every core. Ends with ask_to_stop(), after what Options say, or where the address cannot be
  // listened on. `mailboxes`: this core's, or null: messages are only counted (and dumped).
  Task<void> run(CoreIndex core, Keeper* mailboxes = nullptr);
  void ask_to_stop();  // any thread
  // When all cores have ended.
  Result<Report> report() const;

 private:
  struct Shared;
  class OnCore;
  std::unique_ptr<Shared> shared_;
};

}  // namespace kurir::sink
