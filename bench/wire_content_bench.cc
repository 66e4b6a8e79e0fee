// Message content: structure, envelope and search of messages as they come.

#include <benchmark/benchmark.h>

#include <string>

#include "kurir/wire/encoded_word.hh"
#include "kurir/wire/imap_structure.hh"
#include "kurir/wire/text_search.hh"
#include "kurir/wire/transfer_encoding.hh"

namespace kurir::wire {
namespace {

constexpr std::string_view header =
    "Received: from a.example.test by b.example.test; Tue, 01 Jul 2003 10:52:37 +0200\r\n"
    "Date: Tue, 01 Jul 2003 10:52:37 +0200\r\n"
    "From: =?utf-8?q?J=C3=BCrgen?= <j@example.test>\r\n"
    "To: Bob <bob@example.test>, carol@example.test (Carol)\r\n"
    "Subject: =?utf-8?b?w7xiZXI=?= the weather\r\n"
    "Message-ID: <1@example.test>\r\n";

std::string lines(std::size_t octets, std::string_view line) {
  std::string text;
  while (text.size() < octets) text += line;
  return text;
}

std::string attachment(std::size_t octets) {
  return std::string(header) + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
         "--b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n" +
         "--b\r\nContent-Type: text/csv\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
         lines(octets,
               "QW5kIHNvIG9uLCBhbmQgc28gb24sIGFuZCBzbyBvbiwgYW5kIHNvIG9uLCBhbmQgc28gb24s\r\n") +
         "--b--\r\n";
}

void count_octets(benchmark::State& state, std::size_t octets) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(octets));
}

void structure(benchmark::State& state) {
  const std::string message = attachment(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(parse_mime(message));
  count_octets(state, message.size());
}
BENCHMARK(structure)->Arg(1 << 10)->Arg(1 << 20);

void envelope(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    ImapWriter writer(out);
    append_envelope(writer, header);
    benchmark::DoNotOptimize(out.data());
  }
  count_octets(state, header.size());
}
BENCHMARK(envelope);

void search_plain(benchmark::State& state) {
  const std::string message =
      "\r\n" + lines(1 << 20, "Lines of text that say next to nothing.\r\n");
  const MimeStructure parts = parse_mime(message);
  const TextSearch search("nothing at all");
  for (auto _ : state) benchmark::DoNotOptimize(search.matches_body(message, parts));
  count_octets(state, message.size());
}
BENCHMARK(search_plain);

void search_base64(benchmark::State& state) {
  const std::string message = attachment(1 << 20);
  const MimeStructure parts = parse_mime(message);
  const TextSearch search("nothing at all");
  for (auto _ : state) benchmark::DoNotOptimize(search.matches_body(message, parts));
  count_octets(state, message.size());
}
BENCHMARK(search_base64);

void search_accents(benchmark::State& state) {
  const std::string message =
      "Content-Type: text/plain; charset=utf-8\r\n\r\n" +
      lines(1 << 20, "Z\xC3\xA4hne \xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82\r\n");
  const MimeStructure parts = parse_mime(message);
  const TextSearch search("nothing at all");
  for (auto _ : state) benchmark::DoNotOptimize(search.matches_body(message, parts));
  count_octets(state, message.size());
}
BENCHMARK(search_accents);

}  // namespace
}  // namespace kurir::wire

BENCHMARK_MAIN();
