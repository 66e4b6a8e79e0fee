// The log: what an append costs the core, what a commit costs by batch size and sync mode, how fast
// recovery reads. Data goes to KURIR_BENCH_DIRECTORY, else the temporary directory: name a real
// disk for durable figures.

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "kurir/coro/scope.hh"
#include "kurir/io/core.hh"
#include "kurir/store/log.hh"

namespace kurir::store {
namespace {

class Folder {
 public:
  Folder() {
    const char* given = std::getenv("KURIR_BENCH_DIRECTORY");
    std::string name = given != nullptr ? given : std::filesystem::temp_directory_path().string();
    name += "/kurir-store-bench-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class Counts final : public RecordVisitor {
 public:
  void on_record(const RecordView& record) override { octets += record.payload.size(); }
  void on_corrupt(const RecordRef&) override {}
  std::uint64_t octets = 0;
};

using Work = Task<void> (*)(Log& log, benchmark::State& state);

Task<void> run_log(LogOptions options, benchmark::State& state, Work work) {
  Counts counts;
  Result<std::unique_ptr<Log>> log = co_await Log::open(std::move(options), counts);
  if (!log) {
    state.SkipWithError("the log does not open");
    co_return;
  }
  (*log)->begin_reclaiming();
  co_await work(**log, state);
  co_await (*log)->stop();
}

void with_log(const LogOptions& options, benchmark::State& state, Work work) {
  io::CoresOptions cores;
  cores.count = 1;
  const Result<void> ran =
      io::Cores::run(cores, [&](CoreIndex) { return run_log(options, state, work); });
  if (!ran) state.SkipWithError("no core");
}

// range(0): records a commit; range(1): payload octets; range(2): 0 buffered, 1 direct.
Task<void> append_and_commit(Log& log, benchmark::State& state) {
  const std::string payload(static_cast<std::size_t>(state.range(1)), 'x');
  std::vector<RecordRef> refs;
  for (auto _ : state) {
    for (std::int64_t record = 0; record < state.range(0); ++record) {
      const Result<void> roomy = co_await log.room(payload.size(), no_deadline);
      const Result<RecordRef> ref = log.append(record_type::message, payload);
      if (!roomy || !ref) {
        state.SkipWithError("no room");
        co_return;
      }
      refs.push_back(*ref);
    }
    const Result<void> committed = co_await log.commit(refs);
    if (!committed) state.SkipWithError("a commit failed");
    for (const RecordRef& ref : refs) log.release(ref);
    refs.clear();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * state.range(0) * state.range(1));
  const LogStatistics& statistics = log.statistics();
  state.counters["written/payload"] =
      static_cast<double>(statistics.written_octets) / static_cast<double>(statistics.octets);
}

void BM_commit(benchmark::State& state) {
  const Folder folder;
  LogOptions options;
  options.directory = folder.path();
  options.instance = 1;
  options.sync = state.range(2) == 0 ? SyncMode::buffered : SyncMode::direct;
  with_log(options, state, &append_and_commit);
}
BENCHMARK(BM_commit)
    ->ArgNames({"batch", "octets", "direct"})
    ->ArgsProduct({{1, 16, 64, 256}, {4096}, {0, 1}})
    ->ArgsProduct({{16}, {100'000}, {0, 1}})
    ->UseRealTime();

// What the core pays: the disk is taken out by Durability::none.
void BM_append(benchmark::State& state) {
  const Folder folder;
  LogOptions options;
  options.directory = folder.path();
  options.instance = 1;
  options.durability = Durability::none;
  with_log(options, state, &append_and_commit);
}
BENCHMARK(BM_append)
    ->ArgNames({"batch", "octets", "direct"})
    ->Args({64, 256, 0})
    ->Args({64, 4096, 0});

Task<void> fill(Log& log, benchmark::State& state) {
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
  for (std::int64_t octets = 0; octets < (64 << 20); octets += state.range(0)) {
    const Result<void> roomy = co_await log.room(payload.size(), no_deadline);
    const Result<RecordRef> ref = log.append(record_type::message, payload);
    if (!roomy || !ref) state.SkipWithError("no room");
  }
}

Task<void> recover_again_and_again(LogOptions options, benchmark::State& state) {
  std::uint64_t octets = 0;
  for (auto _ : state) {
    Counts counts;
    Result<std::unique_ptr<Log>> log = co_await Log::open(options, counts);
    octets += counts.octets;
    if (log) co_await (*log)->stop();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(octets));
  state.SetItemsProcessed(static_cast<std::int64_t>(octets) / state.range(0));
}

void BM_recover(benchmark::State& state) {
  const Folder folder;
  LogOptions options;
  options.directory = folder.path();
  options.instance = 1;
  with_log(options, state, &fill);
  io::CoresOptions cores;
  cores.count = 1;
  const Result<void> ran =
      io::Cores::run(cores, [&](CoreIndex) { return recover_again_and_again(options, state); });
  if (!ran) state.SkipWithError("no core");
}
BENCHMARK(BM_recover)->ArgName("octets")->Arg(64)->Arg(4096)->UseRealTime();

}  // namespace
}  // namespace kurir::store

BENCHMARK_MAIN();
