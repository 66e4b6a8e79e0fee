#include "kurir/io/datagram.hh"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "connect_error.hh"
#include "kurir/base/assert.hh"
#include "kurir/io/core.hh"

namespace kurir::io {

Result<std::unique_ptr<Datagram>> Datagram::open(const SocketAddress& to) {
  const Result<Descriptor> opened = Core::current().driver().open_datagram(to);
  if (!opened) return std::unexpected(opened.error());
  return std::unique_ptr<Datagram>(new Datagram(*opened, to));
}

Datagram::Datagram(Descriptor descriptor, const SocketAddress& peer)
    : driver_(Core::current().driver()),
      descriptor_(descriptor),
      peer_(peer),
      receive_(this),
      send_(this) {}

Datagram::~Datagram() { KURIR_ASSERT(closed_); }

SocketAddress Datagram::local() const { return driver_.local_of(descriptor_); }

void Datagram::on_sent(Completion& completion, std::int32_t result, CompletionFlags) {
  auto& send = static_cast<SendOperation&>(completion);
  send.running = false;
  send.result = result;
  send.datagram->sent_.notify_all();
}

Task<Result<void>> Datagram::send(std::string_view octets, Deadline deadline) {
  KURIR_ASSERT(!send_.running);
  if (aborted_) co_return fail(Errc::closed, Origin::socket);
  send_.running = true;
  driver_.send(descriptor_, octets, send_);
  bool late = false;
  while (send_.running) {
    const Woken woken = co_await sent_.wait(late ? no_deadline : deadline);
    if (woken == Woken::by_signal || !send_.running) continue;
    late = true;
    driver_.cancel(send_);
  }
  if (send_.result >= 0) co_return Result<void>();
  if (aborted_) co_return fail(Errc::closed, Origin::socket);
  if (late) co_return fail(Errc::timed_out, Origin::socket);
  co_return std::unexpected(connect_error(-send_.result));
}

void Datagram::on_received(Completion& completion, std::int32_t result, CompletionFlags flags) {
  Datagram& datagram = *static_cast<ReceiveOperation&>(completion).datagram;
  if (!flags.more) datagram.receive_.armed = false;
  if (result >= 0 && datagram.received_octets_.size() < datagrams_kept_max) {
    const bool filled = flags.has_buffer && result > 0;
    datagram.received_octets_.emplace_back(
        filled ? datagram.driver_.received(flags.buffer, static_cast<std::size_t>(result))
               : std::string_view());
  }
  if (flags.has_buffer) datagram.driver_.return_buffer(flags.buffer);
  // Out of buffers, or cancelled: whoever waits arms it again.
  const bool passing = result >= 0 || result == -ENOBUFS || result == -ECANCELED ||
                       result == -EINTR || result == -EAGAIN;
  if (!passing) datagram.failure_ = -result;
  datagram.received_.notify_all();
}

Task<Result<std::string>> Datagram::receive(Deadline deadline) {
  for (;;) {
    if (aborted_) co_return fail(Errc::closed, Origin::socket);
    if (!received_octets_.empty()) {
      std::string octets = std::move(received_octets_.front());
      received_octets_.pop_front();
      co_return octets;
    }
    if (failure_ != 0) co_return std::unexpected(connect_error(std::exchange(failure_, 0)));
    if (!receive_.armed) {
      receive_.armed = true;
      driver_.receive(descriptor_, receive_);
    }
    const Woken woken = co_await received_.wait(deadline);
    if (woken == Woken::by_deadline && !aborted_ && received_octets_.empty() && failure_ == 0)
      co_return fail(Errc::timed_out, Origin::socket);
  }
}

void Datagram::abort() {
  if (aborted_ || closed_) return;
  aborted_ = true;
  if (send_.running) driver_.cancel(send_);
  received_.notify_all();
}

Task<void> Datagram::close() {
  KURIR_ASSERT(!closed_);
  KURIR_ASSERT(!send_.running);
  closed_ = true;
  if (receive_.armed) driver_.cancel(receive_);
  while (receive_.armed) co_await received_.wait();
  received_octets_.clear();
  driver_.close(descriptor_);
}

}  // namespace kurir::io
