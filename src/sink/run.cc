#include "kurir/sink/run.hh"

#include <algorithm>
#include <atomic>
#include <memory>

#include "kurir/coro/scope.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/core.hh"
#include "kurir/io/file.hh"
#include "kurir/io/signals.hh"
#include "session.hh"

namespace kurir::sink {
namespace {

constexpr Nanoseconds watch_interval = Milliseconds(20);

// What all cores share.
struct Run {
  Run(const Options& options_of, unsigned cores_of)
      : options(options_of), cores(cores_of), address(options.address), messages(cores_of) {
    for (unsigned core = 0; core < cores; ++core)
      houses.push_back(std::make_unique<House>(options, options.seed + core));
  }
  const Options& options;
  const unsigned cores;
  io::SocketAddress address;                         // the first core's port is everybody's
  std::vector<std::unique_ptr<House>> houses;        // by core
  std::vector<std::atomic<std::uint64_t>> messages;  // by core, for all to see
  std::atomic<unsigned> listening{0};
  std::atomic<bool> stopped{false}, failed{false};
  std::optional<Error> error;  // of the first core
};

class CoreRun {
 public:
  CoreRun(Run& run, CoreIndex core) : run_(run), house_(*run.houses[core.value]), core_(core) {}

  Task<void> go() {
    // One after the other: the first may choose the port.
    while (run_.listening.load() < core_.value && !run_.failed) co_await sleep_for(Milliseconds(1));
    if (run_.failed) co_return;
    io::SocketAddress address = run_.address;
    auto listener = io::Listener::open(address);
    if (!listener) {
      run_.error = listener.error();
      run_.failed = true;
      co_return;
    }
    run_.address = address;
    const unsigned listening = run_.listening.fetch_add(1) + 1;
    if (listening == run_.cores && run_.options.listening) run_.options.listening(address);
    co_await serve(**listener);
    co_await (*listener)->close();
  }

 private:
  Task<void> serve(io::Listener& listener) {
    Scope scope, helpers;
    std::optional<io::SignalWatch> signals;
    if (core_.value == 0) {
      signals.emplace();
      helpers.start(await_signals(*signals));
    }
    scope.start(accept_all(listener, scope));
    while (!run_.stopped && !run_.failed) {
      co_await sleep_for(watch_interval);
      watch();
    }
    listener.stop();
    streams_.for_each([](Open& open) { open.socket.abort(); });
    co_await scope.join();
    if (signals) {
      signals->stop();
      co_await helpers.join();
      co_await signals->close();
    }
  }

  void watch() {
    run_.messages[core_.value].store(house_.report.messages, std::memory_order_relaxed);
    if (core_.value != 0) return;
    std::uint64_t all = 0;
    for (const auto& messages : run_.messages) all += messages.load(std::memory_order_relaxed);
    if (run_.options.stop_after > 0 && all >= run_.options.stop_after) run_.stopped = true;
    if (!run_.options.show_progress || io::now() - shown_ < Seconds(1)) return;
    io::print_error(std::to_string(all) + " messages, " + std::to_string(all - all_shown_) +
                    " a second");
    shown_ = io::now();
    all_shown_ = all;
  }

  Task<void> await_signals(io::SignalWatch& watch) {
    io::ProcessSignal signal{};
    for (;;) {
      const bool came = co_await watch.next(signal);
      if (!came) co_return;
      if (signal != io::ProcessSignal::hang_up) run_.stopped = true;
    }
  }

  struct Open : ListLink {
    explicit Open(io::Descriptor descriptor) : socket(descriptor) {}
    io::Socket socket;
  };

  Task<void> accept_all(io::Listener& listener, Scope& scope) {
    for (;;) {
      const Result<io::Descriptor> descriptor = co_await listener.accept();
      if (!descriptor) co_return;
      scope.start(serve_one(*descriptor));
    }
  }

  Task<void> serve_one(io::Descriptor descriptor) {
    Open open(descriptor);
    Report& report = house_.report;
    if (report.connections_open >= std::max(1U, run_.options.connections_max / run_.cores)) {
      ++report.refused;
      open.socket.output() += "421 4.3.2 Too many connections\r\n";
      static_cast<void>(co_await open.socket.flush(deadline_in(Seconds(1))));
      co_await open.socket.close();
      co_return;
    }
    ++report.connections;
    report.connections_peak = std::max(report.connections_peak, ++report.connections_open);
    streams_.push_back(open);
    Session session(open.socket, house_);
    co_await session.run();
    open.unlink();
    --report.connections_open;
    co_await open.socket.close();
  }

  Run& run_;
  House& house_;
  const CoreIndex core_;
  IntrusiveList<Open> streams_;
  Instant shown_{};
  std::uint64_t all_shown_ = 0;
};

Task<void> run_core(Run& run, CoreIndex core) {
  CoreRun part(run, core);
  co_await part.go();
}

}  // namespace

Result<Report> run(const Options& options) {
  const unsigned cores = io::Cores::resolve_count(options.cores);
  auto shared = std::make_unique<Run>(options, cores);
  io::CoresOptions cores_options;
  cores_options.count = cores;
  cores_options.offload_threads = 1;
  const Result<void> ran =
      io::Cores::run(cores_options, [&](CoreIndex core) { return run_core(*shared, core); });
  if (!ran) return std::unexpected(ran.error());
  if (shared->error) return std::unexpected(*shared->error);
  Report report;
  for (const auto& house : shared->houses) report.merge(house->report);
  report.expected = options.expected;
  return report;
}

}  // namespace kurir::sink
