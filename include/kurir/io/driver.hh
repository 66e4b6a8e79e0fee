#pragma once
// Driver: the one seam between Kurir and the system. Sockets, files, time and random numbers are
// asked of it and of nothing else. One a core; the kernel's (io_uring) is in src/io/kernel/, chosen
// at link time, so that a simulator can stand in its place. Core-local, but for
// wake_from_anywhere().
//
// Operations take a Completion that lives in the caller until its last call (flags without `more`),
// and memory that stays valid until then, cancelled or not.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/base/result.hh"
#include "kurir/io/address.hh"

namespace kurir::io {

// A kernel's handle. Owned by Socket, File, Listener.
struct Descriptor {
  int number = -1;
  bool open() const { return number >= 0; }
};

struct CompletionFlags {
  bool more = false;         // a multishot goes on
  bool has_buffer = false;   // a provided buffer holds what was received
  std::uint16_t buffer = 0;  // its number
};

// The result is a count or a descriptor, or a negative errno.
struct Completion {
  using Function = void (*)(Completion&, std::int32_t result, CompletionFlags flags);
  explicit Completion(Function function) : on_completion(function) {}
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;
  Function on_completion;
};

struct DriverOptions {
  unsigned entries = 4096;         // submissions gathered a turn
  unsigned receive_buffers = 256;  // a power of two
  std::size_t receive_buffer_octets = 16 * 1024;
};

enum class OpenMode : std::uint8_t { read, write, read_write, create_exclusive };
struct OpenOptions {
  OpenMode mode = OpenMode::read;
  bool direct = false;  // past the page cache; offsets, lengths and memory aligned to 4096
  unsigned permissions = 0600;
};

class Driver {
 public:
  // Fails with Errc::unsupported (kernel too old or io_uring forbidden): explain_failure() says it
  // for people.
  static Result<std::unique_ptr<Driver>> create(const DriverOptions& options);
  static std::string explain_failure(const Error& error);
  static std::string describe_features();  // for --version
  virtual ~Driver() = default;

  // --- the loop: submits what was asked, runs completions; waits for one until `until` where
  // `may_wait`.
  virtual void turn(bool may_wait, Instant until) = 0;
  virtual void wake(Driver& other) = 0;      // ends the other's wait; from this driver's own core
  virtual void wake_from_anywhere() = 0;     // any thread: ends this driver's wait
  virtual std::uint64_t enters() const = 0;  // system calls made by turn(), for measuring

  // --- sockets
  virtual Result<Descriptor> listen(SocketAddress& address,
                                    bool shared_port) = 0;               // sets the port chosen
  virtual void accept(Descriptor listener, Completion& completion) = 0;  // multishot
  // A stream socket for a peer of this family, bound to `from` where it is given (port 0: the
  // kernel chooses). Errors: unavailable, exhausted, invalid.
  virtual Result<Descriptor> open_stream(Family family, const SocketAddress* from) = 0;
  virtual void connect(Descriptor socket, const SocketAddress& to, Completion& completion) = 0;
  // A datagram socket that sends to and hears from `to` only, on a port that the kernel chooses at
  // random. send() and receive() as on streams; a result is one datagram, 0 an empty one.
  virtual Result<Descriptor> open_datagram(const SocketAddress& to) = 0;
  virtual SocketAddress peer_of(Descriptor socket) = 0;
  virtual SocketAddress local_of(Descriptor socket) = 0;
  virtual void receive(Descriptor socket, Completion& completion) = 0;  // multishot
  virtual void send(Descriptor socket, std::string_view octets, Completion& completion) = 0;
  virtual void shut_down(Descriptor socket) = 0;       // both ways, now; what is armed completes
  virtual void shut_down_send(Descriptor socket) = 0;  // our way only: the peer reads an end
  virtual void close(Descriptor descriptor) = 0;
  virtual void cancel(Completion& completion) = 0;  // asks; the completion still comes

  virtual std::string_view received(std::uint16_t buffer, std::size_t octets) const = 0;
  virtual void return_buffer(std::uint16_t buffer) = 0;
  virtual unsigned buffers_free() const = 0;
  virtual unsigned buffers() const = 0;

  // --- files
  virtual void open(const std::string& path, OpenOptions options, Completion& completion) = 0;
  virtual void read(Descriptor file, std::span<char> into, std::uint64_t offset, Completion&) = 0;
  virtual void write(Descriptor file, std::string_view octets, std::uint64_t offset, bool durable,
                     Completion&) = 0;
  virtual void sync_data(Descriptor file, Completion& completion) = 0;
  virtual void allocate(Descriptor file, std::uint64_t octets, Completion& completion) = 0;
  virtual Result<std::uint64_t> size_of(Descriptor file) = 0;

  // --- time and chance
  virtual Instant now() = 0;
  virtual WallTime wall_now() = 0;
  virtual void random(std::span<char> into) = 0;
};

}  // namespace kurir::io
