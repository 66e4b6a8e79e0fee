#pragma once
// FakeStream: a second implementation of the stream: octets that a test feeds, and what was sent.
// Core-local.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "kurir/io/socket.hh"

namespace kurir::test {

class FakeStream final : public io::Stream {
 public:
  // --- the test's side
  void feed(std::string_view octets) {
    input_.push(io::Slice(std::string(octets)));
    arrived_.notify_all();
  }
  void hang_up() {
    ended_ = true;
    arrived_.notify_all();
  }
  // What was sent and not taken; waits until its first line is whole; nothing_came when the
  // deadline passed or the session closed.
  static constexpr std::string_view nothing_came = "<nothing came>";
  Task<std::string> take_line(Deadline deadline) {
    for (;;) {
      const std::size_t end = sent_.find("\r\n");
      if (end != std::string::npos) {
        std::string line = sent_.substr(0, end);
        sent_.erase(0, end + 2);
        co_return line;
      }
      if (closed_) co_return std::string(nothing_came);
      const Woken woken = co_await was_sent_.wait(deadline);
      if (woken == Woken::by_deadline) co_return std::string(nothing_came);
    }
  }
  // Whether anything was sent, from now on and before the deadline.
  Task<bool> wait_until_sent(Deadline deadline) {
    co_return co_await was_sent_.wait(deadline) == Woken::by_signal;
  }
  std::size_t octets_taken() const { return octets_taken_; }
  const std::string& sent() const { return sent_; }
  std::size_t largest_send() const { return largest_send_; }
  std::size_t sends() const { return sends_; }
  // Whether a session waits for octets, having taken all that were fed.
  bool is_starved() const { return input_.empty() && reading_ && !ended_ && arrived_.awaited(); }
  // From now on nobody reads what is sent.
  void stop_reading() { reading_ = false; }
  // Takes so many octets more, then the connection is gone, for both directions.
  void end_after_sent(std::size_t octets) { octets_left_ = octets; }
  Task<bool> wait_until_closed(Deadline deadline) {
    while (!closed_) {
      const Woken woken = co_await was_sent_.wait(deadline);
      if (woken == Woken::by_deadline) co_return false;
    }
    co_return true;
  }

  // --- Stream
  Task<Result<void>> fill(Deadline deadline) override {
    for (;;) {
      if (std::exchange(woken_, false)) co_return fail(Errc::interrupted, Origin::socket);
      if (!input_.empty()) co_return Result<void>();
      if (ended_) co_return fail(Errc::closed, Origin::socket);
      const Woken woken = co_await arrived_.wait(deadline);
      if (woken == Woken::by_deadline && input_.empty() && !woken_ && !ended_)
        co_return fail(Errc::timed_out, Origin::socket);
    }
  }
  Task<Result<void>> poll() override {
    co_await yield_turn();
    co_return Result<void>();
  }
  Task<Result<void>> flush(Deadline deadline) override {
    std::string leaving = std::exchange(output_, {});
    co_return co_await send(std::move(leaving), deadline);
  }
  Task<Result<void>> write(std::string_view octets, Deadline deadline) override {
    std::string leaving = std::exchange(output_, {});
    leaving += octets;
    co_return co_await send(std::move(leaving), deadline);
  }
  void wake() override {
    woken_ = true;
    arrived_.notify_all();
  }
  void abort() override { hang_up(); }
  Task<void> close() override {
    closed_ = true;
    was_sent_.notify_all();
    co_return;
  }
  const io::SocketAddress& peer() const override { return address_; }
  io::SocketAddress local() const override { return address_; }
  bool is_encrypted() const override { return false; }

 private:
  Task<Result<void>> send(std::string octets, Deadline deadline) {
    while (!reading_ && !octets.empty()) {
      const Woken woken = co_await arrived_.wait(deadline);
      if (woken == Woken::by_deadline) co_return fail(Errc::timed_out, Origin::socket);
      if (ended_) co_return fail(Errc::closed, Origin::socket);
    }
    if (octets.size() > octets_left_) {
      sent_.append(octets, 0, octets_left_);
      octets_taken_ += octets_left_;
      octets_left_ = 0;
      hang_up();
      was_sent_.notify_all();
      co_return fail(Errc::closed, Origin::socket);
    }
    octets_left_ -= octets.size();
    octets_taken_ += octets.size();
    if (octets.empty()) co_return Result<void>();
    largest_send_ = std::max(largest_send_, octets.size());
    ++sends_;
    sent_ += octets;
    was_sent_.notify_all();
    co_return Result<void>();
  }

  io::SocketAddress address_;
  Signal arrived_, was_sent_;
  std::string sent_;
  std::size_t largest_send_ = 0, sends_ = 0;
  std::size_t octets_left_ = std::string::npos, octets_taken_ = 0;
  bool ended_ = false, woken_ = false, reading_ = true, closed_ = false;
};

}  // namespace kurir::test
