#pragma once
// Sessions of a sink that a test talks to, on one core.

#include <memory>
#include <optional>

#include "kurir/sink/session.hh"
#include "support/connections.hh"
#include "support/on_cores.hh"

namespace kurir::sink::test {

using kurir::test::FakeStream;

// Core-local; run() makes it, and takes it down after the body.
class Sinkhole : public kurir::test::Connections<Session> {
 public:
  using Body = std::function<Task<void>(Sinkhole&)>;

  static void run(Options options, Body body) {
    kurir::test::on_cores(1, [&](CoreIndex) { return live(options, body); });
  }
  House& house() { return house_; }
  const Report& report() const { return house_.report; }

 private:
  explicit Sinkhole(const Options& options)
      : Connections(
            [this](io::Stream& stream) { return std::make_unique<Session>(stream, house_); }),
        options_(options),
        house_(options_, street_) {
    if (options_.greylist) street_.greylist = &greylist_.emplace();
  }
  static Task<void> live(const Options& options, const Body& body) {
    Sinkhole sinkhole(options);
    co_await body(sinkhole);
    sinkhole.house_.stopping.set();
    co_await sinkhole.end_all();
  }

  const Options options_;
  std::optional<Greylist> greylist_;
  Street street_;
  House house_;
};

}  // namespace kurir::sink::test
