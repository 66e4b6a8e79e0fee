// The simulated driver itself: sockets that talk, faults that strike, what a power cut leaves, and
// that a seed is a run.

#include <gtest/gtest.h>

#include <optional>

#include "kurir/io/clock.hh"
#include "kurir/io/connect.hh"
#include "kurir/io/core.hh"
#include "kurir/io/file.hh"
#include "kurir/io/mesh.hh"
#include "kurir/io/offload.hh"
#include "kurir/io/simulated/world.hh"

namespace kurir::io::simulated {
namespace {

const SocketAddress echo_address = SocketAddress::ipv4({127, 0, 0, 1}, 7);
constexpr Nanoseconds patience = std::chrono::minutes(20);

void on_cores(unsigned count, std::function<Task<void>(CoreIndex)> main) {
  CoresOptions options;
  options.count = count;
  options.driver = {.entries = 64, .receive_buffers = 16, .receive_buffer_octets = 1024};
  const Result<void> ran = Cores::run(options, std::move(main));
  KURIR_ASSERT(ran.has_value());
}

// Gives back what comes, on one connection, until its end.
Task<void> echo() {
  SocketAddress address = echo_address;
  Result<std::unique_ptr<Listener>> listener = Listener::open(address);
  KURIR_ASSERT(listener.has_value());
  const Result<Descriptor> accepted = co_await (*listener)->accept();
  if (accepted) {
    Socket socket(*accepted);
    for (;;) {
      const Result<void> filled = co_await socket.fill(deadline_in(patience));
      if (!filled) break;
      socket.output() += socket.input().front();
      socket.input().consume(socket.input().front().size());
      const Result<void> sent = co_await socket.flush(deadline_in(patience));
      if (!sent) break;
    }
    co_await socket.close();
  }
  co_await (*listener)->close();
}

struct Heard {
  std::string octets;
  bool is_over = false;
  Instant when{};
};

Task<void> speak(std::string octets, Heard& heard) {
  Result<std::unique_ptr<Stream>> stream =
      co_await connect(echo_address, std::nullopt, deadline_in(patience));
  if (stream) {
    Stream& socket = **stream;
    const Result<void> sent = co_await socket.write(octets, deadline_in(patience));
    while (sent && heard.octets.size() < octets.size()) {
      const Result<void> filled = co_await socket.fill(deadline_in(patience));
      if (!filled) break;
      heard.octets += socket.input().front();
      socket.input().consume(socket.input().front().size());
    }
    co_await socket.close();
  }
  heard.when = now();
  heard.is_over = true;
}

// One conversation; what was heard of it.
Heard converse(World& world, const std::string& octets) {
  Heard heard;
  world.start("echo", [] { on_cores(1, [](CoreIndex) { return echo(); }); });
  world.run_until(world.now() + Milliseconds(10));
  world.start("speaker", [&] { on_cores(1, [&](CoreIndex) { return speak(octets, heard); }); });
  EXPECT_TRUE(world.run_until([&] { return heard.is_over; }, world.now() + std::chrono::hours(2)));
  return heard;
}

TEST(SimulatedNetwork, carries_octets_in_pieces_of_any_size) {
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    World world(seed);
    world.network().weather.tiny_pieces = 0.5;
    world.network().weather.small_window = 0.5;
    world.network().weather.short_send = 0.3;
    const std::string octets(1 + world.random().below(20'000), 'x');
    EXPECT_EQ(converse(world, octets).octets, octets) << seed;
  }
}

TEST(SimulatedNetwork, cuts_connections_at_any_octet) {
  unsigned cut_short = 0;
  for (std::uint64_t seed = 1; seed < 60; ++seed) {
    World world(seed);
    world.network().weather.cut = 0.5;
    const std::string octets(20'000, 'x');
    const Heard heard = converse(world, octets);
    EXPECT_TRUE(octets.starts_with(heard.octets));
    if (heard.octets.size() < octets.size()) ++cut_short;
  }
  EXPECT_GT(cut_short, 10u);
}

TEST(SimulatedNetwork, what_no_peer_acknowledges_ends_by_the_deadline) {
  World world(1);
  world.network().weather.silent = 1;
  Heard heard;
  const Instant begun = world.now();
  world.start("speaker", [&] { on_cores(1, [&](CoreIndex) { return speak("x", heard); }); });
  ASSERT_TRUE(world.run_until([&] { return heard.is_over; }, world.now() + std::chrono::hours(1)));
  EXPECT_GE(heard.when - begun, Seconds(127));
  EXPECT_LE(heard.when - begun, patience + Seconds(1));
}

TEST(Simulation, of_one_seed_is_one_run) {
  const auto hash_of = [](std::uint64_t seed) {
    World world(seed);
    world.network().weather.cut = 0.3;
    world.network().weather.tiny_pieces = 0.5;
    static_cast<void>(converse(world, std::string(5000, 'x')));
    return world.trace().hash();
  };
  for (std::uint64_t seed = 1; seed < 10; ++seed) EXPECT_EQ(hash_of(seed), hash_of(seed));
  EXPECT_NE(hash_of(1), hash_of(2));
}

// --- cores and the pool, interleaved on one thread

TEST(SimulatedCores, carry_calls_and_offloaded_work) {
  World world(3);
  std::vector<std::uint64_t> results;
  world.start("cores", [&] {
    on_cores(3, [&](CoreIndex core) -> Task<void> {
      for (std::uint16_t target = 0; target < 3; ++target) {
        const std::uint64_t there = co_await on_core(
            CoreIndex(target), [] { return std::uint64_t{Core::current().index().value}; });
        const Result<std::uint64_t> offloaded = co_await offload([there] { return there * 10; });
        KURIR_ASSERT(Core::current().index().value == core.value);
        results.push_back(*offloaded);
      }
    });
  });
  world.run_until(world.now() + Seconds(1));
  std::sort(results.begin(), results.end());
  EXPECT_EQ(results, (std::vector<std::uint64_t>{0, 0, 0, 10, 10, 10, 20, 20, 20}));
}

// --- the disk

const std::string path = "/data";
constexpr OpenOptions creating{.mode = OpenMode::create_exclusive};

// Makes a file with a name that survives, writes `old` synced, then `fresh` as `durable` says.
Task<void> write_twice(std::string old, std::string fresh, bool durable) {
  Result<File> file = co_await File::open(path, creating);
  KURIR_ASSERT(file.has_value());
  KURIR_ASSERT(sync_directory("/").has_value());
  const Result<void> first = co_await file->write_at(old, 0);
  const Result<void> synced = co_await file->sync_data();
  const Result<void> second = co_await file->write_at(fresh, 0, durable);
  KURIR_ASSERT(first && synced && second);
}

std::string left_after_power_cut(std::uint64_t seed, CutMode mode, bool durable,
                                 bool ignores_sync = false) {
  World world(seed);
  world.disk().weather.ignores_sync = ignores_sync;
  Process& process = world.start("writer", [&] {
    on_cores(1, [&](CoreIndex) {
      return write_twice(std::string(4096, 'o'), std::string(4096, 'f'), durable);
    });
  });
  world.run_until([&] { return !process.is_alive(); }, world.now() + Seconds(10));
  world.disk().cut_power(mode);
  const std::shared_ptr<DiskFile> file = world.disk().find(path);
  if (file == nullptr) return "no file";
  std::string octets(file->size(), '\0');
  file->read(octets, 0);
  return octets;
}

TEST(SimulatedDisk, keeps_what_was_synced_and_loses_or_tears_the_rest) {
  const std::string old(4096, 'o'), fresh(4096, 'f');
  EXPECT_EQ(left_after_power_cut(1, CutMode::loses_all, true), fresh);
  EXPECT_EQ(left_after_power_cut(1, CutMode::loses_all, false), old);
  EXPECT_EQ(left_after_power_cut(1, CutMode::keeps_all, false), fresh);
  unsigned torn = 0;
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    const std::string left = left_after_power_cut(seed, CutMode::keeps_some, false);
    ASSERT_EQ(left.size(), 4096u);
    for (std::size_t at = 0; at < left.size(); at += sector_octets)
      EXPECT_EQ(left.substr(at, sector_octets), std::string(sector_octets, left[at]));
    if (left != old && left != fresh) ++torn;
    EXPECT_EQ(left_after_power_cut(seed, CutMode::keeps_some, true), fresh);
  }
  EXPECT_GT(torn, 10u);
  EXPECT_EQ(left_after_power_cut(1, CutMode::loses_all, true, true), "no file");
}

TEST(SimulatedDisk, loses_a_name_whose_directory_was_not_synced) {
  World world(1);
  std::shared_ptr<DiskFile> file;
  ASSERT_EQ(world.disk().open("/a", true, false, file), 0);
  ASSERT_EQ(world.disk().sync_directory("/"), 0);
  ASSERT_EQ(world.disk().rename("/a", "/b"), 0);
  world.disk().cut_power(CutMode::loses_all);
  EXPECT_NE(world.disk().find("/a"), nullptr);
  EXPECT_EQ(world.disk().find("/b"), nullptr);
}

TEST(SimulatedDisk, a_failed_sync_loses_what_a_later_one_claims) {
  DiskFile file;
  Random random(1);
  file.write("old.", 0, 1);
  file.sync(1);
  file.write("lost", 0, 2);
  file.forget(2);
  file.sync(2);
  char octets[4];
  file.read(octets, 0);
  EXPECT_EQ(std::string_view(octets, 4), "lost");  // the page cache has it
  file.cut_power(random, CutMode::keeps_all, 2, sector_octets);
  file.read(octets, 0);
  EXPECT_EQ(std::string_view(octets, 4), "old.");
}

TEST(SimulatedDisk, stops_the_machine_at_any_operation) {
  for (std::uint64_t stop = 1; stop < 7; ++stop) {
    World world(stop);
    bool has_stopped = false;
    Process& process = world.start(
        "writer", [&] { on_cores(1, [&](CoreIndex) { return write_twice("o", "f", true); }); });
    world.disk().stop_at_operation(stop, [&] {
      has_stopped = true;
      process.kill();
    });
    world.run_until(world.now() + Seconds(10));
    EXPECT_TRUE(has_stopped) << stop;
    EXPECT_FALSE(process.is_alive());
  }
}

TEST(SimulatedDisk, is_full_where_its_capacity_ends) {
  World world(1);
  world.disk().capacity = 6000;
  std::optional<Error> failure;
  const auto body = [&](CoreIndex) -> Task<void> {
    Result<File> file = co_await File::open(path, creating);
    const std::string octets(5000, 'x');
    const Result<void> first = co_await file->write_at(octets, 0);
    KURIR_ASSERT(first.has_value());
    const Result<void> second = co_await file->write_at(octets, 5000);
    if (!second) failure = second.error();
  };
  world.start("writer", [&] { on_cores(1, body); });
  world.run_until(world.now() + Seconds(1));
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, Errc::no_space);
}

TEST(SimulatedClock, jumps_and_stands_still) {
  WallClock clock;
  const Instant now{Seconds(1000)};
  const WallTime before = clock.at(now);
  clock.jump(-std::chrono::hours(1));
  EXPECT_EQ(clock.at(now).seconds(), before.seconds() - 3600);
  clock.freeze(now);
  EXPECT_EQ(clock.at(now + Seconds(5)), clock.at(now));
  clock.thaw();
  EXPECT_EQ(clock.at(now + Seconds(5)).seconds(), before.seconds() - 3595);
}

}  // namespace
}  // namespace kurir::io::simulated
