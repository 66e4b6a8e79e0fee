#pragma once
// StreamPair: two streams of which each receives what the other sends, in pieces of a size that
// the test chooses. Core-local.

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "kurir/io/socket.hh"

namespace kurir::test {

class PipeEnd final : public io::Stream {
 public:
  void connect(PipeEnd& other) { other_ = &other; }
  // What is fed next is cut after so many octets, then into pieces of piece_octets.
  void cut_after(std::size_t octets) { first_piece_ = octets; }
  void set_piece_octets(std::size_t octets) { piece_octets_ = octets; }
  // Octets that this end was sent so far, ciphertext and all.
  const std::string& received() const { return received_; }
  void feed(std::string_view octets) {
    received_ += octets;
    while (!octets.empty()) {
      const std::size_t here = std::min(std::exchange(first_piece_, piece_octets_), octets.size());
      waiting_.push_back(std::string(octets.substr(0, here)));
      octets.remove_prefix(here);
    }
    arrived_.notify_all();
  }
  // From now on nothing comes, nor goes.
  void hang_up() {
    ended_ = true;
    arrived_.notify_all();
  }

  Task<Result<void>> fill(Deadline deadline) override {
    for (;;) {
      if (std::exchange(woken_, false)) co_return fail(Errc::interrupted, Origin::socket);
      if (!input_.empty()) co_return Result<void>();
      if (!waiting_.empty()) {
        input_.push(io::Slice(std::string_view(waiting_.front())));
        waiting_.erase(waiting_.begin());
        continue;
      }
      if (ended_) co_return fail(Errc::closed, Origin::socket);
      const Woken woken = co_await arrived_.wait(deadline);
      if (woken == Woken::by_deadline && waiting_.empty() && !woken_ && !ended_)
        co_return fail(Errc::timed_out, Origin::socket);
    }
  }
  Task<Result<void>> poll() override {
    co_await yield_turn();
    for (const std::string& piece : std::exchange(waiting_, {}))
      input_.push(io::Slice(std::string_view(piece)));
    if (ended_ && input_.empty()) co_return fail(Errc::closed, Origin::socket);
    co_return Result<void>();
  }
  Task<Result<void>> flush(Deadline) override { co_return send(std::exchange(output_, {})); }
  Task<Result<void>> write(std::string_view octets, Deadline) override {
    co_return send(std::exchange(output_, {}) + std::string(octets));
  }
  void wake() override {
    woken_ = true;
    arrived_.notify_all();
  }
  void abort() override { hang_up(); }
  Task<void> close() override {
    closed_ = true;
    other_->hang_up();
    co_return;
  }
  bool is_closed() const { return closed_; }
  const io::SocketAddress& peer() const override { return address_; }
  io::SocketAddress local() const override { return address_; }
  bool is_encrypted() const override { return false; }

 private:
  Result<void> send(const std::string& octets) {
    if (ended_) return fail(Errc::closed, Origin::socket);
    other_->feed(octets);
    return {};
  }

  PipeEnd* other_ = nullptr;
  io::SocketAddress address_;
  Signal arrived_;
  std::vector<std::string> waiting_;
  std::string received_;
  std::size_t first_piece_ = std::string::npos, piece_octets_ = std::string::npos;
  bool ended_ = false, woken_ = false, closed_ = false;
};

struct StreamPair {
  StreamPair() {
    client.connect(server);
    server.connect(client);
  }
  PipeEnd client, server;
};

}  // namespace kurir::test
