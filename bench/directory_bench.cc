// Look-ups in a snapshot of many users, and what it takes to build one.

#include <benchmark/benchmark.h>

#include <string>

#include "kurir/directory/recent_logins.hh"
#include "kurir/directory/scram_keys.hh"
#include "kurir/directory/snapshot.hh"

namespace kurir::directory {
namespace {

constexpr std::string_view hash =
    "$y$j9T$k2XAnEHBqQ1Ct2aMXFKNa/$qdVSV23znpN3oRX4v17E59IodBxO1bzdFa3VKKRlE98";

Shared<const Snapshot> make_snapshot(std::uint64_t users) {
  SnapshotBuilder builder(0x9e3779b97f4a7c15);
  builder.reserve_users(users);
  const std::string scram = make_scram_text("correct horse", "0123456789abcdef").value();
  KURIR_ASSERT(builder.add_domain("example.test").has_value());
  for (std::uint64_t id = 1; id <= users; ++id) {
    const User user{.id = AccountId(id),
                    .address = "user" + std::to_string(id) + "@example.test",
                    .password_hash = std::string(hash),
                    .quota_octets = 1 << 30,
                    .scram = scram};
    KURIR_ASSERT(builder.add_user(user).has_value());
  }
  return builder.build().value();
}

void build(benchmark::State& state) {
  std::size_t octets = 0;
  for (auto _ : state) {
    const auto snapshot = make_snapshot(static_cast<std::uint64_t>(state.range(0)));
    octets = snapshot->memory_octets();
  }
  state.counters["octets_per_user"] =
      static_cast<double>(octets) / static_cast<double>(state.range(0));
}
BENCHMARK(build)->Arg(1'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void resolve(benchmark::State& state) {
  const auto users = static_cast<std::uint64_t>(state.range(0));
  const auto snapshot = make_snapshot(users);
  std::vector<std::string> asked;
  for (std::uint64_t n = 0; n < 4096; ++n)
    asked.push_back("User" + std::to_string(1 + n * 2654435761 % users) + "+Folder@Example.Test");
  std::size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(snapshot->resolve(asked[at++ % asked.size()]));
}
BENCHMARK(resolve)->Arg(1'000)->Arg(1'000'000);

void find_login(benchmark::State& state) {
  const auto users = static_cast<std::uint64_t>(state.range(0));
  const auto snapshot = make_snapshot(users);
  std::vector<std::string> asked;
  for (std::uint64_t n = 0; n < 4096; ++n)
    asked.push_back("user" + std::to_string(1 + n * 2654435761 % users) + "@example.test");
  std::size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(snapshot->find_user(asked[at++ % asked.size()]));
}
BENCHMARK(find_login)->Arg(1'000)->Arg(1'000'000);

void recent_login(benchmark::State& state) {
  RecentLogins logins({'k', 'e', 'y'}, {});
  logins.remember(AccountId(7), "correct horse battery", hash, Instant());
  for (auto _ : state)
    benchmark::DoNotOptimize(logins.knows(AccountId(7), "correct horse battery", hash, Instant()));
}
BENCHMARK(recent_login);

}  // namespace
}  // namespace kurir::directory

BENCHMARK_MAIN();
