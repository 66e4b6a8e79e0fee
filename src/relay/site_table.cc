#include "kurir/relay/site_table.hh"

#include <algorithm>
#include <cstring>

#include "kurir/io/mesh.hh"
#include "kurir/relay/relay.hh"

namespace kurir::relay {

SharedLine::Line& SharedLine::line() {
  Line* known = line_.load(std::memory_order_acquire);
  if (known != nullptr) return *known;
  auto made = std::make_unique<Line>();
  if (!line_.compare_exchange_strong(known, made.get(), std::memory_order_acq_rel)) return *known;
  return *made.release();
}

void SharedLine::write(std::string_view text) {
  Line& line = this->line();
  std::uint32_t version = line.version.load(std::memory_order_relaxed);
  if (version % 2 != 0 ||
      !line.version.compare_exchange_strong(version, version + 1, std::memory_order_acquire))
    return;
  std::atomic_thread_fence(std::memory_order_release);  // no word shows before the odd version
  text = text.substr(0, octets_max);
  std::array<std::uint64_t, words> octets{};
  std::memcpy(octets.data(), text.data(), text.size());
  for (std::size_t at = 0; at < words; ++at)
    line.text[at].store(octets[at], std::memory_order_relaxed);
  line.octets.store(static_cast<std::uint32_t>(text.size()), std::memory_order_relaxed);
  line.version.store(version + 2, std::memory_order_release);
}

std::string SharedLine::read() const {
  constexpr unsigned attempts = 8;
  const Line* line = line_.load(std::memory_order_acquire);
  for (unsigned attempt = 0; line != nullptr && attempt < attempts; ++attempt) {
    const std::uint32_t before = line->version.load(std::memory_order_acquire);
    std::array<std::uint64_t, words> octets{};
    for (std::size_t at = 0; at < words; ++at)
      octets[at] = line->text[at].load(std::memory_order_relaxed);
    const std::uint32_t size = line->octets.load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (before % 2 != 0 || line->version.load(std::memory_order_relaxed) != before) continue;
    std::string text(size, '\0');
    std::memcpy(text.data(), octets.data(), size);
    return text;
  }
  return {};
}

bool SharedSite::try_connect(std::uint64_t limit) {
  std::uint64_t taken = connections.load();
  while (taken < limit)
    if (connections.compare_exchange_weak(taken, taken + 1)) return true;
  return false;
}

Instant SharedSite::reserve(std::atomic<std::int64_t>& next, const Rate& rate, Instant now) {
  if (!rate.is_limited()) return now;
  std::int64_t due = next.load();
  std::int64_t mine = 0;
  do {
    mine = std::max<std::int64_t>(due, now.time_since_epoch().count());
  } while (!next.compare_exchange_weak(due, mine + rate.interval().count()));
  return Instant(Nanoseconds(mine));
}

Instant SharedSite::peek(const std::atomic<std::int64_t>& next, const Rate& rate, Instant now) {
  if (!rate.is_limited()) return now;
  return std::max(now, Instant(Nanoseconds(next.load())));
}

Task<SharedSite*> SiteTable::acquire(std::string path) {
  co_return co_await io::on_core(CoreIndex(0), [this, &path] { return find_or_add(path); });
}

// Nobody can gain what has no users meanwhile: they grow here only.
SharedSite* SiteTable::find_or_add(const std::string& path) {
  if (sites_.size() >= sites_before_pruning_) {
    const Instant now = io::Core::current().now();
    std::erase_if(sites_, [&](const auto& entry) {
      const SharedSite& site = *entry.second;
      const std::int64_t instant = now.time_since_epoch().count();
      return site.users.load() == 0 && site.connections.load() == 0 &&
             site.next_message.load() <= instant && site.next_connection.load() <= instant &&
             site.back_off_until.load() <= instant;
    });
    sites_before_pruning_ = std::max<std::size_t>(4096, 2 * sites_.size());
  }
  std::unique_ptr<SharedSite>& site = sites_[path];
  if (!site) site = std::make_unique<SharedSite>();
  site->users.fetch_add(1);
  return site.get();
}

Task<void> SiteTable::ask_for_slot(CoreIndex asking, std::string path) {
  for (std::size_t core = 0; core < relays_.size(); ++core) {
    if (core == asking.value) continue;
    Relay* relay = relays_[core];
    co_await io::on_core(CoreIndex(static_cast<std::uint16_t>(core)),
                         [relay, &path] { relay->give_way(path); });
  }
}

// A core that found no slot set its bit and looked once more; so either it saw this slot free or
// this sees its bit.
Task<void> SiteTable::disconnect(SharedSite& site, std::string path) {
  site.connections.fetch_sub(1);
  const std::uint64_t waiting = site.waiting_cores.exchange(0);
  if (waiting == 0) co_return;
  for (std::size_t core = 0; core < relays_.size(); ++core) {
    if ((waiting >> (core % 64) & 1) == 0) continue;
    Relay* relay = relays_[core];
    co_await io::on_core(CoreIndex(static_cast<std::uint16_t>(core)),
                         [relay, &path] { relay->slot_free(path); });
  }
}

}  // namespace kurir::relay
