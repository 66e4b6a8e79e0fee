#include "kurir/sink/run.hh"

#include <algorithm>
#include <atomic>
#include <optional>

#include "dump.hh"
#include "kurir/coro/scope.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/core.hh"
#include "kurir/io/file.hh"
#include "kurir/io/signals.hh"
#include "kurir/sink/session.hh"
#include "kurir/tls/tls_stream.hh"

namespace kurir::sink {
namespace {

constexpr Nanoseconds watch_interval = Milliseconds(20);
constexpr Nanoseconds grace = Seconds(1);  // for what is being said at the end
constexpr std::string_view refusal = "421 4.3.2 Too many connections\r\n";

}  // namespace

struct Sink::Shared {
  Shared(const Options& options_of, unsigned cores_of)
      : options(options_of), cores(cores_of), address(options.address), messages(cores_of) {
    if (options.greylist) greylist.emplace();
    street.greylist = greylist ? &*greylist : nullptr;
    const std::string secret = io::system_random(ticket_secret.size());
    std::ranges::copy(secret, ticket_secret.begin());
    for (unsigned core = 0; core < cores; ++core)
      houses.push_back(std::make_unique<House>(options, street));
  }
  const Options options;
  const unsigned cores;
  io::SocketAddress address;  // the first core's port is everybody's
  std::optional<Greylist> greylist;
  Street street;
  tls::TicketKeys::Octets ticket_secret;
  std::vector<std::unique_ptr<House>> houses;        // by core
  std::vector<std::atomic<std::uint64_t>> messages;  // by core, for all to see
  std::atomic<std::uint64_t> sessions_ended{0};
  std::atomic<unsigned> listening{0};
  std::atomic<bool> stopped{false};
  std::optional<Error> error;  // of the first core that could not listen; others have stopped then
};

class Sink::OnCore {
 public:
  OnCore(Shared& shared, CoreIndex core)
      : shared_(shared),
        house_(*shared.houses[core.value]),
        core_(core),
        dump_(shared.options.dump, shared.options.hostname),
        tickets_(shared.ticket_secret, Instant()) {
    if (dump_.is_wanted()) house_.keepers.push_back(&dump_);
  }

  Task<void> go(Keeper* mailboxes) {
    if (mailboxes != nullptr) house_.keepers.push_back(mailboxes);
    // One after the other: the first may choose the port.
    while (shared_.listening.load() < core_.value && !shared_.stopped)
      co_await sleep_for(Milliseconds(1));
    if (shared_.stopped) co_return;
    io::SocketAddress address = shared_.address;
    auto listener = io::Listener::open(address);
    if (!listener) {
      shared_.error = listener.error();
      shared_.stopped = true;
      co_return;
    }
    shared_.address = address;
    const unsigned listening = shared_.listening.fetch_add(1) + 1;
    if (listening == shared_.cores && shared_.options.listening) shared_.options.listening(address);
    co_await serve(**listener);
    co_await (*listener)->close();
  }

 private:
  struct Open : ListLink {
    explicit Open(io::Descriptor descriptor) : socket(descriptor) {}
    io::Socket socket;
  };

  Task<void> serve(io::Listener& listener) {
    Scope scope;
    scope.start(accept_all(listener, scope));
    while (!shared_.stopped) {
      co_await sleep_for(watch_interval);
      watch();
    }
    listener.stop();
    house_.report.connections_open = open_;
    house_.stopping.set();
    released_.notify_all();
    streams_.for_each([](Open& open) { open.socket.wake(); });
    const Woken joined = co_await scope.join(deadline_in(grace));
    if (joined == Woken::by_signal) co_return;
    streams_.for_each([](Open& open) { open.socket.abort(); });
    co_await scope.join();
  }

  void watch() {
    released_.notify_all();
    const Options& options = shared_.options;
    shared_.messages[core_.value].store(house_.report.messages, std::memory_order_relaxed);
    if (core_.value != 0) return;
    std::uint64_t all = 0;
    for (const auto& messages : shared_.messages) all += messages.load(std::memory_order_relaxed);
    const std::uint64_t sessions = shared_.sessions_ended.load(std::memory_order_relaxed);
    if ((options.stop_after > 0 && all >= options.stop_after) ||
        (options.sessions_stop_after > 0 && sessions >= options.sessions_stop_after))
      shared_.stopped = true;
    if (!options.show_progress || io::now() - shown_ < Seconds(1)) return;
    io::print_error(std::to_string(all) + " messages, " + std::to_string(all - all_shown_) +
                    " a second, " + std::to_string(shared_.street.open.load()) +
                    " connections open");
    shown_ = io::now();
    all_shown_ = all;
  }

