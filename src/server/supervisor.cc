#include "supervisor.hh"

#include <fmt/format.h>

#include "kurir/io/file.hh"
#include "kurir/io/mesh.hh"
#include "kurir/io/offload.hh"
#include "kurir/server/control_protocol.hh"

namespace kurir::server {
namespace {

constexpr int standard_output = 1;
constexpr int exit_cannot_create = 73;

std::int64_t total(const std::vector<observe::Counters>& counters, observe::Counter counter) {
  std::int64_t sum = 0;
  for (const observe::Counters& core : counters) sum += core.get(counter);
  return sum;
}

}  // namespace

Supervisor::Supervisor(SharedState& shared, CoreServer& core, std::vector<DemoUser> users)
    : shared_(shared),
      core_(core),
      users_(std::move(users)),
      commands_(shared, [this] { scope_.start(stop_all()); }) {}

void Supervisor::start() {
  scope_.start(watch_signals());
  scope_.start(announce());
}

Task<void> Supervisor::join() {
  ended_.set();
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
    static_cast<void>(co_await io::offload([this] {
      shared_.events.reopen();
      return true;
    }));
  }
}

// The control socket first: a handler must not work on a core that stops.
Task<void> Supervisor::stop_all() {
  if (std::exchange(stopping_, true)) co_return;
  if (control_) co_await control_->stop();
  for (CoreServer* server : shared_.servers) {
    const CoreIndex core = server->core();
    co_await io::on_core(core, [server] { server->ask_to_stop(); });
  }
}

Task<void> Supervisor::announce() {
  const bool started = co_await core_.started();
  if (!started) co_return;
  Result<std::unique_ptr<admin::ControlServer>> control = admin::ControlServer::open(
      control_socket_path(io::absolute_path(shared_.data.path())), commands_.handlers());
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
  if (shared_.configuration.log.summary && io::is_terminal(standard_output)) co_await summarise();
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
  add("imap", shared_.listening.imap);
  add("pop3", shared_.listening.pop3);
  io::print_error(text);
}

// One line a second for whoever looks at a terminal.
Task<void> Supervisor::summarise() {
  using observe::Counter;
  const std::vector<observe::Counters>& counters = shared_.counters;
  std::int64_t received = 0, delivered = 0;
  while (!ended_.is_set()) {
    const Woken woken = co_await ended_.wait(deadline_in(Seconds(1)));
    if (woken == Woken::by_signal) co_return;
    const std::int64_t received_now = total(counters, Counter::messages_received);
    const std::int64_t delivered_now = total(counters, Counter::messages_delivered);
    io::print_output(fmt::format(
        "\rreceived {}/s  delivered {}/s  refused {}  open: smtp {} imap {} pop3 {}   ",
        received_now - received, delivered_now - delivered,
        total(counters, Counter::messages_rejected), total(counters, Counter::smtp_open),
        total(counters, Counter::imap_open), total(counters, Counter::pop3_open)));
    received = received_now;
    delivered = delivered_now;
  }
}

}  // namespace kurir::server
