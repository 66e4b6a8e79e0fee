// What an event costs on the path of a message: making its line.

#include <benchmark/benchmark.h>

#include <string>

#include "kurir/observe/event.hh"

namespace kurir::observe {
namespace {

void append_delivery(benchmark::State& state) {
  Event event;
  event.type = EventType::delivery;
  event.id = "1d98076abbbc11ed";
  event.sender = "sender@sender.example";
  event.recipient = "bob@example.test";
  event.queue = "example.test";
  event.size = 4096;
  event.response = {250, "2.0.0", "OK stored", "."};
  event.peer_name = "client.example";
  event.peer_address = "192.0.2.1";
  event.event_time = event.created = {1'757'675'281'440'526};
  event.reception_protocol = "ESMTP";
  event.delivery_protocol = "Mailbox";
  event.nodeid = "557f3ad4-2c8c-11ee-976e-782d7e12e173";
  event.queue_us = 1200;
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_json_line(out, event);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}
BENCHMARK(append_delivery);

}  // namespace
}  // namespace kurir::observe

BENCHMARK_MAIN();
