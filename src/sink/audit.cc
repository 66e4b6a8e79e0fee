#include "kurir/sink/audit.hh"

#include <algorithm>
#include <bit>

namespace kurir::sink {
namespace {

void list(std::vector<std::uint64_t>& numbers, std::uint64_t number) {
  if (numbers.size() < Audit::listed_max) numbers.push_back(number);
}

}  // namespace

bool Audit::Run::has(std::uint64_t number) const {
  const std::size_t word = number / 64;
  return word < seen.size() && (seen[word] >> (number % 64) & 1) != 0;
}

std::uint64_t Audit::Run::distinct() const {
  std::uint64_t count = 0;
  for (const std::uint64_t word : seen) count += static_cast<unsigned>(std::popcount(word));
  return count;
}

std::vector<Gap> Audit::Run::gaps(std::uint64_t expected) const {
  const std::uint64_t end = expected > 0 ? expected : numbers_end;
  std::vector<Gap> gaps;
  for (std::uint64_t number = 0; number < end && gaps.size() < listed_max; ++number) {
    if (has(number)) continue;
    if (!gaps.empty() && gaps.back().last + 1 == number) {
      gaps.back().last = number;
    } else {
      gaps.push_back({number, number});
    }
  }
  return gaps;
}

std::uint64_t Audit::Run::lost(std::uint64_t expected) const {
  const std::uint64_t end = expected > 0 ? expected : numbers_end;
  std::uint64_t missing = 0;
  for (std::uint64_t number = 0; number < end; ++number) missing += has(number) ? 0 : 1;
  return missing;
}

// False: it was there.
bool Audit::mark(Run& run, std::uint64_t number) {
  const std::size_t word = number / 64;
  if (run.seen.size() <= word) run.seen.resize(std::max(word + 1, run.seen.size() * 2));
  const std::uint64_t bit = std::uint64_t{1} << (number % 64);
  const bool is_new = (run.seen[word] & bit) == 0;
  run.seen[word] |= bit;
  run.numbers_end = std::max(run.numbers_end, number + 1);
  return is_new;
}

void Audit::take(std::string_view content, Order& order) {
  const wire::StampedMessage told = wire::verify_load_stamp(content);
  const bool is_known = told.verdict != wire::StampVerdict::none &&
                        told.stamp.number < numbers_max &&
                        (runs_.size() < runs_max || runs_.contains(told.stamp.run));
  if (!is_known) {
    ++unstamped_;
    return;
  }
  Run& run = runs_[told.stamp.run];
  ++run.messages;
  if (told.verdict == wire::StampVerdict::altered) {
    ++run.altered;
    list(run.altered_numbers, told.stamp.number);
  }
  if (order.run != told.stamp.run) order = {told.stamp.run, 0};
  if (told.stamp.number + 1 < order.numbers_end) {
    ++run.out_of_order;
    list(run.out_of_order_numbers, told.stamp.number);
  }
  order.numbers_end = std::max(order.numbers_end, told.stamp.number + 1);
  if (mark(run, told.stamp.number)) return;
  ++run.duplicated;
  list(run.duplicated_numbers, told.stamp.number);
}

void Audit::merge(const Audit& other) {
  unstamped_ += other.unstamped_;
  for (const auto& [id, theirs] : other.runs_) {
    Run& run = runs_[id];
    run.messages += theirs.messages;
    run.altered += theirs.altered;
    run.duplicated += theirs.duplicated;
    run.out_of_order += theirs.out_of_order;
    for (const std::uint64_t number : theirs.out_of_order_numbers)
      list(run.out_of_order_numbers, number);
    for (const std::uint64_t number : theirs.altered_numbers) list(run.altered_numbers, number);
    for (const std::uint64_t number : theirs.duplicated_numbers)
      list(run.duplicated_numbers, number);
    for (std::uint64_t number = 0; number < theirs.numbers_end; ++number) {
      if (!theirs.has(number) || mark(run, number)) continue;
      ++run.duplicated;
      list(run.duplicated_numbers, number);
    }
  }
}

bool Audit::is_clean(std::uint64_t expected) const {
  if (expected > 0 && runs_.empty()) return false;
  return std::ranges::all_of(runs_, [expected](const auto& entry) {
    const Run& run = entry.second;
    return run.duplicated == 0 && run.altered == 0 && run.lost(expected) == 0;
  });
}

}  // namespace kurir::sink
