#include "kurir/sink/report.hh"

#include <fmt/format.h>

#include <algorithm>

namespace kurir::sink {
namespace {

std::string numbers(const std::vector<std::uint64_t>& list) {
  std::string out;
  for (const std::uint64_t number : list)
    out += fmt::format("{}{}", out.empty() ? "" : ",", number);
  return "[" + out + "]";
}

std::string gaps(const std::vector<Gap>& list) {
  std::string out;
  for (const Gap& gap : list)
    out += fmt::format("{}[{},{}]", out.empty() ? "" : ",", gap.first, gap.last);
  return "[" + out + "]";
}

std::string json_of(std::uint64_t id, const Audit::Run& run, std::uint64_t expected) {
  return fmt::format(
      R"({{"run":"{:016x}","messages":{},"distinct":{},"lost":{},"duplicated":{},"altered":{},)"
      R"("out_of_order":{},"lost_numbers":{},"duplicated_numbers":{},"altered_numbers":{},)"
      R"("out_of_order_numbers":{}}})",
      id, run.messages, run.distinct(), run.lost(expected), run.duplicated, run.altered,
      run.out_of_order, gaps(run.gaps(expected)), numbers(run.duplicated_numbers),
      numbers(run.altered_numbers), numbers(run.out_of_order_numbers));
}

constexpr std::size_t seconds_max = 24 * 3600;

}  // namespace

void Report::count_arrival(Instant now) {
  ++messages;
  if (first_message == Instant{}) first_message = now;
  const auto second = static_cast<std::size_t>((now - first_message) / Seconds(1));
  if (second >= seconds_max) return;
  if (by_second.size() <= second) by_second.resize(second + 1);
  ++by_second[second];
}

// Seconds are those since the first message of any core.
void Report::merge_seconds(const Report& other) {
  if (other.first_message == Instant{}) return;
  if (first_message == Instant{}) {
    first_message = other.first_message;
    by_second = other.by_second;
    return;
  }
  const Instant first = std::min(first_message, other.first_message);
  const auto late = static_cast<std::size_t>((first_message - first) / Seconds(1));
  const auto theirs_late = static_cast<std::size_t>((other.first_message - first) / Seconds(1));
  by_second.insert(by_second.begin(), late, 0);
  first_message = first;
  by_second.resize(std::max(by_second.size(), other.by_second.size() + theirs_late));
  for (std::size_t second = 0; second < other.by_second.size(); ++second)
    by_second[second + theirs_late] += other.by_second[second];
}

void Report::merge(const Report& other) {
  connections += other.connections;
  connections_open += other.connections_open;
  connections_peak += other.connections_peak;
  refused += other.refused;
  messages += other.messages;
  recipients += other.recipients;
  octets += other.octets;
  disconnected += other.disconnected;
  silenced += other.silenced;
  greylisted += other.greylisted;
  handshakes += other.handshakes;
  handshakes_resumed += other.handshakes_resumed;
  handshakes_failed += other.handshakes_failed;
  for (std::size_t code = 0; code < codes_end; ++code) replies[code] += other.replies[code];
  merge_seconds(other);
  audit.merge(other.audit);
}

std::string text_of(const Report& report) {
  std::string out = fmt::format(
      "{} messages for {} recipients, {} octets, over {} connections, at most {} at once\n",
      report.messages, report.recipients, report.octets, report.connections,
      report.connections_peak);
  for (std::size_t code = 400; code < Report::codes_end; ++code)
    if (report.replies[code] > 0) out += fmt::format("{} replies {}\n", report.replies[code], code);
  if (report.refused > 0) out += fmt::format("{} connections refused\n", report.refused);
  if (report.disconnected > 0) out += fmt::format("{} disconnected\n", report.disconnected);
  if (report.silenced > 0) out += fmt::format("{} left without an answer\n", report.silenced);
  if (report.handshakes + report.handshakes_failed > 0)
    out += fmt::format("{} connections with TLS, {} of them resumed; {} handshakes failed\n",
                       report.handshakes, report.handshakes_resumed, report.handshakes_failed);
  for (const auto& [id, run] : report.audit.runs()) {
    out += fmt::format(
        "run {:016x}: {} distinct, {} lost, {} duplicated, {} altered, {} out of order\n", id,
        run.distinct(), run.lost(report.expected), run.duplicated, run.altered, run.out_of_order);
    for (const Gap& gap : run.gaps(report.expected))
      out += fmt::format("  lost {}-{}\n", gap.first, gap.last);
    for (const std::uint64_t number : run.duplicated_numbers)
      out += fmt::format("  duplicated {}\n", number);
    for (const std::uint64_t number : run.altered_numbers)
      out += fmt::format("  altered {}\n", number);
  }
  if (report.audit.unstamped() > 0)
    out += fmt::format("{} messages without a stamp\n", report.audit.unstamped());
  return out;
}

std::string json_of(const Report& report) {
  std::string out = fmt::format(
      R"({{"connections":{},"connections_open":{},"connections_peak":{},"refused":{},)"
      R"("messages":{},"recipients":{},"octets":{},"disconnected":{},"silenced":{},)"
      R"("greylisted":{},"unstamped":{},"handshakes":{},"handshakes_resumed":{},)"
      R"("handshakes_failed":{},"clean":{},"replies":{{)",
      report.connections, report.connections_open, report.connections_peak, report.refused,
      report.messages, report.recipients, report.octets, report.disconnected, report.silenced,
      report.greylisted, report.audit.unstamped(), report.handshakes, report.handshakes_resumed,
      report.handshakes_failed, report.is_clean());
  std::string_view comma;
  for (std::size_t code = 0; code < Report::codes_end; ++code) {
    if (report.replies[code] == 0) continue;
    out += fmt::format(R"({}"{}":{})", comma, code, report.replies[code]);
    comma = ",";
  }
  out += "},\"by_second\":" + numbers(report.by_second) + ",\"runs\":[";
  comma = "";
  for (const auto& [id, run] : report.audit.runs()) {
    out += comma;
    out += json_of(id, run, report.expected);
    comma = ",";
  }
  return out + "]}\n";
}

}  // namespace kurir::sink
