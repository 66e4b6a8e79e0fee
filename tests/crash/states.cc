// Every crash state of one shard: each scenario is run until its n-th operation on the disk, for
// every n; what a power cut may leave then is made in memory, and the real recovery of store/,
// queue/ and mailbox/ starts on it, and is cut as well. What was answered before must be there
// once. The same where the n-th operation fails, alone or with all that follow.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <malloc.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>

#include "kurir/io/core.hh"
#include "kurir/io/simulated/world.hh"
#include "script.hh"

namespace kurir::crash {
namespace {

using io::simulated::CutMode;
using io::simulated::Process;
using io::simulated::Random;
using io::simulated::World;

struct Scenario {
  const char* name;
  std::vector<std::string> strands;  // each beside the others
};

const Scenario scenarios[] = {
    {"accept", {"LRLR"}},
    {"accept at once", {"LR", "RL", "LL"}},
    {"accept large", {"YX"}},
    {"accept large at once", {"Y", "X", "LR"}},
    {"local delivery", {"LLDD"}},
    {"local delivery of large mail", {"YDYD"}},
    {"delivery beside intake", {"LDLD", "LRR"}},
    {"relay result", {"RRSWSW"}},
    {"relay result beside intake", {"RSWRSW", "LR"}},
    {"deferral", {"RPWRPW"}},
    {"bounce", {"RBWRBW"}},
    {"append", {"aaa"}},
    {"flags", {"aafaf"}},
    {"expunge", {"aaeae"}},
    {"expunge beside append", {"aaee", "aa"}},
    {"move", {"aamm"}},
    {"copy", {"aca"}},
    {"folders", {"nrd", "a"}},
    {"checkpoint", {"LDRaKLDa"}},
    {"two checkpoints", {"LRKaSWKDa"}},
    {"checkpoint beside changes", {"LDaRLKR", "LDaRS"}},
    {"segment change", {"XXXYYY"}},
    {"recycled spool", {"XSWXSWXSWXSWXSW"}},
    {"recycled spool unsynced", {"XSXSXSXSXS"}},
    {"recycled journal", {"LDKLDKLDKaKLDK"}},
    {"mail in idle times", {"LTDTRTST"}},
    {"compaction", {"YDYDYDYDaeeCYDYD"}},
    {"compaction of a part", {"YDaYDaYDaYDaeaeaYDeCYDYD"}},
    {"compaction beside changes", {"YDaYDaYDaYDaeeeTmfmmYDc", "TCaCTC"}},
    {"compaction of what is copied", {"YDaYDaYDaYDaeeecCYDYD"}},
    {"compaction and a checkpoint", {"YDaYDaYDaYDeeCKYDYD"}},
    {"compaction beside a checkpoint", {"YDaYDaYDaYDeeeCeC", "YDaKYDKLDR"}},
};

struct Case {
  std::size_t scenario = 0;
  std::uint64_t stop_at = 0, fail_at = 0;  // 0: not at all
  bool fails_on = false;
  CutMode mode = CutMode::loses_all;
  std::uint32_t variant = 0;      // of what is kept, torn and reordered
  std::uint64_t second_stop = 0;  // in the recovery
};

// What is wrong with the machine, for proving that the states are looked at.
enum class Plant : std::uint8_t { none, lying_sync, lying_directory_sync };
Plant plant = Plant::none;

using Main = std::function<Task<void>()>;

// A process of the machine that ends, or is stopped; false: it does neither.
bool run_process(World& world, std::uint64_t stop_at, const Main& main) {
  Process& process = world.start("shard", [&] {
    io::CoresOptions options;
    options.count = 1;
    KURIR_ASSERT(io::Cores::run(options, [&](CoreIndex) { return main(); }).has_value());
  });
  if (stop_at > 0) world.disk().stop_at_operation(stop_at, [&] { process.kill(); });
  const auto is_over = [&] { return !process.is_alive(); };
  const bool ended = world.run_until(is_over, world.now() + std::chrono::hours(1));
  if (!ended) process.kill();
  world.disk().never_stop();
  return ended;
}

Task<void> live(const Scenario& scenario, Ledger& ledger) {
  ShardHouse house;
  const Result<void> opened = co_await house.open();
  if (!opened) co_return;
  Script script(house, ledger);
  Scope strands;
  for (const std::string& letters : scenario.strands) strands.start(script.run(letters));
  co_await strands.join();
  co_await house.stop();
}

Task<void> recover(Ledger& ledger, std::vector<std::string>* violations) {
  ShardHouse house;
  const Result<void> opened = co_await house.open();
  if (!opened) {
    if (violations != nullptr) violations->emplace_back("the start fails");
    co_return;
  }
  if (violations != nullptr) {
    co_await check(house, ledger, *violations);
    // What comes new does not take the place of what was.
    const std::uint32_t uid_before = ledger.uid_last;
    const unsigned acknowledged = ledger.acknowledged;
    ledger.uid_last = 0;
    Script script(house, ledger);
    co_await script.run("aRL");
    if (ledger.acknowledged != acknowledged + 3) violations->emplace_back("takes nothing new");
    if (ledger.uid_last <= uid_before) violations->emplace_back("a UID is given again");
  }
  co_await house.stop();
}

std::vector<std::string> run_case(const Case& one) {
  World world(one.scenario + 1);
  world.disk().weather.ignores_sync = plant == Plant::lying_sync;
  world.disk().weather.ignores_directory_sync = plant == Plant::lying_directory_sync;
  Ledger ledger;
  ledger.is_whole = one.fail_at == 0;
  std::vector<std::string> violations;
  if (one.fail_at > 0) world.faults().fail_at(one.fail_at, one.fails_on);
  const Scenario& scenario = scenarios[one.scenario];
  if (!run_process(world, one.stop_at, [&] { return live(scenario, ledger); }))
    violations.emplace_back("hangs");
  world.faults().clear();
  world.random() = Random(one.variant * 7919 + one.stop_at * 104729 + one.fail_at + 1);
  world.disk().weather.torn_octets = one.variant % 2 == 0 ? 512 : 4096;
  world.disk().cut_power(one.mode);
  if (one.second_stop > 0) {
    run_process(world, one.second_stop, [&] { return recover(ledger, nullptr); });
    world.disk().cut_power(one.mode);
  }
  if (!run_process(world, 0, [&] { return recover(ledger, &violations); }))
    violations.emplace_back("the start hangs");
  return violations;
}

std::string describe(const Case& one) {
  return std::string(scenarios[one.scenario].name) + " --case " + std::to_string(one.scenario) +
         "," + std::to_string(one.stop_at) + "," + std::to_string(one.fail_at) + "," +
         std::to_string(one.fails_on) + "," + std::to_string(static_cast<int>(one.mode)) + "," +
         std::to_string(one.variant) + "," + std::to_string(one.second_stop);
}

std::uint64_t operations_of(std::size_t scenario) {
  World world(scenario + 1);
  Ledger ledger;
  KURIR_ASSERT(run_process(world, 0, [&] { return live(scenarios[scenario], ledger); }));
  return world.disk().operations();
}

// The cases of one scenario that chance makes, of one variant.
void add_variant(std::vector<Case>& cases, std::size_t scenario, std::uint32_t variant,
                 std::uint64_t stride, std::uint64_t operations) {
  for (std::uint64_t at = 1; at <= operations; at += stride) {
    Case one{.scenario = scenario, .stop_at = at, .variant = variant};
    for (const CutMode mode : {CutMode::keeps_some, CutMode::keeps_first}) {
      one.mode = mode;
      one.second_stop = 0;
      cases.push_back(one);
      one.second_stop = 1 + (at * 31 + variant * 17) % 60;
      cases.push_back(one);
    }
  }
}

// Those that nothing is left to chance in, and those where an operation fails.
void add_certain(std::vector<Case>& cases, std::size_t scenario, std::uint64_t stride,
                 std::uint64_t operations) {
  for (std::uint64_t at = 1; at <= operations; at += stride) {
    for (const CutMode mode : {CutMode::loses_all, CutMode::keeps_all})
      cases.push_back({.scenario = scenario, .stop_at = at, .mode = mode});
    for (const bool fails_on : {false, true})
      for (const CutMode mode : {CutMode::loses_all, CutMode::keeps_all, CutMode::keeps_some})
        cases.push_back({.scenario = scenario, .fail_at = at, .fails_on = fails_on, .mode = mode});
  }
}

// In a process of its own: what a stopped machine had allocated is never freed.
unsigned run_apart(const std::vector<Case>& cases, std::size_t begin, std::size_t end) {
  std::fflush(stdout);
  int ends[2];
  KURIR_ASSERT(pipe(ends) == 0);
  const pid_t child = fork();
  KURIR_ASSERT(child >= 0);
  if (child == 0) {
    unsigned bad = 0;
    for (std::size_t at = begin; at < end; ++at) {
      KURIR_ASSERT(write(ends[1], &at, sizeof at) == sizeof at);  // for whoever asks where it fell
      const std::vector<std::string> violations = run_case(cases[at]);
      if (violations.empty()) continue;
      if (++bad <= 3)
        std::printf("VIOLATION %s: %s\n", describe(cases[at]).c_str(), violations[0].c_str());
    }
    std::fflush(stdout);
    _exit(static_cast<int>(std::min(bad, 100U)));
  }
  close(ends[1]);
  std::size_t last = begin, seen = 0;
  while (read(ends[0], &seen, sizeof seen) == sizeof seen) last = seen;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) return static_cast<unsigned>(WEXITSTATUS(status));
  std::printf("VIOLATION %s: it crashes\n", describe(cases[last]).c_str());
  return 1 + (last + 1 < end ? run_apart(cases, last + 1, end) : 0);
}

// Syncs of segments fail now and then, and the disk then loses all that was not synced: what was
// acknowledged must be there.
int run_failed_syncs(std::uint64_t wanted, bool json) {
  constexpr unsigned runs_a_process = 50;
  struct Seen {
    std::uint64_t failed = 0, runs = 0, acknowledged = 0, bad = 0;
  };
  auto* seen = static_cast<Seen*>(
      mmap(nullptr, sizeof(Seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  KURIR_ASSERT(seen != MAP_FAILED);
  while (seen->failed < wanted) {
    const std::uint64_t runs_before = seen->runs;
    std::fflush(stdout);
    const pid_t child = fork();
    KURIR_ASSERT(child >= 0);
    for (unsigned n = 0; child == 0 && n < runs_a_process && seen->failed < wanted; ++n) {
      const std::uint64_t seed = ++seen->runs;
      const Scenario& scenario = scenarios[seed % std::size(scenarios)];
      World world(seed);
      Ledger ledger;
      ledger.is_whole = false;
      std::vector<std::string> violations;
      world.faults().set(io::simulated::Operation::sync_file, 0.05 * static_cast<double>(seed % 8));
      if (!run_process(world, 0, [&] { return live(scenario, ledger); }))
        violations.emplace_back("hangs");
      seen->failed += world.faults().struck();
      seen->acknowledged += ledger.acknowledged;
      world.faults().clear();
      world.disk().cut_power(CutMode::loses_all);
      if (!run_process(world, 0, [&] { return recover(ledger, &violations); }))
        violations.emplace_back("the start hangs");
      seen->bad += violations.empty() ? 0 : 1;
      if (!violations.empty())
        std::printf("VIOLATION %s, seed %lu: %s\n", scenario.name, seed, violations[0].c_str());
    }
    std::fflush(stdout);
    if (child == 0) _exit(0);
    int status = 0;
    waitpid(child, &status, 0);
    const bool is_well = WIFEXITED(status) && seen->runs > runs_before;
    seen->bad += is_well ? 0 : 1;
    if (!is_well) std::printf("VIOLATION seed %lu: it crashes\n", seen->runs);
  }
  const char* text = json ? "{\"failed_syncs\":%lu,\"runs\":%lu,\"acknowledged\":%lu,"
                            "\"violations\":%lu}\n"
                          : "%lu failed syncs in %lu runs, %lu acknowledged, %lu violations\n";
  std::printf(text, seen->failed, seen->runs, seen->acknowledged, seen->bad);
  return seen->bad == 0 ? 0 : 1;
}

struct Options {
  std::uint64_t failed_syncs = 0;
  std::uint32_t variants = 2;
  std::uint64_t stride = 1, states_max = 0, seconds = 0;
  bool is_spread = false, json = false;
  std::string one;
};

struct Tally {
  std::uint64_t operations = 0, states = 0, violations = 0;
};

int run_one(const std::string& text) {
  Case one;
  unsigned long scenario = 0, stop = 0, fail = 0, on = 0, mode = 0, variant = 0, second = 0;
  if (std::sscanf(text.c_str(), "%lu,%lu,%lu,%lu,%lu,%lu,%lu", &scenario, &stop, &fail, &on, &mode,
                  &variant, &second) != 7 ||
      scenario >= std::size(scenarios))
    return 2;
  one = {.scenario = scenario,
         .stop_at = stop,
         .fail_at = fail,
         .fails_on = on != 0,
         .mode = static_cast<CutMode>(mode),
         .variant = static_cast<std::uint32_t>(variant),
         .second_stop = second};
  const std::vector<std::string> violations = run_case(one);
  for (const std::string& violation : violations) std::printf("%s\n", violation.c_str());
  return violations.empty() ? 0 : 1;
}

class Runs {
 public:
  explicit Runs(const Options& options) : options_(options), begun_(std::time(nullptr)) {
    for (std::size_t scenario = 0; scenario < std::size(scenarios); ++scenario)
      tallies_[scenario].operations = operations_of(scenario);
  }

  // First what is certain at each boundary of all scenarios, then one variant of chance after the
  // other: wherever the time ends, every scenario had its part.
  void all() {
    for (std::uint32_t round = 0; round <= options_.variants; ++round) {
      std::vector<Case> cases;
      for (std::size_t scenario = 0; scenario < std::size(scenarios); ++scenario) {
        const std::uint64_t operations = tallies_[scenario].operations;
        if (round == 0) add_certain(cases, scenario, options_.stride, operations);
        if (round > 0) add_variant(cases, scenario, round - 1, options_.stride, operations);
      }
      if (options_.is_spread) std::ranges::shuffle(cases, spread_);
      run(cases);
    }
  }

  int tell() const {
    Tally sum;
    nlohmann::json told = nlohmann::json::array();
    for (std::size_t scenario = 0; scenario < std::size(scenarios); ++scenario) {
      const Tally& one = tallies_[scenario];
      sum.operations += one.operations;
      sum.states += one.states;
      sum.violations += one.violations;
      told.push_back({{"scenario", scenarios[scenario].name},
                      {"boundaries", one.operations},
                      {"states", one.states},
                      {"violations", one.violations}});
      if (!options_.json)
        std::printf("%-30s %4lu operations, %8lu states, %lu violations\n",
                    scenarios[scenario].name, one.operations, one.states, one.violations);
    }
    const auto seconds = static_cast<long>(std::time(nullptr) - begun_);
    if (options_.json) {
      const nlohmann::json all = {{"scenarios", std::size(scenarios)},
                                  {"boundaries", sum.operations},
                                  {"states", sum.states},
                                  {"violations", sum.violations},
                                  {"seconds", seconds},
                                  {"by_scenario", told}};
      std::printf("%s\n", all.dump().c_str());
    } else {
      std::printf("%lu states of %zu scenarios in %ld s, %lu violations\n", sum.states,
                  std::size(scenarios), seconds, sum.violations);
    }
    return sum.violations == 0 && sum.states > 0 ? 0 : 1;
  }

 private:
  bool is_over() const {
    return (options_.states_max > 0 && states_ >= options_.states_max) ||
           (options_.seconds > 0 &&
            std::time(nullptr) - begun_ >= static_cast<std::time_t>(options_.seconds));
  }
  void run(const std::vector<Case>& cases) {
    for (std::size_t done = 0; done < cases.size() && !is_over();) {
      std::size_t end = std::min(done + cases_a_process, cases.size());
      if (options_.states_max > 0)
        end = std::min<std::size_t>(end, done + options_.states_max - states_);
      // A process's cases are of one scenario, but where they are spread.
      while (!options_.is_spread && cases[end - 1].scenario != cases[done].scenario) --end;
      tallies_[cases[done].scenario].violations += run_apart(cases, done, end);
      for (std::size_t at = done; at < end; ++at) ++tallies_[cases[at].scenario].states;
      states_ += end - done;
      done = end;
    }
  }

  static constexpr std::size_t cases_a_process = 200;
  const Options& options_;
  const std::time_t begun_;
  std::uint64_t states_ = 0;
  std::mt19937_64 spread_{1};
  std::array<Tally, std::size(scenarios)> tallies_{};
};

}  // namespace
}  // namespace kurir::crash

int main(int count, char** words) {
  kurir::crash::Options options;
  CLI::App app("Every crash state of a shard: each must be recovered");
  app.add_option("--variants", options.variants,
                 "subsets of what was not synced, a place and mode");
  app.add_option("--stride", options.stride, "every so many operations")
      ->check(CLI::Range(1, 1000));
  app.add_option("--states", options.states_max, "at most; 0: all");
  app.add_option("--seconds", options.seconds, "at most; 0: without a bound");
  app.add_flag("--spread", options.is_spread, "in no order: the first ones are of all kinds");
  app.add_flag("--json", options.json, "what was seen as one JSON object");
  const std::map<std::string, kurir::crash::Plant> plants{
      {"lying-sync", kurir::crash::Plant::lying_sync},
      {"lying-directory-sync", kurir::crash::Plant::lying_directory_sync}};
  app.add_option("--plant", kurir::crash::plant, "what is wrong with the disk: must be found")
      ->transform(CLI::CheckedTransformer(plants));
  app.add_option("--failed-syncs", options.failed_syncs,
                 "instead: so many syncs fail, and what was acknowledged is looked for");
  app.add_option("--case", options.one, "one state, as a violation names it");
  CLI11_PARSE(app, count, words);
  if (!options.one.empty()) return kurir::crash::run_one(options.one);
  if (options.failed_syncs > 0)
    return kurir::crash::run_failed_syncs(options.failed_syncs, options.json);
  // A machine's memory goes with its process: giving some back meanwhile only costs.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  kurir::crash::Runs runs(options);
  runs.all();
  return runs.tell();
}
