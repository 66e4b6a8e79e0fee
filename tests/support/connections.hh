#pragma once
// Connections that a test opens to sessions of one kind, each over a FakeStream. Core-local.

#include <deque>
#include <functional>
#include <memory>

#include "kurir/coro/scope.hh"
#include "support/chat.hh"

namespace kurir::test {

template <class Session>
class Connections : public ChatPartners {
 public:
  struct Connection {
    FakeStream stream;
    std::unique_ptr<Session> session;
    Event ended;
  };
  using Make = std::function<std::unique_ptr<Session>(io::Stream&)>;
  explicit Connections(Make make) : make_(std::move(make)) {}

  // The session runs from the next turn on: what is fed in this one came before it spoke.
  Connection& connect() {
    connections_.push_back(std::make_unique<Connection>());
    Connection& connection = *connections_.back();
    connection.session = make_(connection.stream);
    scope_.start(serve(connection));
    return connection;
  }
  Connection& connection(std::size_t index) {
    while (connections_.size() <= index) connect();
    return *connections_[index];
  }
  FakeStream& stream(std::size_t index) override { return connection(index).stream; }
  Task<bool> has_ended(std::size_t index, Deadline deadline) override {
    co_return co_await connection(index).ended.wait(deadline) == Woken::by_signal;
  }
  std::size_t connections() const override { return connections_.size(); }

  // Returns when the session has done all that it can with what it was fed.
  static Task<void> settle(Connection& connection) {
    const Deadline deadline = deadline_in(Seconds(20));
    while (!connection.stream.is_starved() && !connection.ended.is_set()) {
      if (Executor::current().now() >= deadline) {
        ADD_FAILURE() << "the session neither waits for octets nor has ended";
        co_return;
      }
      co_await yield_turn();
    }
  }

  // All clients hang up; returns when their sessions have ended.
  Task<void> end_all() {
    for (const std::unique_ptr<Connection>& connection : connections_) connection->stream.hang_up();
    co_await scope_.join();
    connections_.clear();
  }

 private:
  static Task<void> serve(Connection& connection) {
    co_await connection.session->run();
    connection.ended.set();
  }
  Make make_;
  std::deque<std::unique_ptr<Connection>> connections_;
  Scope scope_;
};

}  // namespace kurir::test
