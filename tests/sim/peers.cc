#include "peers.hh"

#include "kurir/io/core.hh"

namespace kurir::sim {

Peers::Peers(io::simulated::World& world, const Plan& plan, Ledger& ledger)
    : world_(world),
      plan_(plan),
      ledger_(ledger),
      senders_running_(plan.senders),
      readers_running_(plan.readers) {}

void Peers::run() {
  process_ = &io::simulated::Process::current();
  process_->is_spared = true;
  io::CoresOptions options;
  options.count = 1;
  options.driver = {.entries = 64, .receive_buffers = 64, .receive_buffer_octets = 16 * 1024};
  const Result<void> ran = io::Cores::run(options, [this](CoreIndex) { return main(); });
  KURIR_ASSERT(ran.has_value());
}

Task<void> Peers::main() {
  Scope scope;
  scope_ = &scope;
  core_ = &io::Core::current();
  for (unsigned domain = 0; domain < remote_domains; ++domain) scope.start(listen(domain));
  for (unsigned sender = 0; sender < plan_.senders; ++sender) scope.start(send_all(sender));
  for (unsigned reader = 0; reader < plan_.readers; ++reader)
    scope.start(read_now_and_then(reader));
  co_await stop_.wait();
  for (io::Listener* listener : listeners_) listener->stop();
  co_await scope.join();
}

void Peers::look(Look& look) {
  process_->post(Nanoseconds(0), [this, &look] {
    io::Core::exchange_current(core_);
    scope_->start(look_at_all(look));
    core_->driver().wake_from_anywhere();
    io::Core::exchange_current(nullptr);
  });
}

void Peers::stop() {
  process_->post(Nanoseconds(0), [this] {
    io::Core::exchange_current(core_);
    stop_.set();
    core_->driver().wake_from_anywhere();
    io::Core::exchange_current(nullptr);
  });
}

// Any of some addresses, so that no limit by address is met.
io::SocketAddress Peers::own_address() {
  return io::SocketAddress::ipv4({203, 0, 113, static_cast<std::uint8_t>(1 + random().below(200))},
                                 0);
}

void Peers::note_late(const Conversation& server) { late += server.was_late(); }

}  // namespace kurir::sim
