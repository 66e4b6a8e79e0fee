// What a reply costs to read, friendly or hostile: no packet of 64 KiB may cost more than 2 ms. And
// what an answer from the cache costs.

#include <benchmark/benchmark.h>

#include <string>

#include "kurir/dns/cache.hh"
#include "kurir/dns/packet.hh"

namespace kurir::dns {
namespace {

constexpr std::size_t packet_octets_max = 65'535;

std::string u16(std::size_t value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

std::string record(const std::string& owner, RecordType type, const std::string& data) {
  return owner + u16(static_cast<unsigned>(type)) + u16(1) + u16(0) + u16(300) + u16(data.size()) +
         data;
}

struct Exchanged {
  Key key;
  std::string query;
  std::string packet;  // header and question so far
  unsigned records = 0;

  Exchanged(std::string_view name, RecordType type)
      : key{*Name::parse(name), type}, query(encode_query(key, {.extended = false})) {
    packet = query;
    packet.replace(2, 2, u16(0x8180));
  }
  void add(const std::string& made) {
    packet += made;
    packet.replace(6, 2, u16(++records));
  }
};

void run(benchmark::State& state, const Exchanged& exchanged, Verdict expected) {
  for (auto _ : state) {
    const Reply reply = read_reply(exchanged.packet, exchanged.query, exchanged.key);
    if (reply.verdict != expected) return state.SkipWithError("another verdict");
    benchmark::DoNotOptimize(reply.answer.records.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(exchanged.packet.size()));
}

const std::string pointer = u16(0xc00c);

void encode(benchmark::State& state) {
  const Key key{*Name::parse("mail.example.org"), RecordType::mx};
  for (auto _ : state) benchmark::DoNotOptimize(encode_query(key, {}));
}
BENCHMARK(encode);

void read_three_exchanges(benchmark::State& state) {
  Exchanged exchanged("example.org", RecordType::mx);
  for (const char* label : {"\3mx1", "\3mx2", "\3mx3"})
    exchanged.add(record(pointer, RecordType::mx, u16(10) + label + pointer));
  run(state, exchanged, Verdict::answer);
}
BENCHMARK(read_three_exchanges);

void read_addresses_64k(benchmark::State& state) {
  Exchanged exchanged("example.org", RecordType::a);
  while (exchanged.packet.size() + 16 <= packet_octets_max)
    exchanged.add(record(pointer, RecordType::a, "abcd"));
  run(state, exchanged, Verdict::answer);
}
BENCHMARK(read_addresses_64k)->Unit(benchmark::kMicrosecond);

void read_text_60k(benchmark::State& state) {
  Exchanged exchanged("example.org", RecordType::txt);
  std::string data;
  for (int i = 0; i < 240; ++i) data += '\xff' + std::string(255, 't');
  exchanged.add(record(pointer, RecordType::txt, data));
  run(state, exchanged, Verdict::answer);
}
BENCHMARK(read_text_60k)->Unit(benchmark::kMicrosecond);

// Appends a chain of pointers, each behind a label: the end of it is a name of 126 labels.
std::size_t add_chain(Exchanged& exchanged) {
  const std::size_t base = exchanged.packet.size() + 12;
  std::string chain(1, '\0');
  std::size_t last = base;
  for (int i = 0; i < 126; ++i) {
    const std::size_t here = base + chain.size();
    chain += "\1a" + u16(0xc000 | last);
    last = here;
  }
  exchanged.add(record(pointer, static_cast<RecordType>(99), chain));
  return last;
}

// As many records as fit, the owner and the data of each at the end of the chain.
void read_bomb_64k(benchmark::State& state) {
  Exchanged exchanged("example.org", RecordType::mx);
  const std::string deep = u16(0xc000 | add_chain(exchanged));
  while (exchanged.packet.size() + 16 <= packet_octets_max)
    exchanged.add(record(deep, RecordType::mx, u16(1) + deep));
  run(state, exchanged, Verdict::malformed);
}
BENCHMARK(read_bomb_64k)->Unit(benchmark::kMicrosecond);

// Just within the steps that are taken: everything is walked, compared and decoded.
void read_bomb_within_bounds(benchmark::State& state) {
  Exchanged exchanged("example.org", RecordType::mx);
  const std::string deep = u16(0xc000 | add_chain(exchanged));
  for (int i = 0; i < 400; ++i) exchanged.add(record(pointer, RecordType::mx, u16(1) + deep));
  while (exchanged.packet.size() + 14 <= packet_octets_max)
    exchanged.add(record(pointer, static_cast<RecordType>(99), "ab"));
  run(state, exchanged, Verdict::answer);
}
BENCHMARK(read_bomb_within_bounds)->Unit(benchmark::kMicrosecond);

void cache_hit(benchmark::State& state) {
  Cache cache({}, 42);
  const Instant now(std::chrono::hours(1));
  Answer answer;
  answer.status = Status::found;
  answer.records = {Mx{10, "mx1.example.org"}, Mx{20, "mx2.example.org"}};
  for (int i = 0; i < 10'000; ++i)
    cache.put({*Name::parse("n" + std::to_string(i) + ".example"), RecordType::mx}, answer, 300,
              now);
  const Key key{*Name::parse("n77.example"), RecordType::mx};
  for (auto _ : state) {
    const Answer found = *cache.find(key, now)->answer;
    benchmark::DoNotOptimize(found.records.data());
  }
}
BENCHMARK(cache_hit);

}  // namespace
}  // namespace kurir::dns

BENCHMARK_MAIN();
