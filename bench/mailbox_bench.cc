// What a delivery, a FETCH and a poll cost in the index alone.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "kurir/mailbox/accounts.hh"
#include "kurir/mailbox/journal_record.hh"
#include "kurir/mailbox/view.hh"

namespace kurir::mailbox {
namespace {

struct Bench {
  QuiescenceDomain domain{1};
  RetireQueue retired{domain};
  Shared<Mailbox> mailbox = Shared<Mailbox>::adopt(new Mailbox(MailboxId(1), UidValidity(1)));

  void append(std::uint32_t count) {
    std::vector<NewMessage> messages(count);
    const ModSeq modseq = mailbox->reserve_modseq();
    for (NewMessage& message : messages) {
      message.uid = *mailbox->reserve_uids(1);
      message.modseq = modseq;
      message.size = 4096;
    }
    mailbox->append(messages, retired);
  }
  ~Bench() { benchmark::DoNotOptimize(mailbox.get()); }
};

// Uids end after 2^32 messages, memory before: a fresh mailbox every million.
void append_one(benchmark::State& state) {
  auto bench = std::make_unique<Bench>();
  for (auto _ : state) {
    bench->append(1);
    bench->retired.reclaim();
    if (bench->mailbox->messages() < 1'000'000) continue;
    state.PauseTiming();
    bench = std::make_unique<Bench>();
    state.ResumeTiming();
  }
}
BENCHMARK(append_one);

void encode_append(benchmark::State& state) {
  const Change change = Appended{AccountId(1), MailboxId(1), std::vector<NewMessage>(1)};
  std::string octets;
  for (auto _ : state) {
    octets.clear();
    encode(change, octets);
    benchmark::DoNotOptimize(octets.data());
  }
}
BENCHMARK(encode_append);

void decode_append(benchmark::State& state) {
  NewMessage message;
  message.uid = Uid(1);
  std::string octets;
  encode(Appended{AccountId(1), MailboxId(1), {message}}, octets);
  for (auto _ : state) benchmark::DoNotOptimize(decode(octets));
}
BENCHMARK(decode_append);

void open_view(benchmark::State& state) {
  Bench bench;
  bench.append(static_cast<std::uint32_t>(state.range(0)));
  for (auto _ : state) {
    View view(bench.mailbox);
    benchmark::DoNotOptimize(view.messages());
  }
}
BENCHMARK(open_view)->Arg(10)->Arg(100'000);

void refresh_without_news(benchmark::State& state) {
  Bench bench;
  bench.append(1000);
  View view(bench.mailbox);
  for (auto _ : state) benchmark::DoNotOptimize(view.refresh(Expunges::tell).empty());
}
BENCHMARK(refresh_without_news);

void walk_all(benchmark::State& state) {
  Bench bench;
  bench.append(static_cast<std::uint32_t>(state.range(0)));
  const View view(bench.mailbox);
  const std::vector<NumberRange> all{{1, ~0u}};
  for (auto _ : state) {
    std::uint64_t octets = 0;
    view.walk_sequences(all, [&](const Located& at) { octets += at.entry().size(); });
    benchmark::DoNotOptimize(octets);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(walk_all)->Arg(1000)->Arg(100'000);

void find_by_uid(benchmark::State& state) {
  Bench bench;
  bench.append(static_cast<std::uint32_t>(state.range(0)));
  // Every third is gone, so that sequence numbers and positions differ.
  std::vector<NumberRange> third;
  for (std::uint32_t uid = 3; uid < state.range(0); uid += 3) third.push_back({uid, uid});
  bench.mailbox->expunge(third, bench.mailbox->reserve_modseq(), bench.retired);
  const View view(bench.mailbox);
  std::uint32_t uid = 1;
  for (auto _ : state) {
    benchmark::DoNotOptimize(view.by_uid(Uid(uid)).sequence);
    uid = (uid + 7919) % static_cast<std::uint32_t>(state.range(0)) + 1;
  }
}
BENCHMARK(find_by_uid)->Arg(1000)->Arg(1'000'000);

void expunge_one(benchmark::State& state) {
  Bench bench;
  const auto count = static_cast<std::uint32_t>(state.range(0));
  bench.append(count);
  std::uint32_t uid = 1;
  for (auto _ : state) {
    bench.mailbox->expunge(std::vector<NumberRange>{{uid, uid}}, bench.mailbox->reserve_modseq(),
                           bench.retired);
    bench.append(1);
    bench.retired.reclaim();
    uid += 1;
  }
}
BENCHMARK(expunge_one)->Arg(1000)->Arg(1'000'000);

}  // namespace
}  // namespace kurir::mailbox

BENCHMARK_MAIN();
