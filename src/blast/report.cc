#include "kurir/blast/report.hh"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace kurir::blast {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 4> shares = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99_9", 0.999}}};

double seconds_of(Nanoseconds duration) { return double(duration.count()) / 1e9; }
double milliseconds_of(std::uint64_t nanoseconds) { return double(nanoseconds) / 1e6; }
double per_second(double count, Nanoseconds elapsed) {
  return elapsed.count() > 0 ? count / seconds_of(elapsed) : 0;
}

}  // namespace

void Report::merge(const Report& other) {
  accepted += other.accepted;
  refused += other.refused;
  lost += other.lost;
  recipients += other.recipients;
  connections += other.connections;
  octets += other.octets;
  for (std::size_t stage = 0; stage < stages.size(); ++stage)
    stages[stage].merge(other.stages[stage]);
  for (const auto& [code, count] : other.refusals) refusals[code] += count;
  for (std::size_t loss = 0; loss < losses.size(); ++loss) losses[loss] += other.losses[loss];
  interrupted = interrupted || other.interrupted;
}

bool Report::all_accepted() const {
  return refused == 0 && lost == 0 && refusals.empty() &&
         std::ranges::all_of(losses, [](std::uint64_t count) { return count == 0; });
}

double Report::rate() const { return per_second(double(accepted), elapsed); }

std::string text_of(const Report& report) {
  const std::string_view what = report.of_mailboxes ? "operations done" : "messages accepted";
  std::string out =
      fmt::format("{} {} in {:.2f} s: {:.0f} a second, {:.1f} MB/s, over {} connections\n",
                  report.accepted, what, seconds_of(report.elapsed), report.rate(),
                  per_second(double(report.octets) / 1e6, report.elapsed), report.connections);
  if (report.refused > 0) out += fmt::format("{} refused\n", report.refused);
  if (report.lost > 0) out += fmt::format("{} lost with their connection\n", report.lost);
  for (const auto& [code, count] : report.refusals)
    out += code == 999 ? fmt::format("{} replies that are none\n", count)
                       : fmt::format("{} replies {}\n", count, code);
  for (std::size_t loss = 0; loss < loss_names.size(); ++loss)
    if (report.losses[loss] > 0)
      out += fmt::format("{} connections: {}\n", report.losses[loss], loss_names[loss]);
  out += fmt::format("{:15}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "ms", "count", "p50", "p90",
                     "p99", "p99.9", "max");
  for (std::size_t stage = 0; stage < stage_names.size(); ++stage) {
    const Histogram& took = report.stages[stage];
    if (took.count() == 0) continue;
    out += fmt::format("{:15}{:>10}", stage_names[stage], took.count());
    for (const auto& [name, share] : shares)
      out += fmt::format("{:>10.2f}", milliseconds_of(took.at(share)));
    out += fmt::format("{:>10.2f}\n", milliseconds_of(took.max()));
  }
  const double messages = double(std::max<std::uint64_t>(report.accepted, 1));
  out += fmt::format("the generator's own CPU: {:.2f} s, {:.1f} us a message\n", report.cpu_seconds,
                     report.cpu_seconds * 1e6 / messages);
  return out;
}

std::string json_of(const Report& report) {
  std::string out = fmt::format(
      R"({{"accepted":{},"refused":{},"lost":{},"recipients":{},"connections":{},"octets":{},)"
      R"("seconds":{:.6f},"rate":{:.3f},"cpu_seconds":{:.6f},"interrupted":{},"refusals":{{)",
      report.accepted, report.refused, report.lost, report.recipients, report.connections,
      report.octets, seconds_of(report.elapsed), report.rate(), report.cpu_seconds,
      report.interrupted);
  std::string_view comma;
  for (const auto& [code, count] : report.refusals) {
    out += fmt::format(R"({}"{}":{})", comma, code, count);
    comma = ",";
  }
  out += "},\"losses\":{";
  comma = "";
  for (std::size_t loss = 0; loss < loss_names.size(); ++loss) {
    out += fmt::format(R"({}"{}":{})", comma, loss_names[loss], report.losses[loss]);
    comma = ",";
  }
  out += "},\"milliseconds\":{";
  comma = "";
  for (std::size_t stage = 0; stage < stage_names.size(); ++stage) {
    const Histogram& took = report.stages[stage];
    out += fmt::format(R"({}"{}":{{"count":{})", comma, stage_names[stage], took.count());
    for (const auto& [name, share] : shares)
      out += fmt::format(R"(,"{}":{:.4f})", name, milliseconds_of(took.at(share)));
    out += fmt::format(R"(,"max":{:.4f}}})", milliseconds_of(took.max()));
    comma = ",";
  }
  return out + "}}\n";
}

}  // namespace kurir::blast
