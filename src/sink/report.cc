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
      R"("lost_numbers":{},"duplicated_numbers":{},"altered_numbers":{}}})",
      id, run.messages, run.distinct(), run.lost(expected), run.duplicated, run.altered,
      gaps(run.gaps(expected)), numbers(run.duplicated_numbers), numbers(run.altered_numbers));
}

}  // namespace

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
  for (const auto& [code, count] : other.replies) replies[code] += count;
  by_second.resize(std::max(by_second.size(), other.by_second.size()));
  for (std::size_t second = 0; second < other.by_second.size(); ++second)
    by_second[second] += other.by_second[second];
  audit.merge(other.audit);
}

std::string text_of(const Report& report) {
  std::string out = fmt::format(
      "{} messages for {} recipients, {} octets, over {} connections, at most {} at once\n",
      report.messages, report.recipients, report.octets, report.connections,
      report.connections_peak);
  for (const auto& [code, count] : report.replies)
    out += fmt::format("{} replies {}\n", count, code);
  if (report.disconnected > 0) out += fmt::format("{} disconnected\n", report.disconnected);
  if (report.silenced > 0) out += fmt::format("{} left without an answer\n", report.silenced);
  for (const auto& [id, run] : report.audit.runs()) {
    out += fmt::format("run {:016x}: {} distinct, {} lost, {} duplicated, {} altered\n", id,
                       run.distinct(), run.lost(report.expected), run.duplicated, run.altered);
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
      R"({{"connections":{},"connections_peak":{},"refused":{},"messages":{},"recipients":{},)"
      R"("octets":{},"disconnected":{},"silenced":{},"unstamped":{},"clean":{},"replies":{{)",
      report.connections, report.connections_peak, report.refused, report.messages,
      report.recipients, report.octets, report.disconnected, report.silenced,
      report.audit.unstamped(), report.is_clean());
  std::string_view comma;
  for (const auto& [code, count] : report.replies) {
    out += fmt::format(R"({}"{}":{})", comma, code, count);
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
