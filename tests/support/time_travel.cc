#include "support/time_travel.hh"

#include <atomic>
#include <memory>
#include <utility>

#include "kurir/coro/event.hh"
#include "kurir/coro/executor.hh"
#include "kurir/io/driver.hh"

namespace kurir::test {
namespace {

// Any core: a test's main thread and its core's, one after the other.
std::atomic<std::int64_t> passed{0}, wall_ahead{0};

constexpr int turns_after = 20;

Nanoseconds moved() { return Nanoseconds(passed.load()); }

// The kernel's driver with other clocks.
class TravellingDriver final : public io::Driver {
 public:
  explicit TravellingDriver(std::unique_ptr<io::Driver> driver) : driver_(std::move(driver)) {}

  void turn(bool may_wait, Instant until) override {
    driver_->turn(may_wait, until == no_deadline ? until : until - moved());
  }
  Instant now() override { return driver_->now() + moved(); }
  WallTime wall_now() override {
    const auto ahead =
        std::chrono::duration_cast<std::chrono::microseconds>(moved() + Nanoseconds(wall_ahead));
    return {driver_->wall_now().microseconds + ahead.count()};
  }
  void random(std::span<char> into) override { driver_->random(into); }

  void wake(io::Driver& other) override {
    driver_->wake(*static_cast<TravellingDriver&>(other).driver_);
  }
  void wake_from_anywhere() override { driver_->wake_from_anywhere(); }
  std::uint64_t enters() const override { return driver_->enters(); }

  Result<io::Descriptor> listen(io::SocketAddress& address, bool shared_port) override {
    return driver_->listen(address, shared_port);
  }
  void accept(io::Descriptor listener, io::Completion& completion) override {
    driver_->accept(listener, completion);
  }
  Result<io::Descriptor> open_stream(io::Family family, const io::SocketAddress* from) override {
    return driver_->open_stream(family, from);
  }
  void connect(io::Descriptor socket, const io::SocketAddress& to,
               io::Completion& completion) override {
    driver_->connect(socket, to, completion);
  }
  Result<io::Descriptor> open_datagram(const io::SocketAddress& to) override {
    return driver_->open_datagram(to);
  }
  io::SocketAddress peer_of(io::Descriptor socket) override { return driver_->peer_of(socket); }
  io::SocketAddress local_of(io::Descriptor socket) override { return driver_->local_of(socket); }
  void receive(io::Descriptor socket, io::Completion& completion) override {
    driver_->receive(socket, completion);
  }
  void send(io::Descriptor socket, std::string_view octets, io::Completion& completion) override {
    driver_->send(socket, octets, completion);
  }
  void shut_down(io::Descriptor socket) override { driver_->shut_down(socket); }
  void shut_down_send(io::Descriptor socket) override { driver_->shut_down_send(socket); }
  void close(io::Descriptor descriptor) override { driver_->close(descriptor); }
  void cancel(io::Completion& completion) override { driver_->cancel(completion); }
  std::string_view received(std::uint16_t buffer, std::size_t octets) const override {
    return driver_->received(buffer, octets);
  }
  void return_buffer(std::uint16_t buffer) override { driver_->return_buffer(buffer); }
  unsigned buffers_free() const override { return driver_->buffers_free(); }
  unsigned buffers() const override { return driver_->buffers(); }

  void open(const std::string& path, io::OpenOptions options, io::Completion& completion) override {
    driver_->open(path, options, completion);
  }
  void read(io::Descriptor file, std::span<char> into, std::uint64_t offset,
            io::Completion& completion) override {
    driver_->read(file, into, offset, completion);
  }
  void write(io::Descriptor file, std::string_view octets, std::uint64_t offset, bool durable,
             io::Completion& completion) override {
    driver_->write(file, octets, offset, durable, completion);
  }
  void sync_data(io::Descriptor file, io::Completion& completion) override {
    driver_->sync_data(file, completion);
  }
  void allocate(io::Descriptor file, std::uint64_t octets, io::Completion& completion) override {
    driver_->allocate(file, octets, completion);
  }
  Result<std::uint64_t> size_of(io::Descriptor file) override { return driver_->size_of(file); }

 private:
  std::unique_ptr<io::Driver> driver_;
};

}  // namespace

// What the linker calls instead of Driver::create(), and what it makes of that.
using Created = Result<std::unique_ptr<io::Driver>>;
Created create_real(const io::DriverOptions& options) asm(
    "__real__ZN5kurir2io6Driver6createERKNS0_13DriverOptionsE");
Created create_travelling(const io::DriverOptions& options) asm(
    "__wrap__ZN5kurir2io6Driver6createERKNS0_13DriverOptionsE");

Created create_travelling(const io::DriverOptions& options) {
  Created driver = create_real(options);
  if (!driver) return driver;
  return std::make_unique<TravellingDriver>(std::move(*driver));
}

void begin_time() { passed = wall_ahead = 0; }
void pass_time(Nanoseconds duration) { passed += duration.count(); }
void set_wall_clock_ahead(Nanoseconds ahead) { wall_ahead = ahead.count(); }

Task<void> travel(Nanoseconds duration) {
  const Instant target = Executor::current().now() + duration;
  pass_time(duration);
  while (Executor::current().now() < target) co_await yield_turn();
  for (int turn = 0; turn < turns_after; ++turn) co_await yield_turn();
}

}  // namespace kurir::test
