// swarm: runs seeds, one after the other, each in a process of its own, and says what they found.
//
//   swarm [--seed S] [--count N] [--hours H] [--seeds FILE] [--twice] [--plant FAULT] [--trace]
//
// --trace runs one seed here and writes all that happens to standard error. The exit code is 1
// where a seed violates something.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "run.hh"

namespace kurir::sim {
namespace {

struct Options {
  std::uint64_t seed = 1, count = 1;
  double hours = 1;
  std::string seeds_path, planted = "nothing";
  bool is_run_twice = false, is_traced = false, is_quiet = false;
};

struct Total {
  std::uint64_t seeds = 0, failed = 0, sent = 0, acknowledged = 0, relayed = 0, crashes = 0,
                stops = 0, faults = 0, cuts = 0, memory = 0;
  double hours = 0;
};

Planted planted_of(const std::string& name) {
  return name == "lying-sync" ? Planted::sync_that_lies : Planted::nothing;
}

RunOptions options_of(const Options& options, std::uint64_t seed) {
  RunOptions run;
  run.seed = seed;
  run.load_time = Nanoseconds(static_cast<std::int64_t>(options.hours * 3.6e12));
  run.planted = planted_of(options.planted);
  run.is_traced = options.is_traced;
  return run;
}

std::string text_of(const RunResult& result) {
  std::ostringstream out;
  out << result.trace_hash << ' ' << result.hours << ' ' << result.sent << ' '
      << result.acknowledged << ' ' << result.relayed << ' ' << result.crashes << ' '
      << result.stops << ' ' << result.faults << ' ' << result.cuts << ' ' << result.memory_octets
      << ' ' << result.events << '\n'
      << result.plan << '\n';
  for (const std::string& violation : result.violations) out << violation << '\n';
  return out.str();
}

// Runs it in a child, whose memory goes with it; a child that dies is a violation.
std::string run_apart(const RunOptions& options) {
  constexpr rlim_t cpu_seconds_max = 120;
  int ends[2];
  if (::pipe(ends) != 0) return "0\n\ncannot make a pipe\n";
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{cpu_seconds_max, cpu_seconds_max};
    ::setrlimit(RLIMIT_CPU, &limit);
    const std::string text = text_of(Run(options).go());
    [[maybe_unused]] const auto written = ::write(ends[1], text.data(), text.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text;
  char block[4096];
  for (ssize_t count = 0; (count = ::read(ends[0], block, sizeof block)) > 0;)
    text.append(block, static_cast<std::size_t>(count));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    text += "0\n\nthe program died: signal " + std::to_string(WTERMSIG(status)) + "\n";
  return text;
}

// One seed: adds up what it did, prints what it found.
void run_seed(const Options& options, std::uint64_t seed, Total& total) {
  const std::string text = run_apart(options_of(options, seed));
  std::istringstream in(text);
  RunResult result;
  in >> result.trace_hash >> result.hours >> result.sent >> result.acknowledged >> result.relayed >>
      result.crashes >> result.stops >> result.faults >> result.cuts >> result.memory_octets >>
      result.events;
  in.clear();
  in.ignore(1000, '\n');
  std::getline(in, result.plan);
  std::string violations, line;
  while (std::getline(in, line)) violations += "  " + line + "\n";
  const auto hash_in = [](const std::string& told) { return told.substr(0, told.find(' ')); };
  if (options.is_run_twice && hash_in(run_apart(options_of(options, seed))) != hash_in(text))
    violations += "  a second run of the seed went another way\n";
  ++total.seeds;
  total.hours += result.hours;
  total.sent += result.sent;
  total.acknowledged += result.acknowledged;
  total.relayed += result.relayed;
  total.crashes += result.crashes;
  total.stops += result.stops;
  total.faults += result.faults;
  total.cuts += result.cuts;
  total.memory = std::max(total.memory, result.memory_octets);
  if (!violations.empty()) ++total.failed;
  if (!violations.empty() || !options.is_quiet)
    std::printf("seed %llu %s %s\n%s", static_cast<unsigned long long>(seed),
                violations.empty() ? "ok" : "VIOLATED", result.plan.c_str(), violations.c_str());
  std::fflush(stdout);
}

std::vector<std::uint64_t> seeds_in(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::uint64_t> seeds;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line[0] != '#') seeds.push_back(std::stoull(line));
  return seeds;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void print(const Total& total) {
  const double cpu_hours = cpu_seconds() / 3600;
  std::printf(
      "%llu seeds, %llu violated; %.0f simulated hours in %.3f hours of CPU: %.0f an hour\n"
      "mail sent %llu, acknowledged %llu, taken by sinks %llu; crashes %llu, stops %llu, "
      "operations failed %llu, connections cut %llu; memory at most %llu MiB\n",
      static_cast<unsigned long long>(total.seeds), static_cast<unsigned long long>(total.failed),
      total.hours, cpu_hours, total.hours / cpu_hours, static_cast<unsigned long long>(total.sent),
      static_cast<unsigned long long>(total.acknowledged),
      static_cast<unsigned long long>(total.relayed),
      static_cast<unsigned long long>(total.crashes), static_cast<unsigned long long>(total.stops),
      static_cast<unsigned long long>(total.faults), static_cast<unsigned long long>(total.cuts),
      static_cast<unsigned long long>(total.memory >> 20));
}

int run(const Options& options) {
  if (options.is_traced) {
    const RunResult result = Run(options_of(options, options.seed)).go();
    std::printf("%s", text_of(result).c_str());
    return result.violations.empty() ? 0 : 1;
  }
  Total total;
  if (!options.seeds_path.empty())
    for (const std::uint64_t seed : seeds_in(options.seeds_path)) run_seed(options, seed, total);
  for (std::uint64_t n = 0; n < options.count; ++n) run_seed(options, options.seed + n, total);
  print(total);
  return total.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace kurir::sim

int main(int argc, char** argv) {
  kurir::sim::Options options;
  CLI::App app{"Runs the server in simulated machines, one a seed"};
  app.add_option("--seed", options.seed, "the first seed");
  app.add_option("--count", options.count, "how many seeds from it on");
  app.add_option("--hours", options.hours, "how long mail is sent, in simulated hours");
  app.add_option("--seeds", options.seeds_path, "a file with further seeds, one a line");
  app.add_option("--plant", options.planted, "build in a fault: lying-sync")
      ->check(CLI::IsMember({"nothing", "lying-sync"}));
  app.add_flag("--twice", options.is_run_twice, "run each twice and compare");
  app.add_flag("--trace", options.is_traced, "one seed, with all that happens");
  app.add_flag("--quiet", options.is_quiet, "only what is violated");
  CLI11_PARSE(app, argc, argv);
  return kurir::sim::run(options);
}
