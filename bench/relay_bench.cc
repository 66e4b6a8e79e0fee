// What a connection and a message ask of the table of sites: a slot, a place in the pace, the last
// trouble; and finding the entry, once a core and path.

#include "kurir/relay/site_table.hh"

#include <benchmark/benchmark.h>

#include <string>

#include "kurir/io/core.hh"

namespace kurir::relay {
namespace {

constexpr Rate many_a_second{1'000'000, Seconds(1)};

// Alone, and with another core that takes slots of the same site.
void take_and_return_slot(benchmark::State& state) {
  static SharedSite site;
  for (auto _ : state) {
    if (site.try_connect(1000)) site.connections.fetch_sub(1);
  }
}
BENCHMARK(take_and_return_slot)->ThreadRange(1, 2);

void take_place_in_pace(benchmark::State& state) {
  static SharedSite site;
  for (auto _ : state)
    benchmark::DoNotOptimize(SharedSite::reserve(site.next_message, many_a_second, Instant()));
}
BENCHMARK(take_place_in_pace)->ThreadRange(1, 2);

void read_trouble(benchmark::State& state) {
  SharedLine line;
  line.write("451 4.7.1 too many connections from your network, try again later");
  for (auto _ : state) benchmark::DoNotOptimize(line.read());
}
BENCHMARK(read_trouble);

void write_trouble(benchmark::State& state) {
  SharedLine line;
  const std::string text = "451 4.7.1 too many connections from your network, try again later";
  for (auto _ : state) line.write(text);
}
BENCHMARK(write_trouble);

Task<void> acquire_again_and_again(benchmark::State& state) {
  SiteTable table(1);
  const auto sites = static_cast<std::uint64_t>(state.range(0));
  for (std::uint64_t site = 0; site < sites; ++site)
    static_cast<void>(co_await table.acquire("pool\n" + std::to_string(site) + ".test"));
  std::uint64_t at = 0;
  for (auto _ : state) {
    SharedSite* found = co_await table.acquire("pool\n" + std::to_string(at) + ".test");
    table.release(*found);
    at = (at + 7919) % sites;
  }
}

// All in use, so that none is pruned.
void acquire_site(benchmark::State& state) {
  io::CoresOptions cores;
  cores.count = 1;
  const Result<void> ran =
      io::Cores::run(cores, [&](CoreIndex) { return acquire_again_and_again(state); });
  if (!ran) state.SkipWithError("no core");
}
BENCHMARK(acquire_site)->Arg(100)->Arg(100'000);

}  // namespace
}  // namespace kurir::relay

BENCHMARK_MAIN();
