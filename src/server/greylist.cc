#include "kurir/server/greylist.hh"

#include <cstring>

#include "kurir/base/hash.hh"

namespace kurir::server {
namespace {

constexpr std::string_view head = "kurir greylist 1";
constexpr std::int64_t forget_interval = 60;

std::int64_t seconds(Nanoseconds duration) {
  return std::chrono::duration_cast<Seconds>(duration).count();
}

// A line of the file, in the machine's own order: the file is read where it was written.
struct Stored {
  std::uint64_t triplet;
  std::int64_t first, last;
  std::uint64_t came_again;
};
static_assert(sizeof(Stored) == 32);

}  // namespace

// A clock that was set back makes nobody wait longer than the delay.
bool Greylist::is_over(const Known& known, std::int64_t now) const {
  if (known.first > now || known.last > now) return true;
  const Nanoseconds life = known.came_again ? options_.lifetime : options_.window;
  return now - known.last > seconds(life);
}

void Greylist::forget_old(std::int64_t now) {
  forgot_at_ = now;
  std::erase_if(entries_, [&](const auto& entry) { return is_over(entry.second, now); });
}

Nanoseconds Greylist::check(std::uint64_t triplet, std::int64_t now) {
  const auto found = entries_.find(triplet);
  const bool is_known = found != entries_.end() && !is_over(found->second, now);
  if (!is_known) {
    const bool is_full = entries_.size() >= options_.entries_max;
    if (is_full && (now - forgot_at_ >= forget_interval || now < forgot_at_)) forget_old(now);
    if (entries_.size() >= options_.entries_max && found == entries_.end()) return {};
    entries_[triplet] = {now, now, false};
    is_changed_ = true;
    return options_.delay;
  }
  Known& known = found->second;
  const std::int64_t waited = now - known.first;
  if (!known.came_again && waited < seconds(options_.delay))
    return options_.delay - Seconds(waited);
  is_changed_ = is_changed_ || !known.came_again || known.last != now;
  known.came_again = true;
  known.last = now;
  return {};
}

std::string Greylist::written(std::int64_t now) {
  forget_old(now);
  is_changed_ = false;
  std::string octets(head);
  octets.reserve(head.size() + entries_.size() * sizeof(Stored) + 8);
  for (const auto& [triplet, known] : entries_) {
    const Stored stored{triplet, known.first, known.last, known.came_again};
    octets.append(reinterpret_cast<const char*>(&stored), sizeof stored);
  }
  const std::uint64_t sum = checksum(octets);
  return octets.append(reinterpret_cast<const char*>(&sum), sizeof sum);
}

Result<void> Greylist::read(std::string_view octets) {
  std::uint64_t sum = 0;
  const auto corrupt = fail(Errc::corrupt, Origin::file);
  if (octets.size() < head.size() + sizeof sum || !octets.starts_with(head)) return corrupt;
  std::memcpy(&sum, octets.data() + octets.size() - sizeof sum, sizeof sum);
  octets.remove_suffix(sizeof sum);
  if (checksum(octets) != sum || (octets.size() - head.size()) % sizeof(Stored) != 0)
    return corrupt;
  for (octets.remove_prefix(head.size()); !octets.empty(); octets.remove_prefix(sizeof(Stored))) {
    Stored stored{};
    std::memcpy(&stored, octets.data(), sizeof stored);
    if (entries_.size() < options_.entries_max)
      entries_[stored.triplet] = {stored.first, stored.last, stored.came_again != 0};
  }
  return {};
}

}  // namespace kurir::server
