// Bits that flip in what is sealed: a shard is filled and started anew, so that its older segments
// are known to be whole; then one bit after the other is flipped in their records. Each must be
// seen, and no more than one message may be unreadable for it; none may come with other octets.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "kurir/io/core.hh"
#include "kurir/io/simulated/world.hh"
#include "kurir/store/message_record.hh"
#include "script.hh"

namespace kurir::crash {
namespace {

using io::simulated::Process;
using io::simulated::Random;
using io::simulated::World;

constexpr const char* letters = "LLYLDRXLaaDRLYDaRXXLLDDaKYRaLDXXaYYDaLLDRRXaYaDLDaKXRLaDYaaXX";
constexpr const char* data_path = "/data";

struct Options {
  std::uint64_t flips = 100'000, seed = 1, seconds = 0;
  bool json = false;
};

struct Outcome {
  std::uint64_t flips = 0, detected = 0, altered = 0, damaging = 0;
  std::size_t messages = 0, records = 0, damaged_max = 0;
};

struct Sealed {
  store::RecordRef ref;
  bool is_message;
  std::string payload;
};

// All records that are shown, and what is damaged.
class Sees final : public store::RecordVisitor {
 public:
  void on_record(const store::RecordView& record) override {
    records.push_back({record.ref, store::is_message(record.type), std::string(record.payload)});
  }
  void on_corrupt(const store::RecordRef& where) override { damaged.push_back(where); }
  std::vector<Sealed> records;
  std::vector<store::RecordRef> damaged;
};

void run_process(World& world, const std::function<Task<void>()>& main) {
  Process& process = world.start("shard", [&] {
    io::CoresOptions options;
    options.count = 1;
    KURIR_ASSERT(io::Cores::run(options, [&](CoreIndex) { return main(); }).has_value());
  });
  KURIR_ASSERT(world.run_until([&] { return !process.is_alive(); },
                               world.now() + std::chrono::hours(10'000)));
}

Task<void> fill() {
  ShardHouse house;
  const Result<void> opened = co_await house.open();
  KURIR_ASSERT(opened.has_value());
  Ledger ledger;
  Script script(house, ledger);
  co_await script.run(letters);
  co_await house.stop();
}

// Says on the disk how far the older segments are good.
Task<void> seal() {
  ShardHouse house;
  const Result<void> opened = co_await house.open();
  KURIR_ASSERT(opened.has_value());
  Ledger ledger;
  Script script(house, ledger);
  co_await script.run("LRa");
  co_await house.stop();
}

class Flipper {
 public:
  Flipper(World& world, const Options& options, Outcome& outcome)
      : world_(world), random_(options.seed), options_(options), outcome_(outcome) {}

  Task<void> run() {
    const auto data =
        store::DataDirectory::open(data_path, {.create = false, .count_start = false});
    KURIR_ASSERT(data.has_value());
    instance_ = data->instance();
    for (const store::StreamKind stream :
         {store::StreamKind::mail, store::StreamKind::spool, store::StreamKind::journal}) {
      const Sees seen = co_await look(stream);
      KURIR_ASSERT(seen.damaged.empty());
      KURIR_ASSERT(!seen.records.empty());
      const std::uint32_t newest = seen.records.back().ref.segment;
      for (const Sealed& record : seen.records)
        if (record.ref.segment != newest) sealed_.push_back(record);
    }
    for (const Sealed& record : sealed_) {
      octets_ += record.ref.octets;
      if (record.is_message) messages_.push_back(co_await read(record.ref));
      if (record.is_message) message_refs_.push_back(record.ref);
    }
    for (const auto& content : messages_) KURIR_ASSERT(content.has_value());
    outcome_.messages = messages_.size();
    outcome_.records = sealed_.size();
    const std::time_t begun = std::time(nullptr);
    while (outcome_.flips < options_.flips) {
      co_await flip();
      const bool is_over = options_.seconds > 0 &&
                           std::time(nullptr) - begun >= static_cast<std::time_t>(options_.seconds);
      if (is_over) break;
    }
  }

 private:
  Task<Sees> look(store::StreamKind stream) {
    store::LogOptions options;
    options.directory = std::string(data_path) + "/" + store::shard_directory_name(ShardIndex(0));
    options.instance = instance_;
    options.stream = stream;
    Sees seen;
    const Result<void> looked = co_await store::look_through(std::move(options), seen);
    KURIR_ASSERT(looked.has_value());
    co_return seen;
  }

  // Nothing where some of it cannot be read.
  Task<std::optional<std::string>> read(store::RecordRef ref) {
    store::Reader reader(data_path, instance_);
    Result<store::MessageContent> content = co_await store::MessageContent::open(reader, ref);
    if (!content) co_return std::nullopt;
    std::string octets;
    while (octets.size() < content->size()) {
      const Result<std::string_view> piece = co_await content->view(octets.size());
      if (!piece || piece->empty()) co_return std::nullopt;
      octets += *piece;
    }
    co_return octets;
  }

  // An octet of a record, each as often.
  std::pair<store::RecordRef, std::uint32_t> choose() {
    std::uint64_t place = random_.below(octets_);
    for (const Sealed& record : sealed_) {
      if (place < record.ref.octets) return {record.ref, static_cast<std::uint32_t>(place)};
      place -= record.ref.octets;
    }
    KURIR_ASSERT(false);
  }

  Task<void> flip() {
    const auto [ref, within] = choose();
    const auto bit = static_cast<unsigned>(random_.below(8));
    const std::string path = std::string(data_path) + "/" +
                             store::shard_directory_name(ShardIndex(0)) + "/" +
                             store::segment_name(ref.stream, ref.segment);
    const auto file = world_.disk().find(path);
    KURIR_ASSERT(file != nullptr);
    file->flip(ref.offset + within, bit);
    const Sees seen = co_await look(ref.stream);
    const std::uint32_t at = ref.offset + within;
    const auto covers = [&](const store::RecordRef& where) {
      return where.segment == ref.segment && where.offset <= at && at < where.offset + where.octets;
    };
    outcome_.detected += std::ranges::any_of(seen.damaged, covers) ? 1 : 0;
    std::size_t damaged = 0;
    for (std::size_t n = 0; n < message_refs_.size(); ++n) {
      if (message_refs_[n].stream != ref.stream) continue;
      const std::optional<std::string> content = co_await read(message_refs_[n]);
      if (!content) ++damaged;
      if (content && *content != *messages_[n]) ++outcome_.altered;
    }
    outcome_.damaging += damaged > 0 ? 1 : 0;
    outcome_.damaged_max = std::max(outcome_.damaged_max, damaged);
    ++outcome_.flips;
    file->flip(at, bit);
  }

  World& world_;
  Random random_;
  const Options& options_;
  Outcome& outcome_;
  std::uint64_t instance_ = 0, octets_ = 0;
  std::vector<Sealed> sealed_;
  std::vector<store::RecordRef> message_refs_;
  std::vector<std::optional<std::string>> messages_;
};

int run_all(const Options& options) {
  World world(options.seed);
  run_process(world, [] { return fill(); });
  run_process(world, [] { return seal(); });
  Outcome outcome;
  const std::time_t begun = std::time(nullptr);
  Flipper flipper(world, options, outcome);
  run_process(world, [&flipper] { return flipper.run(); });
  const auto seconds = static_cast<long>(std::time(nullptr) - begun);
  const nlohmann::json told = {{"flips", outcome.flips},
                               {"detected", outcome.detected},
                               {"messages", outcome.messages},
                               {"records", outcome.records},
                               {"messages_damaged_by_one_max", outcome.damaged_max},
                               {"flips_that_damaged_a_message", outcome.damaging},
                               {"messages_altered_unseen", outcome.altered},
                               {"seconds", seconds}};
  if (options.json) std::printf("%s\n", told.dump().c_str());
  if (!options.json)
    std::printf(
        "%lu flips in %zu records of %zu messages: %lu seen, at most %zu messages damaged "
        "by one, %lu altered unseen, in %ld s\n",
        outcome.flips, outcome.records, outcome.messages, outcome.detected, outcome.damaged_max,
        outcome.altered, seconds);
  const bool is_well = outcome.flips > 0 && outcome.detected == outcome.flips &&
                       outcome.damaged_max <= 1 && outcome.altered == 0;
  return is_well ? 0 : 1;
}

}  // namespace
}  // namespace kurir::crash

int main(int count, char** words) {
  kurir::crash::Options options;
  CLI::App app("Flips bits of sealed records: each must be seen, and cost one message at most");
  app.add_option("--flips", options.flips, "how many");
  app.add_option("--seed", options.seed, "which ones");
  app.add_option("--seconds", options.seconds, "at most; 0: without a bound");
  app.add_flag("--json", options.json, "as one JSON object");
  CLI11_PARSE(app, count, words);
  return kurir::crash::run_all(options);
}
