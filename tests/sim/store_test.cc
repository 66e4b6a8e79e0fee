// The store on a disk whose syncs fail: what only the page cache shows.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kurir/io/core.hh"
#include "kurir/io/file.hh"
#include "kurir/io/simulated/world.hh"
#include "kurir/store/log.hh"

namespace kurir::sim {
namespace {

using io::simulated::CutMode;
using io::simulated::Operation;
using io::simulated::World;

constexpr std::uint16_t record_type = 32;
constexpr std::string_view folder = "/log";

struct Collects final : store::RecordVisitor {
  void on_record(const store::RecordView& record) override { seen.emplace_back(record.payload); }
  void on_corrupt(const store::RecordRef&) override { seen.emplace_back("corrupt"); }
  std::vector<std::string> seen;
};

// Opens the log, appends the record where it is given, and ends well.
Task<void> use_log(std::string record, Collects& shown, bool& committed) {
  KURIR_ASSERT(io::make_directories(std::string(folder)).has_value());
  store::LogOptions options;
  options.directory = folder;
  options.instance = 7;
  options.stream = store::StreamKind::spool;
  options.segment_octets = 4U << 20;
  Result<std::unique_ptr<store::Log>> log = co_await store::Log::open(options, shown);
  KURIR_ASSERT(log.has_value());
  if (!record.empty()) {
    const Result<store::RecordRef> ref = (*log)->append(record_type, record);
    KURIR_ASSERT(ref.has_value());
    io::simulated::Faults& faults = World::current().faults();
    if (record == "fails") faults.set(Operation::sync_file, 1);
    const Result<void> done = co_await (*log)->commit(*ref);
    committed = done.has_value();
  }
  co_await (*log)->stop();
}

std::vector<std::string> run(World& world, const std::string& record, bool& committed) {
  Collects shown;
  io::simulated::Process& process = world.start("log", [&] {
    io::CoresOptions options;
    options.count = 1;
    const auto main = [&](CoreIndex) { return use_log(record, shown, committed); };
    KURIR_ASSERT(io::Cores::run(options, main).has_value());
  });
  world.run_until([&] { return !process.is_alive(); }, world.now() + std::chrono::hours(1));
  EXPECT_FALSE(process.is_alive());
  world.faults().clear();
  return shown.seen;
}

TEST(StoreOnAFailingDisk, what_a_start_has_shown_survives_a_power_cut) {
  for (const CutMode mode : {CutMode::loses_all, CutMode::keeps_all, CutMode::keeps_some}) {
    World world(1);
    bool committed = false;
    run(world, "stays", committed);
    EXPECT_TRUE(committed);
    run(world, "fails", committed);
    EXPECT_FALSE(committed);
    const std::vector<std::string> shown = run(world, "", committed);
    world.disk().cut_power(mode);
    EXPECT_EQ(run(world, "", committed), shown) << static_cast<int>(mode);
    EXPECT_EQ(shown.front(), "stays");
  }
}

}  // namespace
}  // namespace kurir::sim
