// The wire room's path of a message: scanning content against memchr, and parsing commands.

#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <string>

#include "kurir/base/limits.hh"
#include "kurir/wire/base64.hh"
#include "kurir/wire/bounce_category.hh"
#include "kurir/wire/delivery_report.hh"
#include "kurir/wire/line.hh"
#include "kurir/wire/pop3_command.hh"
#include "kurir/wire/scan.hh"
#include "kurir/wire/smtp_command.hh"
#include "kurir/wire/smtp_data.hh"
#include "kurir/wire/smtp_reply.hh"

namespace kurir::wire {
namespace {

constexpr std::size_t slice_octets = 64 * 1024;

std::string text_of(std::size_t octets, std::string_view line) {
  std::string text = "Subject: a message\r\n\r\n";
  while (text.size() < octets) text += line;
  return text;
}

const std::string plain_text = text_of(
    slice_octets, "A line of seventy-two octets, as a mail program folds text. It is. So.\r\n");
const std::string dotted_text = text_of(
    slice_octets, "..A line of seventy-two octets, as a mail program folds text. It is. So\r\n");

void count_octets(benchmark::State& state, const std::string& text) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

// The floor: one pass over the octets that looks for one octet that is not there.
void memchr_absent(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(std::memchr(plain_text.data(), '\0', plain_text.size()));
  }
  count_octets(state, plain_text);
}
BENCHMARK(memchr_absent);

// What a line by line reader does before it looks at a line.
void memchr_each_line(benchmark::State& state) {
  for (auto _ : state) {
    std::size_t lines = 0;
    for (std::size_t at = 0; at < plain_text.size(); ++lines) at = plain_text.find('\n', at) + 1;
    benchmark::DoNotOptimize(lines);
  }
  count_octets(state, plain_text);
}
BENCHMARK(memchr_each_line);

void scan_content(benchmark::State& state) {
  const auto kernel = static_cast<ScanKernel>(state.range(0));
  if (!has_kernel(kernel)) {
    state.SkipWithError("not on this processor");
    return;
  }
  for (auto _ : state) {
    ContentScan scan;
    benchmark::DoNotOptimize(scan_to_dot_line(kernel, scan, plain_text));
  }
  count_octets(state, plain_text);
}
BENCHMARK(scan_content)
    ->Arg(static_cast<int>(ScanKernel::scalar))
    ->Arg(static_cast<int>(ScanKernel::sse2))
    ->Arg(static_cast<int>(ScanKernel::avx2));

void receive(benchmark::State& state, const std::string& text) {
  for (auto _ : state) {
    DataScanner scanner;
    for (std::string_view slice = text; !slice.empty();) {
      const DataScanner::Step step = scanner.step(slice);
      benchmark::DoNotOptimize(step.piece.data());
      slice.remove_prefix(step.consumed);
    }
  }
  count_octets(state, text);
}
void data_scanner_plain(benchmark::State& state) { receive(state, plain_text); }
BENCHMARK(data_scanner_plain);
// All of it header section, where Received: fields are counted.
void data_scanner_header(benchmark::State& state) {
  receive(state, plain_text.substr(plain_text.find("\r\n\r\n") + 4));
}
BENCHMARK(data_scanner_header);
void data_scanner_each_line_stuffed(benchmark::State& state) { receive(state, dotted_text); }
BENCHMARK(data_scanner_each_line_stuffed);

// A small message with its header section, as load generators send.
void data_scanner_small_message(benchmark::State& state) {
  const std::string message =
      "Received: from client.test by mail.test; Thu, 1 Jan 2026 00:00:00 +0000\r\n"
      "From: <alice@example.test>\r\nTo: <bob@example.test>\r\nSubject: test\r\n"
      "Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n" +
      text_of(1024, "A line of the body of a small message.\r\n") + ".\r\n";
  receive(state, message);
}
BENCHMARK(data_scanner_small_message);

void stuff_plain(benchmark::State& state) {
  for (auto _ : state) {
    DotStuffer stuffer;
    for (std::string_view slice = plain_text; !slice.empty();) {
      const DotStuffer::Step step = stuffer.step(slice);
      benchmark::DoNotOptimize(step.piece.data());
      slice.remove_prefix(step.consumed);
    }
  }
  count_octets(state, plain_text);
}
BENCHMARK(stuff_plain);

void parse_transaction(benchmark::State& state) {
  const std::string batch =
      "MAIL FROM:<alice@example.test> SIZE=1024 BODY=8BITMIME\r\n"
      "RCPT TO:<bob.user+folder@elsewhere.example.org>\r\nDATA\r\n";
  for (auto _ : state) {
    for (std::string_view input = batch; !input.empty();) {
      const auto command = parse_smtp_command(input);
      benchmark::DoNotOptimize(command.value().verb);
      input.remove_prefix(command.consumed());
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * 3));
}
BENCHMARK(parse_transaction);

void own_path(benchmark::State& state) {
  const auto path = parse_forward_path("<bob.user+folder@Elsewhere.Example.Org>");
  for (auto _ : state) benchmark::DoNotOptimize(path.value().own());
}
BENCHMARK(own_path);

void parse_pop3_retr(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(parse_pop3_command("RETR 12345\r\n"));
}
BENCHMARK(parse_pop3_retr);

void write_positive_reply(benchmark::State& state) {
  std::array<char, 128> out;
  for (auto _ : state) {
    benchmark::DoNotOptimize(write_reply(out, {250, {2, 1, 5}, "Recipient ok"}));
  }
}
BENCHMARK(write_positive_reply);

void parse_peer_reply(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(parse_smtp_reply("250 2.0.0 queued as 4c9f3a51d0000012\r\n"));
  }
}
BENCHMARK(parse_peer_reply);

void decode_credentials(benchmark::State& state) {
  std::array<char, 64> out;
  for (auto _ : state) benchmark::DoNotOptimize(decode_base64("AGFsaWNlAHNlY3JldA==", out));
}
BENCHMARK(decode_credentials);

constexpr std::string_view refusal =
    "550-5.1.1 The email account that you tried to reach does not exist. Please try\r\n"
    "550-5.1.1 double-checking the recipient's email address for typos or spaces.\r\n"
    "550 5.1.1 https://support.mail.test/?p=NoSuchUser a1b2 - smtp\r\n";

void tell_bounce_category(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(bounce_category(550, {5, 1, 1}, refusal));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * refusal.size()));
}
BENCHMARK(tell_bounce_category);

// Words that make the most rows be looked at, in as much text as is read.
void tell_bounce_category_of_a_long_reply(benchmark::State& state) {
  std::string text;
  while (text.size() < limits::report_reply_octets_max) text += "m u ";
  for (auto _ : state) benchmark::DoNotOptimize(bounce_category(550, {}, text));
  count_octets(state, text);
}
BENCHMARK(tell_bounce_category_of_a_long_reply);

void compose_report(benchmark::State& state) {
  const ReportedRecipient recipient{.address = "bob@remote.test",
                                    .status = {5, 1, 1},
                                    .remote_name = "mx.remote.test",
                                    .remote_reply = refusal};
  DeliveryReport report{.hostname = "mail.example.test",
                        .report_id = "4c9f3a51d0000012",
                        .sender = "alice@example.test",
                        .recipients = {&recipient, 1},
                        .original = plain_text};
  for (auto _ : state) benchmark::DoNotOptimize(compose_delivery_report(report));
}
BENCHMARK(compose_report);

}  // namespace
}  // namespace kurir::wire

BENCHMARK_MAIN();
