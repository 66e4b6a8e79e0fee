#pragma once
// Inputs on a core: what needs one (sessions, logs, the queue) lives there on a thread of its own,
// for many inputs at a time; the fuzzer's thread hands them over one by one and waits. A failed
// EXPECT of what is borrowed from the tests stops the program, as an assertion does.

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <functional>
#include <optional>
#include <semaphore>
#include <string_view>
#include <thread>
#include <utility>

#include "kurir/io/offload.hh"
#include "support/on_cores.hh"

namespace kurir::fuzz {

class InputGate {
 public:
  // --- the fuzzer's thread
  void pass(std::string_view input) {
    input_ = input;
    begun_.release();
    ended_.acquire();
  }
  void close() {
    closed_ = true;
    begun_.release();
  }

  // --- the core's thread
  bool is_closed() const { return closed_; }
  // nullopt: there is no more.
  Task<std::optional<std::string_view>> take() {
    const Result<bool> waited = co_await io::offload([this] {
      begun_.acquire();
      return true;
    });
    KURIR_ASSERT(waited.has_value());
    if (closed_) co_return std::nullopt;
    co_return input_;
  }
  void done() { ended_.release(); }

 private:
  std::binary_semaphore begun_{0}, ended_{0};
  std::string_view input_;
  bool closed_ = false;
};

// `live` makes what the inputs need, deals with some of them by serve(), and takes it down; it is
// called again until there are no more, so that nothing grows for ever.
class CoreThread {
 public:
  using Live = std::function<void(InputGate&)>;
  explicit CoreThread(Live live) {
    GTEST_FLAG_SET(break_on_failure, true);
    // Where another thread makes it ready, libcrypto loses that thread's list of errors.
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr);
    thread_ = std::thread([this, live = std::move(live)] {
      while (!gate_.is_closed()) live(gate_);
    });
  }
  ~CoreThread() {
    gate_.close();
    thread_.join();
  }
  CoreThread(const CoreThread&) = delete;
  CoreThread& operator=(const CoreThread&) = delete;
  void pass(std::string_view input) { gate_.pass(input); }

 private:
  InputGate gate_;
  std::thread thread_;
};

// Gives `deal` inputs_max inputs at most.
template <class Deal>
Task<void> serve(InputGate& gate, unsigned inputs_max, Deal& deal) {
  for (unsigned count = 0; count < inputs_max; ++count) {
    const std::optional<std::string_view> input = co_await gate.take();
    if (!input) co_return;
    co_await deal(*input);
    gate.done();
  }
}

}  // namespace kurir::fuzz
