#pragma once
// The simulation behind the seam: a core's operations become events of the world, whose ends are
// gathered here until the core's next turn. Private to io/.

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kurir/io/driver.hh"
#include "kurir/io/simulated/world.hh"

namespace kurir::io::simulated {

// What events of the world know of a driver: it may be gone, killed with its process.
struct Port {
  struct Ended {
    Completion* completion;
    std::int32_t result;
    CompletionFlags flags;
  };
  std::deque<Ended> ended;
  std::function<void()> wake;  // asks for a turn of the core
  bool is_open = true;

  void end(Completion& completion, std::int32_t result, CompletionFlags flags = {}) {
    ended.push_back({&completion, result, flags});
    if (wake) wake();
  }
};

class SimulatedDriver final : public Driver {
 public:
  explicit SimulatedDriver(const DriverOptions& options);
  ~SimulatedDriver() override;

  const std::shared_ptr<Port>& port() const { return port_; }

  void turn(bool may_wait, Instant until) override;
  void wake(Driver& other) override;
  void wake_from_anywhere() override;
  std::uint64_t enters() const override { return turns_; }

  Result<Descriptor> listen(SocketAddress& address, bool shared_port) override;
  void accept(Descriptor listener, Completion& completion) override;
  Result<Descriptor> open_stream(Family family, const SocketAddress* from) override;
  void connect(Descriptor socket, const SocketAddress& to, Completion& completion) override;
  Result<Descriptor> open_datagram(const SocketAddress& to) override;
  SocketAddress peer_of(Descriptor socket) override;
  SocketAddress local_of(Descriptor socket) override;
  void receive(Descriptor socket, Completion& completion) override;
  void send(Descriptor socket, std::string_view octets, Completion& completion) override;
  void shut_down(Descriptor socket) override;
  void shut_down_send(Descriptor socket) override;
  void close(Descriptor descriptor) override;
  void cancel(Completion& completion) override;

  std::string_view received(std::uint16_t buffer, std::size_t octets) const override;
  void return_buffer(std::uint16_t buffer) override;
  unsigned buffers_free() const override { return static_cast<unsigned>(free_buffers_.size()); }
  unsigned buffers() const override { return options_.receive_buffers; }

  void open(const std::string& path, OpenOptions options, Completion& completion) override;
  void read(Descriptor file, std::span<char> into, std::uint64_t offset,
            Completion& completion) override;
  void write(Descriptor file, std::string_view octets, std::uint64_t offset, bool durable,
             Completion& completion) override;
  void sync_data(Descriptor file, Completion& completion) override;
  void allocate(Descriptor file, std::uint64_t octets, Completion& completion) override;
  Result<std::uint64_t> size_of(Descriptor file) override;

  Instant now() override { return world_.now(); }
  WallTime wall_now() override { return world_.wall_clock().at(world_.now()); }
  void random(std::span<char> into) override;

 private:
  // What is armed on a socket.
  struct Operations {
    Completion* accept = nullptr;
    Completion* receive = nullptr;
    Completion* connect = nullptr;
    Completion* send = nullptr;
    std::string_view rest;  // to be sent
    std::int32_t sent = 0;
  };
  int strike(Operation operation);
  Endpoint* endpoint(Descriptor descriptor);
  DatagramEnd* datagrams(Descriptor descriptor);
  void watch(int descriptor);
  void changed(int descriptor);  // goes on with what is armed there
  void go_on_accepting(Acceptor& acceptor, Operations& operations);
  void go_on_receiving(Endpoint& endpoint, Operations& operations);
  void go_on_receiving(DatagramEnd& datagrams, Operations& operations);
  void go_on_sending(Endpoint& endpoint, Operations& operations);
  bool give(Completion& completion, std::size_t octets_max,
            const std::function<std::size_t(char*, std::size_t)>& fill);
  void end_receive(Operations& operations, int error);
  void finish_write(const OpenFile& open, std::string_view octets, std::uint64_t offset,
                    bool durable, Completion& completion);
  // Happens after a disk's time, unless the process is gone or the machine stops.
  void on_disk(std::function<void()> action);

  World& world_;
  Process& process_;
  DriverOptions options_;
  std::shared_ptr<Port> port_ = std::make_shared<Port>();
  std::map<int, Operations> operations_;
  std::unique_ptr<char[]> buffer_memory_;
  std::vector<std::uint16_t> free_buffers_;
  std::uint64_t turns_ = 0;
};

}  // namespace kurir::io::simulated
