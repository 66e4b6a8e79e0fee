#pragma once
// Run: one seed from its begin to the verdict: a server in a simulated machine, its peers, what
// befalls them, and after that what must have come of all mail that was acknowledged.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ledger.hh"
#include "peers.hh"
#include "plan.hh"

namespace kurir::sim {

struct RunOptions {
  std::uint64_t seed = 1;
  Nanoseconds load_time = std::chrono::hours(1);
  Planted planted = Planted::nothing;
  bool is_traced = false;
};

struct RunResult {
  std::vector<std::string> violations;
  std::uint64_t trace_hash = 0, events = 0;
  std::uint64_t sent = 0, acknowledged = 0, relayed = 0, crashes = 0, stops = 0, faults = 0,
                cuts = 0;
  std::uint64_t memory_octets = 0;  // of the server at most
  double hours = 0;                 // simulated
  std::string plan;
};

class Run {
 public:
  explicit Run(const RunOptions& options);
  RunResult go();

 private:
  // server side
  void install_certificate();
  void start_server();
  void schedule_crash(const Plan::Crash& crash);
  void crash_now(const Plan::Crash& crash);
  void stop_gracefully(const Plan::Crash& crash);
  void schedule_windows();
  void schedule_weather();
  void calm_down();
  // the end
  bool settle();
  bool look();
  bool look_again();
  bool restart();
  RunResult judge();

  RunOptions options_;
  io::simulated::World world_;
  Plan plan_;
  Ledger ledger_;
  Peers peers_;
  class Names* names_ = nullptr;
  io::simulated::Process* server_ = nullptr;
  io::simulated::Random cores_{0};  // of the starts after the first
  std::uint64_t cores_most_ = 0;
  io::simulated::Process* peers_process_ = nullptr;
  int exit_code_ = 0;
  std::optional<Nanoseconds> starts_again_;  // after an end that is no crash
  bool is_crash_due_ = false, is_asked_to_stop_ = false;
  RunResult result_;
};

// What the server's process has allocated and not freed, and the most of it (memory.cc).
void begin_counting_memory();
std::uint64_t memory_most();

}  // namespace kurir::sim
