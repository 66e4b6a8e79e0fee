#pragma once
// What only core 0 does for the whole process: signals, the control socket, the demo's
// announcement, the summary line, new snapshots of the directory. Core-local to core 0. Private to
// server/.

#include <memory>
#include <vector>

#include "control_commands.hh"
#include "core_server.hh"
#include "demo.hh"
#include "directory_watch.hh"
#include "kurir/io/signals.hh"
#include "kurir/observe/summary.hh"

namespace kurir::server {

class Supervisor {
 public:
  Supervisor(SharedState& shared, CoreServer& core, std::vector<DemoUser> users);

  void start();
  // After the core has ended, for whatever reason.
  Task<void> join();

 private:
  Task<void> watch_signals();
  Task<void> announce();
  Task<void> await_guest();
  Task<void> stop_all();
  void print_greeting();
  void tell(ServiceState state) const;
  Task<void> feed_watchdog();
  Task<void> watch_memory();
  Task<void> keep_greylist();
  Task<void> write_greylist();

  SharedState& shared_;
  CoreServer& core_;
  std::vector<DemoUser> users_;
  io::SignalWatch signals_;
  ControlCommands commands_;
  DirectoryWatch directory_watch_;
  std::unique_ptr<admin::ControlServer> control_;
  observe::EventSink terminal_;
  observe::Summary summary_;
  bool stopping_ = false, ended_ = false;
  Signal ends_;
  Scope scope_;
};

}  // namespace kurir::server
