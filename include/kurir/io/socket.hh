#pragma once
// Stream: the seam of the front ends: plain TCP (Socket) now, TLS on top of it elsewhere. Input is
// a queue of received slices, looked at where they lie; output is gathered and leaves in one send.

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/intrusive_list.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/event.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/driver.hh"

namespace kurir::io {

// One piece of received octets: a provided buffer of the ring, or, when those run low, a copy.
// Core-local, move-only; gives its buffer back when it dies.
class Slice {
 public:
  Slice(Driver& driver, std::uint16_t buffer, std::size_t octets);
  explicit Slice(std::string_view copied);
  Slice(Slice&& other) noexcept;
  Slice& operator=(Slice&&) = delete;
  ~Slice();
  std::string_view rest() const { return {data_ + begin_, end_ - begin_}; }
  void consume(std::size_t octets) {
    KURIR_ASSERT(octets <= end_ - begin_);
    begin_ += octets;
  }
  void release();  // gives the buffer back; nothing is left

 private:
  Driver* driver_ = nullptr;  // null: a copy
  std::uint16_t buffer_ = 0;
  std::unique_ptr<char[]> copy_;
  const char* data_ = nullptr;
  std::size_t begin_ = 0, end_ = 0;
};

// What was received and not yet consumed, in order.
class Inbox {
 public:
  bool empty() const { return octets_ == 0; }
  std::size_t octets() const { return octets_; }
  // The first slice's rest. Valid until consume(), and until the next await that can receive.
  std::string_view front() const { return empty() ? std::string_view() : slices_[first_].rest(); }
  void consume(std::size_t octets);  // may span slices
  void push(Slice slice);
  void clear();
  std::size_t slices() const { return slices_.size() - first_; }
  std::string_view slice(std::size_t index) const { return slices_[first_ + index].rest(); }

 private:
  void forget_consumed();

  // A vector, for one that is empty holds no memory: most connections are idle.
  std::vector<Slice> slices_;
  std::size_t first_ = 0;  // those before it are consumed
  std::size_t octets_ = 0;
};

// How a stream is encrypted, by the names of the trade: "TLSv1.3", "TLS_AES_128_GCM_SHA256". Static
// text; empty: it is not.
struct Encryption {
  std::string_view protocol, cipher;
};

// How a session begins on a stream: with its greeting, or, where the greeting was said before
// STARTTLS, with nothing.
enum class Opening : std::uint8_t { greeting, after_starttls };

class Stream {
 public:
  virtual ~Stream() = default;
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Inbox& input() { return input_; }
  // Waits until the input is not empty: a caller has consumed what it has seen. Errors: closed (end
  // or reset), timed_out, interrupted.
  virtual Task<Result<void>> fill(Deadline deadline) = 0;
  // Looks whether anything has been received already, without waiting for more than a turn of the
  // loop. Error: closed.
  virtual Task<Result<void>> poll() = 0;
  // Gathers output; nothing is sent before flush().
  std::string& output() { return output_; }
  // Sends all output. Errors: closed, timed_out.
  virtual Task<Result<void>> flush(Deadline deadline) = 0;
  // Sends the output, then the octets, which the awaiting frame holds until this has ended.
  virtual Task<Result<void>> write(std::string_view octets, Deadline deadline) = 0;
  // Ends a running or the next fill() with Errc::interrupted, once. Core-local: for shutdown and
  // notifications.
  virtual void wake() = 0;
  // Makes every operation, running or to come, end with Errc::closed.
  virtual void abort() = 0;
  // Must be awaited once before the stream dies. Gives up what was not sent.
  virtual Task<void> close() = 0;

  virtual const SocketAddress& peer() const = 0;
  virtual SocketAddress local() const = 0;
  virtual bool is_encrypted() const = 0;
  virtual Encryption encryption() const { return {}; }
  // The mail addresses that a verified certificate of the peer's is for.
  virtual std::vector<std::string> peer_names() const { return {}; }

 protected:
  Inbox input_;
  std::string output_;
};

// Plain TCP or unix socket. Core-local.
class Socket final : public Stream {
 public:
  explicit Socket(Descriptor descriptor);  // takes it over; receiving starts with the first fill()
  ~Socket() override;                      // asserts that close() was awaited
  Task<Result<void>> fill(Deadline deadline) override;
  Task<Result<void>> poll() override;
  Task<Result<void>> flush(Deadline deadline) override;
  Task<Result<void>> write(std::string_view octets, Deadline deadline) override;
  void wake() override;
  void abort() override;
  Task<void> close() override;
  const SocketAddress& peer() const override { return peer_; }
  // For a proxy's connection: whom it says that it speaks for.
  void set_peer(SocketAddress peer) { peer_ = std::move(peer); }
  SocketAddress local() const override { return driver_.local_of(descriptor_); }
  bool is_encrypted() const override { return false; }

 private:
  static constexpr std::size_t input_octets_pause = 64 * 1024;  // receiving rests above this
  struct ReceiveOperation : Completion {
    explicit ReceiveOperation(Socket* owner) : Completion(&Socket::on_received), socket(owner) {}
    Socket* socket;
    bool armed = false;
    bool cancelling = false;
  };
  struct SendOperation : Completion {
    explicit SendOperation(Socket* owner) : Completion(&Socket::on_sent), socket(owner) {}
    Socket* socket;
    bool running = false;
    std::int32_t result = 0;
  };
  static void on_received(Completion& completion, std::int32_t result, CompletionFlags flags);
  static void on_sent(Completion& completion, std::int32_t result, CompletionFlags flags);
  void arm_receive();
  void take_received(std::int32_t result, CompletionFlags flags);
  Task<Result<void>> send_all(std::string_view octets, Deadline deadline);

  Driver& driver_;
  Descriptor descriptor_;
  SocketAddress peer_;
  ReceiveOperation receive_;
  SendOperation send_;
  Signal received_, sent_;
  bool ended_ = false, aborted_ = false, woken_ = false, closed_ = false;
};

// Accepts on one address, one on each core with the port shared. Core-local.
class Listener {
 public:
  // Port 0 is replaced by the one chosen. Errc::busy where the address is in use.
  static Result<std::unique_ptr<Listener>> open(SocketAddress& address);
  // A socket that listens already; takes it over.
  static std::unique_ptr<Listener> adopt(Descriptor descriptor);
  ~Listener();  // asserts that close() was awaited

  // The next connection. Errors: cancelled after close() began. Running out of descriptors pauses
  // it.
  Task<Result<Descriptor>> accept();
  void stop();  // accept() returns cancelled
  Task<void> close();

 private:
  explicit Listener(Descriptor descriptor);
  struct AcceptOperation : Completion {
    explicit AcceptOperation(Listener* owner)
        : Completion(&Listener::on_accepted), listener(owner) {}
    Listener* listener;
    bool armed = false;
  };
  static void on_accepted(Completion& completion, std::int32_t result, CompletionFlags flags);
  Driver& driver_;
  Descriptor descriptor_;
  AcceptOperation accept_;
  std::deque<Descriptor> accepted_;
  Signal arrived_;
  bool stopping_ = false;
  int failure_ = 0;
};

}  // namespace kurir::io
