#pragma once
// Datagram: a UDP socket that speaks with one peer, on a random local port: what another address
// sends never arrives. Core-local.

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "kurir/base/result.hh"
#include "kurir/coro/event.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/address.hh"
#include "kurir/io/driver.hh"

namespace kurir::io {

class Datagram {
 public:
  // More than so many unread datagrams are dropped, as the kernel's own queue drops them.
  static constexpr std::size_t datagrams_kept_max = 64;

  // Errors: unreachable, exhausted, invalid.
  static Result<std::unique_ptr<Datagram>> open(const SocketAddress& to);
  ~Datagram();  // asserts that close() was awaited

  // The octets are held by the awaiting frame until this has ended. Errors: timed_out, closed (by
  // abort()), refused or unreachable (ICMP's answer to what was sent before), exhausted.
  Task<Result<void>> send(std::string_view octets, Deadline deadline);
  // The next datagram, cut to a receive buffer of the driver (DriverOptions). Errors: timed_out,
  // closed (by abort()), refused or unreachable (ICMP's answer): it may be asked again after them.
  Task<Result<std::string>> receive(Deadline deadline);
  // Makes every operation, running or to come, end with Errc::closed.
  void abort();
  // Must be awaited once before the socket dies, when no send or receive runs.
  Task<void> close();

  const SocketAddress& peer() const { return peer_; }
  SocketAddress local() const;

 private:
  Datagram(Descriptor descriptor, const SocketAddress& peer);
  struct ReceiveOperation : Completion {
    explicit ReceiveOperation(Datagram* owner)
        : Completion(&Datagram::on_received), datagram(owner) {}
    Datagram* datagram;
    bool armed = false;
  };
  struct SendOperation : Completion {
    explicit SendOperation(Datagram* owner) : Completion(&Datagram::on_sent), datagram(owner) {}
    Datagram* datagram;
    bool running = false;
    std::int32_t result = 0;
  };
  static void on_received(Completion& completion, std::int32_t result, CompletionFlags flags);
  static void on_sent(Completion& completion, std::int32_t result, CompletionFlags flags);

  Driver& driver_;
  Descriptor descriptor_;
  SocketAddress peer_;
  // Multishot: a flood of forged datagrams is drained within a turn, before the kernel's queue
  // overflows and drops the true one.
  ReceiveOperation receive_;
  SendOperation send_;
  std::deque<std::string> received_octets_;
  int failure_ = 0;
  Signal received_, sent_;
  bool aborted_ = false, closed_ = false;
};

}  // namespace kurir::io
