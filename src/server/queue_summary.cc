// `queue summary`: what the shards' tallies say, added up. Each core gives its domains in slices.

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>

#include "control_commands.hh"
#include "core_server.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/mesh.hh"
#include "queue_arguments.hh"

namespace kurir::server {
namespace {

constexpr std::uint64_t rows_default = 100, rows_max = 100'000;
constexpr std::size_t slice_domains_max = 1000;
// qshape's: the upper bounds of the age classes; what is older falls into one more.
constexpr std::array<std::int64_t, 9> age_minutes = {5, 10, 20, 40, 80, 160, 320, 640, 1280};
constexpr std::size_t states = queue::message_states.size();

struct Row {
  std::array<std::uint64_t, states> by_state{};
  std::array<std::uint64_t, age_minutes.size() + 1> ages{};
  std::int64_t oldest = -1;  // seconds since 1970
  std::uint64_t domains = 0;
  std::string site;

  std::uint64_t total() const {
    return std::accumulate(by_state.begin(), by_state.end(), std::uint64_t{0});
  }
  void operator+=(const Row& other) {
    for (std::size_t i = 0; i < by_state.size(); ++i) by_state[i] += other.by_state[i];
    for (std::size_t i = 0; i < ages.size(); ++i) ages[i] += other.ages[i];
    if (oldest < 0 || (other.oldest >= 0 && other.oldest < oldest)) oldest = other.oldest;
    domains += other.domains;
    if (site.empty()) site = other.site;
  }
};

using Rows = std::unordered_map<std::string, Row>;

std::size_t age_class(std::int64_t minutes) {
  const auto place = std::ranges::lower_bound(age_minutes, minutes);
  return static_cast<std::size_t>(place - age_minutes.begin());
}

Row row_of(const queue::DomainCount& domain, std::int64_t minute_now) {
  Row row;
  std::ranges::copy(domain.by_state, row.by_state.begin());
  for (const queue::MinuteCounts::Minute& minute : domain.arrivals.minutes())
    row.ages[age_class(minute_now - minute.number)] += minute.count;
  row.oldest = domain.arrivals.oldest_seconds().value_or(-1);
  row.site = domain.site;
  return row;
}

struct Slice {
  std::vector<std::pair<std::string, Row>> rows;
  std::string after;  // the last name that was looked at
  bool done = false;
  std::uint64_t messages = 0, octets = 0;
};

Slice read_slice(const queue::Tally& tally, const std::string& after, bool is_first) {
  Slice slice;
  slice.messages = tally.messages();
  slice.octets = tally.octets();
  const std::int64_t minute_now = io::wall_now().seconds() / 60;
  const auto& domains = tally.domains();
  auto place = is_first ? domains.begin() : domains.upper_bound(after);
  for (std::size_t looked_at = 0; place != domains.end(); ++place) {
    if (++looked_at > slice_domains_max) return slice;
    slice.after = place->first;
    if (place->second.total() > 0)
      slice.rows.emplace_back(place->first, row_of(place->second, minute_now));
  }
  slice.done = true;
  return slice;
}

nlohmann::json described(const Row& row) {
  nlohmann::json json = {{"recipients", row.total()}, {"ages", row.ages}};
  for (const queue::MessageState state : queue::message_states)
    json[std::string(name_of(state))] = row.by_state[static_cast<std::size_t>(state)];
  if (row.oldest >= 0) json["oldest"] = row.oldest;
  return json;
}

// The largest first, as many as are wanted.
nlohmann::json described(const Rows& rows, const char* key, std::uint64_t limit) {
  std::vector<const Rows::value_type*> order;
  order.reserve(rows.size());
  for (const auto& row : rows) order.push_back(&row);
  const auto larger = [](const auto* a, const auto* b) {
    const std::uint64_t left = a->second.total(), right = b->second.total();
    return left != right ? left > right : a->first < b->first;
  };
  const auto end =
      order.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(limit, order.size()));
  std::ranges::partial_sort(order, end, larger);
  nlohmann::json list = nlohmann::json::array();
  for (auto place = order.begin(); place != end; ++place) {
    nlohmann::json one = described((*place)->second);
    one[key] = (*place)->first;
    if (!(*place)->second.site.empty()) one["site"] = (*place)->second.site;
    if ((*place)->second.domains > 0) one["domains"] = (*place)->second.domains;
    list.push_back(std::move(one));
  }
  return list;
}

Rows by_site(const Rows& domains) {
  Rows sites;
  for (const auto& [name, row] : domains) {
    Row part = row;
    part.site.clear();
    part.domains = 1;
    sites[row.site] += part;
  }
  return sites;
}

}  // namespace

ControlCommands::Outcome ControlCommands::queue_summary(nlohmann::json arguments) {
  const std::uint64_t limit = std::min(number_argument(arguments, "limit", rows_default), rows_max);
  const std::string domain = text_argument(arguments, "domain");
  const std::string site = text_argument(arguments, "site");
  Rows domains;
  Row all;
  std::uint64_t messages = 0, octets = 0;
  for (CoreServer* server : shared_.servers) {
    Slice slice;
    for (bool is_first = true; !slice.done; is_first = false) {
      slice = co_await io::on_core(server->core(), [server, is_first, after = slice.after] {
        return read_slice(server->queue().tally(), after, is_first);
      });
      for (auto& [name, row] : slice.rows) {
        if (!domain.empty() && !queue::matches_pattern(domain, name)) continue;
        if (!site.empty() && !queue::matches_pattern(site, row.site)) continue;
        all += row;
        domains[name] += row;
      }
    }
    messages += slice.messages;
    octets += slice.octets;
  }
  const Rows sites = by_site(domains);
  nlohmann::json summary = described(all);
  summary["messages"] = messages;
  summary["octets"] = octets;
  summary["age_minutes"] = age_minutes;
  summary["domains_total"] = domains.size();
  summary["domains"] = described(domains, "domain", limit);
  summary["sites"] = described(sites, "site", limit);
  co_return admin::ControlOutcome::success(std::move(summary));
}

}  // namespace kurir::server
