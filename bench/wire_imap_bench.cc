// What an IMAP command costs before it is carried out.

#include <benchmark/benchmark.h>

#include <string>

#include "kurir/wire/imap_command.hh"

namespace kurir::wire {
namespace {

void parse(benchmark::State& state, const std::string& command) {
  for (auto _ : state) {
    const auto parsed = parse_imap_command(command);
    benchmark::DoNotOptimize(parsed.consumed());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * command.size()));
}

BENCHMARK_CAPTURE(parse, noop, "a1 NOOP\r\n");
BENCHMARK_CAPTURE(parse, login, "a1 LOGIN alice@example.test \"secret phrase\"\r\n");
BENCHMARK_CAPTURE(parse, select, "a1 SELECT INBOX (CONDSTORE)\r\n");
BENCHMARK_CAPTURE(parse, fetch_flags, "a1 FETCH 1:* (FLAGS UID)\r\n");
BENCHMARK_CAPTURE(parse, fetch_body, "a1 UID FETCH 4711 (UID RFC822.SIZE BODY.PEEK[])\r\n");
// As Thunderbird asks for what its list shows.
BENCHMARK_CAPTURE(parse, fetch_headers,
                  "12 UID fetch 1:500,777,900:1200 (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS "
                  "(From To Cc Bcc Subject Date Message-ID Priority X-Priority References "
                  "Newsgroups In-Reply-To Content-Type Reply-To)])\r\n");
BENCHMARK_CAPTURE(parse, store, "a1 STORE 12 +FLAGS.SILENT (\\Seen \\Flagged $Forwarded)\r\n");
BENCHMARK_CAPTURE(parse, search,
                  "a1 UID SEARCH RETURN (COUNT ALL) UNDELETED SINCE 1-Jan-2026 OR FROM \"alice\" "
                  "SUBJECT \"minutes of the meeting\"\r\n");
BENCHMARK_CAPTURE(parse, list, "a1 LIST (SUBSCRIBED) \"\" (\"INBOX\" \"%\") RETURN (CHILDREN)\r\n");

// A set as long as clients send them that keep a message's state one by one.
void parse_long_set(benchmark::State& state) {
  std::string command = "a1 UID FETCH 1";
  for (int uid = 3; uid < 2 * state.range(0); uid += 2) command += "," + std::to_string(uid);
  command += " (FLAGS)\r\n";
  parse(state, command);
}
BENCHMARK(parse_long_set)->Arg(10)->Arg(1000);

}  // namespace
}  // namespace kurir::wire

BENCHMARK_MAIN();
