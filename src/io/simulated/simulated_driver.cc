#include "simulated_driver.hh"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "kurir/base/assert.hh"

namespace kurir::io::simulated {
namespace {

constexpr std::size_t block_octets = 4096;  // of direct access

bool is_aligned(const OpenFile& open, const void* memory, std::size_t octets,
                std::uint64_t offset) {
  return !open.is_direct || (reinterpret_cast<std::uintptr_t>(memory) % block_octets == 0 &&
                             octets % block_octets == 0 && offset % block_octets == 0);
}

bool passes(int error) { return error == EINTR || error == EAGAIN || error == ENOBUFS; }

}  // namespace

SimulatedDriver::SimulatedDriver(const DriverOptions& options)
    : world_(World::current()),
      process_(Process::current()),
      options_(options),
      buffer_memory_(new char[options.receive_buffers * options.receive_buffer_octets]) {
  for (unsigned buffer = options.receive_buffers; buffer > 0; --buffer)
    return_buffer(static_cast<std::uint16_t>(buffer - 1));
}

SimulatedDriver::~SimulatedDriver() {
  port_->is_open = false;
  port_->wake = nullptr;
}

// --- the loop: who drives cores calls this when there is a reason

void SimulatedDriver::turn(bool, Instant) {
  ++turns_;
  std::deque<Port::Ended> ended = std::exchange(port_->ended, {});
  for (const Port::Ended& end : ended)
    end.completion->on_completion(*end.completion, end.result, end.flags);
}

void SimulatedDriver::wake(Driver& other) { other.wake_from_anywhere(); }
void SimulatedDriver::wake_from_anywhere() {
  if (port_->wake) port_->wake();
}

int SimulatedDriver::strike(Operation operation) {
  return process_.is_spared ? 0 : world_.faults().strike(operation);
}

// --- sockets

Endpoint* SimulatedDriver::endpoint(Descriptor descriptor) {
  auto* found = std::get_if<std::shared_ptr<Endpoint>>(&process_.handle(descriptor.number));
  return found == nullptr ? nullptr : found->get();
}

DatagramEnd* SimulatedDriver::datagrams(Descriptor descriptor) {
  auto* found = std::get_if<std::shared_ptr<DatagramEnd>>(&process_.handle(descriptor.number));
  return found == nullptr ? nullptr : found->get();
}

void SimulatedDriver::watch(int descriptor) {
  const auto on_change = [this, descriptor] { changed(descriptor); };
  std::visit(
      [&](auto& handle) {
        if constexpr (requires { handle->on_change; }) handle->on_change = on_change;
      },
      process_.handle(descriptor));
}

void SimulatedDriver::changed(int descriptor) {
  const auto found = operations_.find(descriptor);
  if (found == operations_.end()) return;
  Operations& operations = found->second;
  Process::Handle& handle = process_.handle(descriptor);
  if (auto* acceptor = std::get_if<std::shared_ptr<Acceptor>>(&handle))
    return go_on_accepting(**acceptor, operations);
  if (auto* datagrams = std::get_if<std::shared_ptr<DatagramEnd>>(&handle))
    return go_on_receiving(**datagrams, operations);
  const std::shared_ptr<Endpoint> end = std::get<std::shared_ptr<Endpoint>>(handle);
  go_on_receiving(*end, operations);
  go_on_sending(*end, operations);
}

Result<Descriptor> SimulatedDriver::listen(SocketAddress& address, bool) {
  const std::shared_ptr<Acceptor> acceptor = world_.network().listen(address);
  const int number = process_.add(acceptor);
  if (number >= 0) {
    watch(number);
    return Descriptor{number};
  }
  world_.network().stop_listening(acceptor);
  return fail(Errc::refused, Origin::socket, -number);
}

void SimulatedDriver::accept(Descriptor listener, Completion& completion) {
  operations_[listener.number].accept = &completion;
  changed(listener.number);
}

void SimulatedDriver::go_on_accepting(Acceptor& acceptor, Operations& operations) {
  while (operations.accept != nullptr && !acceptor.waiting.empty()) {
    int result = -strike(Operation::accept);
    if (result == -ECONNABORTED) {
      acceptor.waiting.front()->close();
      acceptor.waiting.pop_front();
    }
    if (result == 0) result = process_.add(acceptor.waiting.front());
    CompletionFlags flags;
    flags.more = result >= 0;
    Completion& completion = *operations.accept;
    if (result >= 0) {
      acceptor.waiting.pop_front();
      watch(result);
    } else {
      operations.accept = nullptr;
    }
    port_->end(completion, result, flags);
  }
}

Result<Descriptor> SimulatedDriver::open_stream(Family family, const SocketAddress* from) {
  if (from != nullptr && from->family() != family) return fail(Errc::invalid, Origin::socket);
  const SocketAddress any =
      family == Family::ipv6 ? SocketAddress::ipv6({}, 0) : SocketAddress::ipv4({}, 0);
  SocketAddress local = world_.network().choose_local(any);
  if (from != nullptr) {
    const std::uint16_t port = from->port() == 0 ? local.port() : from->port();
    local = *from;
    local.set_port(port);
  }
  const int error = strike(Operation::open_socket);
  const int number = error != 0
                         ? -error
                         : process_.add(std::make_shared<Endpoint>(world_, local, SocketAddress()));
  if (number < 0) return fail(Errc::exhausted, Origin::socket, -number);
  watch(number);
  return Descriptor{number};
}

void SimulatedDriver::connect(Descriptor socket, const SocketAddress& to, Completion& completion) {
  const auto end = std::get<std::shared_ptr<Endpoint>>(process_.handle(socket.number));
  end->peer = to;
  const int error = strike(Operation::connect);
  if (error != 0) return port_->end(completion, -error);
  operations_[socket.number].connect = &completion;
  world_.network().connect(end, to, [this, port = port_, number = socket.number](int result) {
    if (!port->is_open || !process_.is_alive()) return;
    const auto found = operations_.find(number);
    if (found == operations_.end() || found->second.connect == nullptr) return;
    port->end(*std::exchange(found->second.connect, nullptr), -result);
  });
}

Result<Descriptor> SimulatedDriver::open_datagram(const SocketAddress& to) {
  auto datagrams = std::make_shared<DatagramEnd>();
  datagrams->local = world_.network().choose_local(to);
  datagrams->peer = to;
  const int error = strike(Operation::open_socket);
  const int number = error != 0 ? -error : process_.add(datagrams);
  if (number < 0) return fail(Errc::exhausted, Origin::socket, -number);
  watch(number);
  return Descriptor{number};
}

SocketAddress SimulatedDriver::peer_of(Descriptor socket) {
  const Endpoint* end = endpoint(socket);
  return end == nullptr ? datagrams(socket)->peer : end->peer;
}

SocketAddress SimulatedDriver::local_of(Descriptor socket) {
  const Endpoint* end = endpoint(socket);
  return end == nullptr ? datagrams(socket)->local : end->local;
}

void SimulatedDriver::receive(Descriptor socket, Completion& completion) {
  operations_[socket.number].receive = &completion;
  changed(socket.number);
}

void SimulatedDriver::end_receive(Operations& operations, int error) {
  port_->end(*std::exchange(operations.receive, nullptr), -error);
}

// Whether a buffer was there for it.
bool SimulatedDriver::give(Completion& completion, std::size_t octets_max,
                           const std::function<std::size_t(char*, std::size_t)>& fill) {
  if (free_buffers_.empty()) return false;
  CompletionFlags flags;
  flags.more = true;
  flags.has_buffer = true;
  flags.buffer = free_buffers_.back();
  free_buffers_.pop_back();
  char* memory = buffer_memory_.get() + flags.buffer * options_.receive_buffer_octets;
  const std::size_t octets = fill(memory, std::min(octets_max, options_.receive_buffer_octets));
  port_->end(completion, static_cast<std::int32_t>(octets), flags);
  return true;
}

void SimulatedDriver::go_on_receiving(Endpoint& end, Operations& operations) {
  while (operations.receive != nullptr && end.readable() > 0) {
    const int error = strike(Operation::receive);
    if (error != 0 && !passes(error)) end.reset(error);
    if (operations.receive == nullptr) return;
    if (error != 0) return end_receive(operations, error);
    const auto fill = [&](char* into, std::size_t octets) { return end.read(into, octets); };
    if (!give(*operations.receive, end.readable(), fill)) return end_receive(operations, ENOBUFS);
  }
  if (operations.receive == nullptr) return;
  if (end.at_end()) return end_receive(operations, 0);
  if (end.failure() != 0) end_receive(operations, end.failure());
}

void SimulatedDriver::go_on_receiving(DatagramEnd& end, Operations& operations) {
  while (operations.receive != nullptr && !end.received.empty()) {
    const std::string datagram = std::move(end.received.front());
    end.received.pop_front();
    const auto fill = [&](char* into, std::size_t octets) {
      return datagram.copy(into, std::min(octets, datagram.size()));
    };
    if (!give(*operations.receive, datagram.size(), fill)) return end_receive(operations, ENOBUFS);
  }
  if (operations.receive != nullptr && end.failure != 0)
    end_receive(operations, std::exchange(end.failure, 0));
}

void SimulatedDriver::send(Descriptor socket, std::string_view octets, Completion& completion) {
  Process::Handle& handle = process_.handle(socket.number);
  if (auto* end = std::get_if<std::shared_ptr<DatagramEnd>>(&handle)) {
    world_.network().send_datagram(*end, std::string(octets));
    return port_->end(completion, static_cast<std::int32_t>(octets.size()));
  }
  const std::shared_ptr<Endpoint> end = std::get<std::shared_ptr<Endpoint>>(handle);
  const int error = strike(Operation::send);
  if (error != 0 && !passes(error)) end->reset(error);
  if (error != 0) return port_->end(completion, -error);
  if (world_.random().chance(world_.network().weather.short_send))
    octets = octets.substr(0, world_.random().between(1, octets.size()));
  Operations& operations = operations_[socket.number];
  operations.send = &completion;
  operations.rest = octets;
  operations.sent = 0;
  go_on_sending(*end, operations);
}

void SimulatedDriver::go_on_sending(Endpoint& end, Operations& operations) {
  if (operations.send == nullptr) return;
  const std::size_t taken = end.send(operations.rest);
  if (operations.send == nullptr) return;  // what it sent has broken the connection
  operations.rest.remove_prefix(taken);
  operations.sent += static_cast<std::int32_t>(taken);
  const bool is_over = end.failure() != 0 || end.sends_no_more();
  if (!operations.rest.empty() && !is_over) return;
  const int error = end.failure() != 0 ? end.failure() : EPIPE;
  port_->end(*std::exchange(operations.send, nullptr),
             operations.sent > 0 || !is_over ? operations.sent : -error);
}

void SimulatedDriver::shut_down(Descriptor socket) {
  endpoint(socket)->shut_down();
  changed(socket.number);
}

void SimulatedDriver::shut_down_send(Descriptor socket) {
  endpoint(socket)->shut_down_send();
  changed(socket.number);
}

void SimulatedDriver::close(Descriptor descriptor) {
  operations_.erase(descriptor.number);
  Process::Handle handle = process_.remove(descriptor.number);
  if (auto* end = std::get_if<std::shared_ptr<Endpoint>>(&handle)) (*end)->close();
  if (auto* acceptor = std::get_if<std::shared_ptr<Acceptor>>(&handle))
    world_.network().stop_listening(*acceptor);
  if (auto* datagram = std::get_if<std::shared_ptr<DatagramEnd>>(&handle)) {
    (*datagram)->is_closed = true;
    (*datagram)->on_change = nullptr;
  }
}

void SimulatedDriver::cancel(Completion& completion) {
  for (auto& [number, operations] : operations_) {
    for (Completion** armed :
         {&operations.accept, &operations.receive, &operations.connect, &operations.send}) {
      if (*armed != &completion) continue;
      *armed = nullptr;
      const bool has_sent = armed == &operations.send && operations.sent > 0;
      return port_->end(completion, has_sent ? operations.sent : -ECANCELED);
    }
  }
}

std::string_view SimulatedDriver::received(std::uint16_t buffer, std::size_t octets) const {
  return {buffer_memory_.get() + buffer * options_.receive_buffer_octets, octets};
}

void SimulatedDriver::return_buffer(std::uint16_t buffer) { free_buffers_.push_back(buffer); }

// --- files

void SimulatedDriver::on_disk(std::function<void()> action) {
  world_.after(world_.disk().latency(), [this, port = port_, action = std::move(action)] {
    if (!port->is_open || !process_.is_alive() || world_.disk().is_stopped()) return;
    action();
  });
}

void SimulatedDriver::open(const std::string& path, OpenOptions options, Completion& completion) {
  on_disk([this, path, options, &completion] {
    int result = -strike(Operation::open_file);
    OpenFile open{.file = nullptr,
                  .path = path,
                  .is_direct = options.direct,
                  .may_write = options.mode != OpenMode::read};
    const bool creates = options.mode == OpenMode::create_exclusive;
    if (result == 0) result = -world_.disk().open(path, creates, creates, open.file);
    if (result == 0) result = process_.add(std::move(open));
    world_.note("disk.open", path, result);
    port_->end(completion, result);
  });
}

void SimulatedDriver::read(Descriptor file, std::span<char> into, std::uint64_t offset,
                           Completion& completion) {
  const OpenFile open = std::get<OpenFile>(process_.handle(file.number));
  on_disk([this, open, into, offset, &completion]() mutable {
    const int error =
        is_aligned(open, into.data(), into.size(), offset) ? strike(Operation::read_file) : EINVAL;
    if (error != 0) return port_->end(completion, -error);
    if (!open.is_direct && world_.random().chance(world_.disk().weather.short_operation))
      into = into.first(world_.random().between(1, into.size()));
    const std::size_t count = open.file->read(into, offset);
    port_->end(completion, static_cast<std::int32_t>(count));
  });
}

void SimulatedDriver::write(Descriptor file, std::string_view octets, std::uint64_t offset,
                            bool durable, Completion& completion) {
  const OpenFile open = std::get<OpenFile>(process_.handle(file.number));
  KURIR_ASSERT(open.may_write);
  if (!is_aligned(open, octets.data(), octets.size(), offset))
    return port_->end(completion, -EINVAL);
  on_disk([this, open, octets, offset, durable, &completion]() mutable {
    const int error = strike(Operation::write_file);
    Random& random = world_.random();
    if (error != 0) {  // some of it may be there, for all one knows
      if (!passes(error))
        world_.disk().write(*open.file, octets.substr(0, random.below(octets.size() + 1)), offset);
      world_.note("disk.write.failed", open.path, offset, error);
      return port_->end(completion, -error);
    }
    if (!open.is_direct && random.chance(world_.disk().weather.short_operation))
      octets = octets.substr(0, random.between(1, octets.size()));
    finish_write(open, octets, offset, durable, completion);
  });
}

void SimulatedDriver::finish_write(const OpenFile& open, std::string_view octets,
                                   std::uint64_t offset, bool durable, Completion& completion) {
  const std::int64_t count = world_.disk().write(*open.file, octets, offset);
  world_.note("disk.write", open.path, offset, count, durable);
  if (count < 0 || !durable) return port_->end(completion, static_cast<std::int32_t>(count));
  on_disk([this, open, offset, count, order = world_.disk().order(), &completion] {
    const int error = strike(Operation::sync_file);
    if (error != 0) {
      open.file->forget(order);
      world_.note("disk.sync.failed", open.path, error);
      return port_->end(completion, -error);
    }
    world_.disk().sync(*open.file, order, offset, offset + static_cast<std::uint64_t>(count));
    port_->end(completion, static_cast<std::int32_t>(count));
  });
}

void SimulatedDriver::sync_data(Descriptor file, Completion& completion) {
  const OpenFile open = std::get<OpenFile>(process_.handle(file.number));
  on_disk([this, open, order = world_.disk().order(), &completion] {
    const int error = strike(Operation::sync_file);
    world_.note("disk.sync", open.path, error);
    if (error != 0) {
      open.file->forget(order);
    } else {
      world_.disk().sync(*open.file, order);
    }
    port_->end(completion, -error);
  });
}

void SimulatedDriver::allocate(Descriptor file, std::uint64_t octets, Completion& completion) {
  const OpenFile open = std::get<OpenFile>(process_.handle(file.number));
  on_disk([this, open, octets, &completion] {
    int error = strike(Operation::allocate_file);
    if (error == 0) error = world_.disk().grow(*open.file, octets);
    port_->end(completion, -error);
  });
}

Result<std::uint64_t> SimulatedDriver::size_of(Descriptor file) {
  return std::get<OpenFile>(process_.handle(file.number)).file->size();
}

// --- chance

void SimulatedDriver::random(std::span<char> into) {
  for (char& octet : into) octet = static_cast<char>(world_.random().next());
}

}  // namespace kurir::io::simulated

namespace kurir::io {

Result<std::unique_ptr<Driver>> Driver::create(const DriverOptions& options) {
  return std::unique_ptr<Driver>(new simulated::SimulatedDriver(options));
}

std::string Driver::explain_failure(const Error&) { return "the simulation has no driver"; }
std::string Driver::describe_features() { return "simulated"; }

}  // namespace kurir::io
