#include "supervisor.hh"

#include <fmt/format.h>

#include "kurir/io/clock.hh"
#include "kurir/io/file.hh"
#include "kurir/io/mesh.hh"
#include "kurir/io/offload.hh"
#include "kurir/server/control_protocol.hh"
#include "reload.hh"

namespace kurir::server {
namespace {

constexpr int standard_output = 1;
constexpr int exit_cannot_create = 73;
constexpr Nanoseconds greylist_interval = std::chrono::minutes(5);
constexpr Nanoseconds memory_interval = Seconds(1);
constexpr unsigned shed_at_once_max = 256;  // a core, an interval

}  // namespace

Supervisor::Supervisor(SharedState& shared, CoreServer& core, std::vector<DemoUser> users)
    : shared_(shared),
      core_(core),
      users_(std::move(users)),
      commands_(shared, [this] { scope_.start(stop_all()); }),
      directory_watch_(shared),
      terminal_("stdout"),
      summary_(shared.counters,
               shared.configuration.log.events == "stdout" ? shared.events : terminal_) {}

void Supervisor::start() {
  scope_.start(watch_signals());
  scope_.start(announce());
  if (shared_.options.guest != nullptr) scope_.start(await_guest());
  if (shared_.configuration.strangers.greylist) scope_.start(keep_greylist());
}

Task<void> Supervisor::await_guest() {
  const bool started = co_await core_.started();
  if (!started) co_return;
  co_await core_.guest_left().wait();
  co_await stop_all();
}

Task<void> Supervisor::join() {
  ended_ = true;
  ends_.notify_all();
  directory_watch_.stop();
  co_await summary_.stop();
  co_await signals_.close();
  co_await scope_.join();
}

Task<void> Supervisor::watch_signals() {
  io::ProcessSignal signal{};
  for (;;) {
    const bool got = co_await signals_.next(signal);
    if (!got) co_return;
    if (signal != io::ProcessSignal::hang_up) {
      co_await stop_all();
      continue;
    }
    tell(ServiceState::reloading);
    const auto reopened = co_await io::offload([this] { return shared_.events.reopen(); });
    if (!reopened || !*reopened)
      io::print_error("kurir: cannot open " + shared_.configuration.log.events +
                      " anew; events go on to the old file");
    const std::string kept = co_await reload_certificates(shared_);
    if (!kept.empty()) io::print_error("kurir: " + kept);
    const std::string keys_kept = co_await reload_token_keys(shared_);
    if (!keys_kept.empty()) io::print_error("kurir: " + keys_kept);
    tell(ServiceState::ready);
  }
}

// The control socket first: a handler must not work on a core that stops.
Task<void> Supervisor::stop_all() {
  if (std::exchange(stopping_, true)) co_return;
  tell(ServiceState::stopping);
  directory_watch_.stop();
  commands_.ask_sessions_to_end();
  if (control_) co_await control_->stop();
  for (CoreServer* server : shared_.servers) {
    const CoreIndex core = server->core();
    co_await io::on_core(core, [server] { server->ask_to_stop(); });
  }
}

Task<void> Supervisor::announce() {
  const bool started = co_await core_.started();
  // Who was told to stop while it started has nobody to stop the control socket any more.
  if (!started || stopping_) co_return;
  scope_.start(directory_watch_.run());
  Result<std::unique_ptr<admin::ControlServer>> control =
      admin::ControlServer::open(control_socket_path(io::absolute_path(shared_.data.path())),
                                 commands_.handlers(), commands_.sessions());
  Result<void> written;
  if (control) control_ = std::move(*control);
  if (!control) written = std::unexpected(control.error());
  if (control && shared_.options.is_demo)
    written = write_demo_file(shared_.data.path(), shared_.listening, users_);
  if (!written) {
    io::print_error("kurir: cannot write into the data directory " + shared_.data.path());
    shared_.failed(exit_cannot_create);
    scope_.start(stop_all());
    co_return;
  }
  print_greeting();
  tell(ServiceState::ready);
  if (shared_.options.surroundings.memory_used) scope_.start(watch_memory());
  if (shared_.options.surroundings.watchdog_interval > Nanoseconds(0))
    scope_.start(feed_watchdog());
  if (shared_.configuration.log.summary && io::is_terminal(standard_output)) {
    static_cast<void>(terminal_.reopen());  // standard output is open
    summary_.start();
  }
}

void Supervisor::tell(ServiceState state) const {
  if (shared_.options.surroundings.tell) shared_.options.surroundings.tell(state);
}

// A core that hangs answers no longer, and nothing is told any more: the manager restarts us.
Task<void> Supervisor::feed_watchdog() {
  const Nanoseconds interval = shared_.options.surroundings.watchdog_interval / 2;
  while (!ended_ && !stopping_) {
    for (const CoreServer* server : shared_.servers) co_await io::on_core(server->core(), [] {});
    tell(ServiceState::alive);
    co_await ends_.wait(deadline_in(interval));
  }
}

// The order in which work is given up: patience with strangers, strangers who are there, newcomers.
// Whoever has logged in or sends a message stays.
Task<void> Supervisor::watch_memory() {
  const Surroundings& around = shared_.options.surroundings;
  const std::uint64_t said = shared_.configuration.limits.memory_max;
  const std::uint64_t octets_max = said > 0 ? said : around.memory_octets / 4 * 3;
  while (octets_max > 0 && !ended_ && !stopping_) {
    const bool is_short = around.memory_used() > octets_max;
    shared_.connection_counts.set_memory_is_short(is_short);
    for (CoreServer* server : shared_.servers)
      if (is_short)
        co_await io::on_core(server->core(), [server] { server->shed(shed_at_once_max); });
    co_await ends_.wait(deadline_in(memory_interval));
  }
}

// Read before anybody is served: the cores have to recover first.
Task<void> Supervisor::keep_greylist() {
  const std::string path = shared_.data.path() + "/greylist";
  const auto octets = co_await io::offload([path] { return io::read_file(path, 256 << 20); });
  const bool is_there = octets && *octets;
  if (is_there && !shared_.greylist.read(**octets))
    io::print_error("kurir: " + path + " is damaged; greylisting begins anew");
  while (!ended_) {
    co_await ends_.wait(deadline_in(greylist_interval));
    if (shared_.greylist.is_changed()) co_await write_greylist();
  }
}

Task<void> Supervisor::write_greylist() {
  const std::string path = shared_.data.path() + "/greylist";
  std::string octets = shared_.greylist.written(io::wall_now().seconds());
  const auto written = co_await io::offload(
      [path, octets = std::move(octets)] { return io::replace_file(path, octets); });
  if (!written || !*written) io::print_error("kurir: " + path + " cannot be written");
}

void Supervisor::print_greeting() {
  if (shared_.options.is_demo) {
    io::print_output(demo_greeting(shared_.listening, users_, shared_.data.path()));
    return;
  }
  std::string text = fmt::format("kurir: {} is serving", shared_.configuration.hostname);
  const auto add = [&](std::string_view name, const Configuration::Addresses& addresses) {
    for (const io::SocketAddress& address : addresses)
      text += fmt::format(" {} {}", name, address.text());
  };
  add("smtp", shared_.listening.smtp);
  add("submission", shared_.listening.submission);
  add("submissions", shared_.listening.submissions);
  add("imap", shared_.listening.imap);
  add("imaps", shared_.listening.imaps);
  add("pop3", shared_.listening.pop3);
  add("pop3s", shared_.listening.pop3s);
  add("lmtp", shared_.listening.lmtp);
  io::print_error(text);
}

}  // namespace kurir::server
