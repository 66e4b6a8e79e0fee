// One file: what is read of it, and what a power cut would leave.

#include <algorithm>
#include <cstring>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/io/simulated/disk.hh"

namespace kurir::io::simulated {
namespace {

constexpr char zeros[4096] = {};

}  // namespace

const char* DiskFile::page(std::uint64_t number) const {
  return number < pages_.size() && pages_[number] ? pages_[number].get() : zeros;
}

char* DiskFile::writable_page(std::uint64_t number) {
  if (number >= pages_.size()) pages_.resize(number + 1);
  if (!pages_[number]) pages_[number] = std::make_unique<char[]>(page_octets);
  return pages_[number].get();
}

std::size_t DiskFile::read(std::span<char> into, std::uint64_t offset) const {
  if (offset >= size_) return 0;
  const std::size_t count = std::min<std::uint64_t>(into.size(), size_ - offset);
  for (std::size_t done = 0; done < count;) {
    const std::uint64_t at = offset + done;
    const std::size_t here = std::min<std::size_t>(count - done, page_octets - at % page_octets);
    std::memcpy(into.data() + done, page(at / page_octets) + at % page_octets, here);
    done += here;
  }
  return count;
}

void DiskFile::write(std::string_view octets, std::uint64_t offset, std::uint64_t order) {
  size_ = std::max(size_, offset + octets.size());
  while (!octets.empty()) {
    const std::size_t at = offset % sector_octets;
    const std::size_t here = std::min(octets.size(), sector_octets - at);
    write_sector(offset / sector_octets, octets.substr(0, here), at, order);
    offset += here;
    octets.remove_prefix(here);
  }
}

void DiskFile::write_sector(std::uint64_t number, std::string_view octets, std::size_t at,
                            std::uint64_t order) {
  const std::uint64_t first = number * sector_octets;
  const char* now = page(first / page_octets) + first % page_octets;
  const auto found = dirty_.find(number);
  const bool changes_nothing = std::memcmp(now + at, octets.data(), octets.size()) == 0;
  if (found == dirty_.end() && changes_nothing) return;
  Dirty& dirty = found == dirty_.end() ? dirty_[number] : found->second;
  if (dirty.versions.empty()) std::memcpy(dirty.durable.data(), now, sector_octets);
  char* octets_now = writable_page(first / page_octets) + first % page_octets;
  std::memcpy(octets_now + at, octets.data(), octets.size());
  Version& version = dirty.versions.emplace_back();
  version.order = order;
  version.is_forgotten = false;
  std::memcpy(version.octets.data(), octets_now, sector_octets);
}

// True where nothing is left to be lost. A later write to the same place takes along what a failed
// sync has left behind.
bool DiskFile::make_durable(Dirty& dirty, std::uint64_t order) {
  std::size_t covered = 0;
  for (std::size_t at = 0; at < dirty.versions.size(); ++at)
    if (dirty.versions[at].order <= order && !dirty.versions[at].is_forgotten) covered = at + 1;
  if (covered == 0) return false;
  dirty.durable = dirty.versions[covered - 1].octets;
  dirty.versions.erase(dirty.versions.begin(),
                       dirty.versions.begin() + static_cast<std::ptrdiff_t>(covered));
  return dirty.versions.empty();
}

void DiskFile::sync(std::uint64_t order, std::uint64_t begin, std::uint64_t end) {
  durable_size_ = size_;
  auto at = dirty_.lower_bound(begin / sector_octets);
  while (at != dirty_.end() && at->first * sector_octets < end)
    at = make_durable(at->second, order) ? dirty_.erase(at) : std::next(at);
}

// The page cache still shows it. What is written there later is a change of what is shown.
void DiskFile::forget(std::uint64_t order) {
  for (auto& [number, dirty] : dirty_)
    for (Version& version : dirty.versions)
      if (version.order <= order) version.is_forgotten = true;
}

void DiskFile::cut_power(Random& random, CutMode mode, std::uint64_t last_order,
                         std::size_t torn_octets) {
  const std::uint64_t sectors = torn_octets / sector_octets;
  std::map<std::pair<std::uint64_t, std::uint64_t>, bool> fates;  // of a piece of a write
  const auto stays_by_chance = [&](std::uint64_t number, std::uint64_t order, double chance) {
    if (sectors == 1) return random.chance(chance);
    const auto [place, is_new] = fates.try_emplace({number / sectors, order}, false);
    if (is_new) place->second = random.chance(chance);
    return place->second;
  };
  for (auto& [number, dirty] : dirty_) {
    const std::uint64_t first = number * sector_octets;
    const Sector* left = &dirty.durable;
    for (const Version& version : dirty.versions) {
      const bool in_order =
          version.order <= last_order && stays_by_chance(number, version.order, 0.9);
      const bool stays =
          mode == CutMode::keeps_all || (mode == CutMode::keeps_first && in_order) ||
          (mode == CutMode::keeps_some && stays_by_chance(number, version.order, 0.5));
      if (stays && !version.is_forgotten) left = &version.octets;
    }
    std::memcpy(writable_page(first / page_octets) + first % page_octets, left->data(),
                sector_octets);
  }
  dirty_.clear();
  const bool keeps_size =
      mode == CutMode::keeps_all || (mode != CutMode::loses_all && random.chance(0.5));
  if (!keeps_size) size_ = durable_size_;
  durable_size_ = size_;
}

void DiskFile::flip(std::uint64_t octet, unsigned bit) {
  char& letter = writable_page(octet / page_octets)[octet % page_octets];
  letter = static_cast<char>(letter ^ (1 << bit));
}

}  // namespace kurir::io::simulated
