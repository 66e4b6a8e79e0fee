#pragma once
// The kernel behind the seam: one io_uring. Private to io/.

#include <liburing.h>
#include <sys/socket.h>

#include <deque>

#include "kurir/io/driver.hh"

namespace kurir::io::kernel {

inline constexpr int backlog = 4096;  // connections that nobody has accepted yet

// A stream socket at an address, that does not listen yet.
Result<Descriptor> bind_stream(SocketAddress& address, bool shared_port);
SocketAddress address_of(Descriptor socket);

class KernelDriver final : public Driver {
 public:
  static Result<std::unique_ptr<KernelDriver>> create(const DriverOptions& options);
  ~KernelDriver() override;

  void turn(bool may_wait, Instant until) override;
  void wake(Driver& other) override;
  void wake_from_anywhere() override;
  std::uint64_t enters() const override { return enters_; }

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
  unsigned buffers_free() const override { return buffers_free_; }
  unsigned buffers() const override { return options_.receive_buffers; }

  void open(const std::string& path, OpenOptions options, Completion& completion) override;
  void read(Descriptor file, std::span<char> into, std::uint64_t offset,
            Completion& completion) override;
  void write(Descriptor file, std::string_view octets, std::uint64_t offset, bool durable,
             Completion& completion) override;
  void sync_data(Descriptor file, Completion& completion) override;
  void allocate(Descriptor file, std::uint64_t octets, Completion& completion) override;
  Result<std::uint64_t> size_of(Descriptor file) override;

  Instant now() override;
  WallTime wall_now() override;
  void random(std::span<char> into) override;

 private:
  explicit KernelDriver(const DriverOptions& options) : options_(options) {}
  Result<void> make_ring();
  Result<void> make_buffers();
  Result<void> restrict_ring();
  Result<void> verify_restrictions();
  void arm_doorbell();
  io_uring_sqe& next_entry();
  void enqueue(io_uring_sqe& entry, Completion& completion);
  void reap();
  void run_completion(const io_uring_cqe& entry);
  int doorbell_descriptor() const { return doorbell_; }

  DriverOptions options_;
  io_uring ring_{};
  bool ring_made_ = false;
  io_uring_buf_ring* buffer_ring_ = nullptr;
  char* buffer_memory_ = nullptr;
  unsigned buffers_free_ = 0;
  int doorbell_ = -1;  // an eventfd, for threads without a ring
  std::uint64_t doorbell_count_ = 0;
  struct DoorbellRead : Completion {
    explicit DoorbellRead(KernelDriver* owner) : Completion(&rang), driver(owner) {}
    static void rang(Completion& completion, std::int32_t result, CompletionFlags flags);
    KernelDriver* driver;
  } doorbell_read_{this};
  std::uint64_t enters_ = 0;
  std::deque<sockaddr_storage>
      connect_targets_;  // the kernel reads them when it is handed the entry
};

}  // namespace kurir::io::kernel
