#include "nearest_name.hh"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace kurir::server {
namespace {

constexpr std::size_t name_octets_max = 100;

// Levenshtein, one row at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

NearestName::NearestName(std::string_view name)
    : name_(name), least_(std::max<std::size_t>(2, name.size() / 3) + 1) {
  if (name.size() > name_octets_max) least_ = 0;  // nothing is near
}

std::size_t NearestName::distance(std::string_view candidate) const {
  return least_ == 0 ? 0 : edit_distance(name_, candidate);
}

void NearestName::offer(std::string_view candidate, std::size_t distance) {
  if (distance >= least_) return;
  least_ = distance;
  nearest_ = candidate;
}

}  // namespace kurir::server