  Task<void> accept_all(io::Listener& listener, Scope& scope) {
    const Options& options = shared_.options;
    for (;;) {
      while (options.connections_wait && !shared_.stopped &&
             shared_.street.open.load() >= options.connections_max)
        co_await released_.wait();
      const Result<io::Descriptor> descriptor = co_await listener.accept();
      if (!descriptor) co_return;
      scope.start(serve_one(*descriptor));
    }
  }

  Task<void> serve_one(io::Descriptor descriptor) {
    Open open(descriptor);
    Report& report = house_.report;
    if (shared_.street.open.fetch_add(1) >= shared_.options.connections_max &&
        !shared_.options.connections_wait) {
      shared_.street.open.fetch_sub(1);
      ++report.refused;
      open.socket.output() += refusal;
      static_cast<void>(co_await open.socket.flush(deadline_in(Seconds(1))));
      co_await open.socket.close();
      co_return;
    }
    ++report.connections;
    report.connections_peak = std::max(report.connections_peak, ++open_);
    streams_.push_back(open);
    co_await converse(open.socket);
    open.unlink();
    --open_;
    shared_.street.open.fetch_sub(1);
    shared_.sessions_ended.fetch_add(1, std::memory_order_relaxed);
    released_.notify_all();
    co_await open.socket.close();
  }

  // Plain, then in TLS where it comes to that.
  Task<void> converse(io::Socket& socket) {
    using Begin = Session::Begin;
    const bool at_once = shared_.options.tls && shared_.options.tls_at_once;
    Session plain(socket, house_, at_once ? Begin::handshake : Begin::greeting);
    const Session::End end = co_await plain.run();
    if (end == Session::End::over) co_return;
    tls::TlsStream stream(socket);
    const tls::ServerSide side{shared_.options.tls, tickets_, "smtp"};
    const Result<void> accepted =
        co_await stream.accept(side, deadline_in(shared_.options.timeout));
    Report& report = house_.report;
    if (accepted) {
      ++report.handshakes;
      report.handshakes_resumed += stream.was_resumed() ? 1 : 0;
      Session session(stream, house_, at_once ? Begin::greeting : Begin::after_starttls);
      static_cast<void>(co_await session.run());
    } else {
      ++report.handshakes_failed;
      if (shared_.options.show_conversations)
        io::print_error(socket.peer().text() + " TLS failed: " + stream.failure());
    }
    co_await stream.close();
  }

  Shared& shared_;
  House& house_;
  const CoreIndex core_;
  DumpFiles dump_;
  tls::TicketKeys tickets_;
  IntrusiveList<Open> streams_;
  Signal released_;
  std::uint64_t open_ = 0;
  Instant shown_{};
  std::uint64_t all_shown_ = 0;
};

Sink::Sink(const Options& options, unsigned cores)
    : shared_(std::make_unique<Shared>(options, cores)) {}
Sink::~Sink() = default;

Task<void> Sink::run(CoreIndex core, Keeper* mailboxes) {
  OnCore part(*shared_, core);
  co_await part.go(mailboxes);
}

void Sink::ask_to_stop() { shared_->stopped = true; }

Result<Report> Sink::report() const {
  if (shared_->error) return std::unexpected(*shared_->error);
  Report report;
  for (const auto& house : shared_->houses) report.merge(house->report);
  report.expected = shared_->options.expected;
  return report;
}

namespace {

Task<void> await_signals(io::SignalWatch& watch, Sink& sink) {
  io::ProcessSignal signal{};
  for (;;) {
    const bool came = co_await watch.next(signal);
    if (!came) co_return;
    if (signal != io::ProcessSignal::hang_up) sink.ask_to_stop();
  }
}

Task<void> run_core(Sink& sink, CoreIndex core) {
  Scope scope;
  std::optional<io::SignalWatch> signals;
  if (core.value == 0) {
    signals.emplace();
    scope.start(await_signals(*signals, sink));
  }
  co_await sink.run(core);
  if (!signals) co_return;
  signals->stop();
  co_await scope.join();
  co_await signals->close();
}

}  // namespace

Result<Report> run(const Options& options) {
  const unsigned cores = io::Cores::resolve_count(options.cores);
  Sink sink(options, cores);
  io::CoresOptions cores_options;
  cores_options.count = cores;
  cores_options.offload_threads = 1;
  const Result<void> ran =
      io::Cores::run(cores_options, [&](CoreIndex core) { return run_core(sink, core); });
  if (!ran) return std::unexpected(ran.error());
  return sink.report();
}

}  // namespace kurir::sink
