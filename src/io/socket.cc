#include "kurir/io/socket.hh"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/io/core.hh"

namespace kurir::io {
namespace {

constexpr std::size_t slices_kept = 4;             // room for, in an inbox that is empty
constexpr std::size_t output_capacity_kept = 128;  // an idle connection holds no more
constexpr Nanoseconds linger_time =
    Milliseconds(500);  // for the last reply to arrive before a reset
constexpr std::size_t linger_octets_max = 1 << 20;

}  // namespace

Slice::Slice(Driver& driver, std::uint16_t buffer, std::size_t octets)
    : driver_(&driver),
      buffer_(buffer),
      data_(driver.received(buffer, octets).data()),
      end_(octets) {}

Slice::Slice(std::string_view copied)
    : copy_(new char[copied.size()]), data_(copy_.get()), end_(copied.size()) {
  if (!copied.empty()) std::memcpy(copy_.get(), copied.data(), copied.size());
}

Slice::Slice(Slice&& other) noexcept
    : driver_(std::exchange(other.driver_, nullptr)),
      buffer_(other.buffer_),
      copy_(std::move(other.copy_)),
      data_(other.data_),
      begin_(other.begin_),
      end_(std::exchange(other.end_, other.begin_)) {}

Slice::~Slice() { release(); }

void Slice::release() {
  if (driver_ != nullptr) driver_->return_buffer(buffer_);
  driver_ = nullptr;
  copy_.reset();
  begin_ = end_;
}

void Inbox::push(Slice slice) {
  if (slice.rest().empty()) return;
  const bool is_full = slices_.size() == slices_.capacity();
  if (is_full && first_ * 2 > slices_.size()) forget_consumed();
  octets_ += slice.rest().size();
  slices_.push_back(std::move(slice));
}

void Inbox::forget_consumed() {
  std::vector<Slice> rest;
  rest.reserve(slices_.size() - first_ + 1);
  std::move(slices_.begin() + static_cast<std::ptrdiff_t>(first_), slices_.end(),
            std::back_inserter(rest));
  slices_ = std::move(rest);
  first_ = 0;
}

void Inbox::consume(std::size_t octets) {
  KURIR_ASSERT(octets <= octets_);
  octets_ -= octets;
  while (octets > 0) {
    Slice& slice = slices_[first_];
    const std::size_t here = std::min(octets, slice.rest().size());
    slice.consume(here);
    octets -= here;
    if (!slice.rest().empty()) return;
    slice.release();
    ++first_;
  }
  if (!empty()) return;
  slices_.clear();
  first_ = 0;
  if (slices_.capacity() > slices_kept) slices_.shrink_to_fit();
}

void Inbox::clear() { consume(octets_); }

Socket::Socket(Descriptor descriptor)
    : driver_(Core::current().driver()),
      descriptor_(descriptor),
      peer_(driver_.peer_of(descriptor)),
      receive_(this),
      send_(this) {}

Socket::~Socket() { KURIR_ASSERT(closed_); }

void Socket::arm_receive() {
  receive_.armed = true;
  receive_.cancelling = false;
  driver_.receive(descriptor_, receive_);
}

void Socket::on_received(Completion& completion, std::int32_t result, CompletionFlags flags) {
  static_cast<ReceiveOperation&>(completion).socket->take_received(result, flags);
}

void Socket::take_received(std::int32_t result, CompletionFlags flags) {
  if (flags.has_buffer) {
    Slice slice(driver_, flags.buffer, static_cast<std::size_t>(std::max(result, 0)));
    // When buffers run low what arrives is copied, so that sessions that do not read cannot starve
    // the others.
    const bool scarce = driver_.buffers_free() < driver_.buffers() / 4;
    if (result > 0 && !aborted_) input_.push(scarce ? Slice(slice.rest()) : std::move(slice));
  }
  if (!flags.more) receive_.armed = false;
  const bool passing = result > 0 || result == -ENOBUFS || result == -ECANCELED || result == -EINTR;
  if (!passing) ended_ = true;
  const bool wanted = received_.awaited() && !closed_;
  if (!receive_.armed && !ended_ && wanted && result <= 0) arm_receive();
  if (receive_.armed && !receive_.cancelling && !wanted && input_.octets() >= input_octets_pause) {
    receive_.cancelling = true;
    driver_.cancel(receive_);
  }
  if (result > 0 || ended_ || closed_) received_.notify_all();
}

Task<Result<void>> Socket::fill(Deadline deadline) {
  for (;;) {
    if (aborted_) co_return fail(Errc::closed, Origin::socket);
    if (woken_) {
      woken_ = false;
      co_return fail(Errc::interrupted, Origin::socket);
    }
    if (!input_.empty()) co_return Result<void>();
    if (ended_) co_return fail(Errc::closed, Origin::socket);
    if (!receive_.armed) arm_receive();
    const Woken woken = co_await received_.wait(deadline);
    if (woken == Woken::by_deadline && !woken_ && input_.empty() && !ended_)
      co_return fail(Errc::timed_out, Origin::socket);
  }
}

Task<Result<void>> Socket::poll() {
  if (!receive_.armed && !ended_ && !aborted_) arm_receive();
  co_await yield_turn();
  if (aborted_ || (ended_ && input_.empty())) co_return fail(Errc::closed, Origin::socket);
  co_return Result<void>();
}

void Socket::on_sent(Completion& completion, std::int32_t result, CompletionFlags) {
  auto& send = static_cast<SendOperation&>(completion);
  send.running = false;
  send.result = result;
  send.socket->sent_.notify_all();
}

// One outstanding send. A deadline that passes shuts the socket down, and the completion is still
// awaited: the memory belongs to the kernel until then.
Task<Result<void>> Socket::send_all(std::string_view octets, Deadline deadline) {
  bool timed_out = false;
  while (!octets.empty()) {
    if (aborted_) co_return fail(Errc::closed, Origin::socket);
    KURIR_ASSERT(!send_.running);
    send_.running = true;
    driver_.send(descriptor_, octets, send_);
    while (send_.running) {
      const Woken woken = co_await sent_.wait(timed_out ? no_deadline : deadline);
      if (woken == Woken::by_deadline && send_.running) {
        timed_out = true;
        driver_.shut_down(descriptor_);
      }
    }
    if (timed_out) co_return fail(Errc::timed_out, Origin::socket);
    if (send_.result <= 0 && send_.result != -EINTR && send_.result != -EAGAIN)
      co_return fail(Errc::closed, Origin::socket, -send_.result);
    if (send_.result > 0) octets.remove_prefix(static_cast<std::size_t>(send_.result));
  }
  co_return Result<void>();
}

Task<Result<void>> Socket::flush(Deadline deadline) {
  if (output_.empty()) co_return Result<void>();
  std::string leaving = std::move(output_);
  output_.clear();
  const Result<void> sent = co_await send_all(leaving, deadline);
  if (output_.empty() && leaving.capacity() <= output_capacity_kept) {
    leaving.clear();
    output_ = std::move(leaving);
  }
  co_return sent;
}

Task<Result<void>> Socket::write(std::string_view octets, Deadline deadline) {
  const Result<void> flushed = co_await flush(deadline);
  if (!flushed) co_return flushed;
  co_return co_await send_all(octets, deadline);
}

void Socket::wake() {
  woken_ = true;
  received_.notify_all();
}

void Socket::abort() {
  if (aborted_ || closed_) return;
  aborted_ = true;
  driver_.shut_down(descriptor_);
  received_.notify_all();
}

// A close with unread input would send a reset, and a reset can overtake the last reply: so the
// rest is read first, for a bounded time and amount.
Task<void> Socket::close() {
  KURIR_ASSERT(!closed_);
  if (!input_.empty() && !ended_ && !aborted_) {
    driver_.shut_down_send(descriptor_);
    const Deadline deadline = deadline_in(linger_time);
    std::size_t discarded = 0;
    bool going_on = true;
    while (going_on && discarded < linger_octets_max) {
      discarded += input_.octets();
      input_.clear();
      const Result<void> filled = co_await fill(deadline);
      going_on = filled.has_value() || filled.error().code == Errc::interrupted;
    }
  }
  closed_ = true;
  if (receive_.armed) driver_.cancel(receive_);
  while (receive_.armed) co_await received_.wait();
  KURIR_ASSERT(!send_.running);
  input_.clear();
  driver_.close(descriptor_);
}

}  // namespace kurir::io
