#include "kurir/blast/run.hh"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "course.hh"
#include "kurir/blast/letters.hh"
#include "kurir/coro/event.hh"
#include "kurir/coro/scope.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/core.hh"
#include "kurir/io/file.hh"
#include "kurir/io/signals.hh"
#include "mailbox_load.hh"
#include "smtp_load.hh"

namespace kurir::blast {
namespace {

constexpr Nanoseconds watch_interval = Milliseconds(20);

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return double(time.tv_sec) + double(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// What all cores share.
struct Run {
  explicit Run(const Options& options_of, unsigned cores_of)
      : options(options_of),
        cores(cores_of),
        letters(options),
        course(options),
        reports(cores),
        ended(cores) {}
  const Options& options;
  const unsigned cores;
  const Letters letters;
  Course course;
  std::vector<Report> reports;  // by core
  std::atomic<unsigned> cores_ended{0};
  std::atomic<bool> begun{false}, interrupted{false};
  std::vector<Instant> ended;  // by core
};

// One core's part: its sessions, and who ends them when the run is interrupted.
class CoreRun {
 public:
  CoreRun(Run& run, CoreIndex core) : run_(run), core_(core) {}

  Task<void> go() {
    if (core_.value == 0) {
      run_.course.begin(io::now());
      run_.begun.store(true, std::memory_order_release);
    }
    while (!run_.begun.load(std::memory_order_acquire)) co_await sleep_for(Milliseconds(1));
    Scope sessions, helpers;
    for (unsigned ordinal = core_.value; ordinal < run_.options.sessions; ordinal += run_.cores)
      sessions.start(one_session(ordinal));
    io::SignalWatch* watch = nullptr;
    std::unique_ptr<io::SignalWatch> signals;
    if (core_.value == 0) {
      signals = std::make_unique<io::SignalWatch>();
      watch = signals.get();
      helpers.start(await_signals(*watch));
    }
    helpers.start(watch_over());
    co_await sessions.join();
    run_.ended[core_.value] = io::now();
    run_.cores_ended.fetch_add(1, std::memory_order_acq_rel);
    ended_ = true;
    // The first core hears signals, and shows progress, until all have ended.
    while (core_.value == 0 && run_.cores_ended.load(std::memory_order_acquire) < run_.cores)
      co_await sleep_for(watch_interval);
    all_ended_ = true;
    if (watch != nullptr) watch->stop();
    co_await helpers.join();
    if (watch != nullptr) co_await watch->close();
  }

 private:
  std::unique_ptr<SessionLoad> load_of(unsigned ordinal) {
    Report& report = run_.reports[core_.value];
    const Protocol protocol = run_.options.protocol;
    if (protocol == Protocol::imap || protocol == Protocol::pop3)
      return std::make_unique<MailboxLoad>(run_.options, run_.letters, run_.course, report,
                                           ordinal);
    return std::make_unique<SmtpLoad>(run_.options, run_.letters, run_.course, report, ordinal);
  }

  Task<void> one_session(unsigned ordinal) {
    const std::unique_ptr<SessionLoad> load = load_of(ordinal);
    loads_.push_back(*load);
    co_await load->run();
    load->unlink();
  }

  Task<void> await_signals(io::SignalWatch& watch) {
    io::ProcessSignal signal{};
    for (;;) {
      const bool came = co_await watch.next(signal);
      if (!came) co_return;
      if (signal == io::ProcessSignal::hang_up) continue;
      run_.interrupted.store(true);
      run_.course.stop();
    }
  }

  Task<void> watch_over() {
    Instant shown = io::now();
    std::uint64_t accepted_before = 0;
    while (!(core_.value == 0 ? all_ended_ : ended_)) {
      co_await sleep_for(watch_interval);
      if (run_.interrupted.load()) loads_.for_each([](SessionLoad& load) { load.abort(); });
      if (!run_.options.show_progress || core_.value != 0) continue;
      if (io::now() - shown < Seconds(1)) continue;
      shown = io::now();
      show(accepted_before);
    }
  }

  // Of this core, times the cores: the others' counts are theirs.
  void show(std::uint64_t& before) const {
    const std::uint64_t accepted = run_.reports[0].accepted;
    io::print_error(std::to_string((accepted - before) * run_.cores) + " messages a second");
    before = accepted;
  }

  Run& run_;
  const CoreIndex core_;
  IntrusiveList<SessionLoad> loads_;
  bool ended_ = false, all_ended_ = false;
};

Task<void> run_core(Run& run, CoreIndex core) {
  CoreRun part(run, core);
  co_await part.go();
}

}  // namespace

Result<Report> run(const Options& options) {
  const unsigned cores =
      std::min(io::Cores::resolve_count(options.cores), std::max(options.sessions, 1U));
  auto shared = std::make_unique<Run>(options, cores);
  const double cpu_before = cpu_seconds();
  io::CoresOptions cores_options;
  cores_options.count = cores;
  cores_options.offload_threads = 1;
  const Result<void> ran =
      io::Cores::run(cores_options, [&](CoreIndex core) { return run_core(*shared, core); });
  if (!ran) return std::unexpected(ran.error());
  Report report;
  for (const Report& part : shared->reports) report.merge(part);
  report.interrupted = shared->interrupted;
  report.of_mailboxes = !options.mix.empty();
  report.elapsed = std::max(
      *std::ranges::max_element(shared->ended) - shared->course.measured_from(), Nanoseconds(0));
  report.cpu_seconds = cpu_seconds() - cpu_before;
  return report;
}

}  // namespace kurir::blast
