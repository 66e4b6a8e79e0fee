#include "kurir/dns/cache.hh"

#include <algorithm>
#include <utility>

namespace kurir::dns {
namespace {

std::size_t octets_of(const Record& record) {
  if (const auto* txt = std::get_if<Txt>(&record)) return txt->text.size();
  if (const auto* mx = std::get_if<Mx>(&record)) return mx->exchange.size();
  if (const auto* name = std::get_if<Name>(&record)) return name->text().size();
  if (const auto* tlsa = std::get_if<Tlsa>(&record)) return tlsa->data.size();
  return 0;
}

}  // namespace

Cache::Cache(const CacheOptions& options, std::uint64_t seed)
    : options_(options), entries_(16, KeyHash{seed}) {}

Cache::~Cache() {
  by_use_.for_each([](Entry& entry) { entry.unlink(); });
}

std::optional<Cache::Hit> Cache::find(const Key& key, Instant now) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  Entry& entry = found->second;
  if (now >= entry.answer.valid_until) return std::nullopt;
  entry.unlink();
  by_use_.push_back(entry);
  ++entry.hits;
  const Nanoseconds left = entry.answer.valid_until - now;
  const bool ending = options_.refresh_part > 0 && left <= entry.life / options_.refresh_part;
  const bool refresh =
      ending && entry.hits > 1 && !entry.refreshing && entry.answer.status == Status::found;
  if (refresh) entry.refreshing = true;
  return Hit{&entry.answer, refresh};
}

Nanoseconds Cache::lifetime(const Answer& answer, std::uint32_t ttl, unsigned failures) const {
  if (answer.status == Status::try_later) {
    const unsigned doublings = std::min(failures - 1, 16U);
    return std::min(options_.failure_ttl * (1U << doublings), options_.failure_ttl_max);
  }
  const Nanoseconds longest =
      answer.status == Status::found ? options_.ttl_max : options_.negative_ttl_max;
  return std::clamp(Nanoseconds(Seconds(ttl)), options_.ttl_min, longest);
}

void Cache::put(const Key& key, Answer& answer, std::uint32_t ttl, Instant now) {
  const auto [place, is_new] = entries_.try_emplace(key);
  Entry& entry = place->second;
  const bool failed = answer.status == Status::try_later;
  const bool still_good =
      !is_new && entry.answer.status != Status::try_later && now < entry.answer.valid_until;
  const unsigned failures = failed ? entry.failures + 1 : 0;
  const Nanoseconds life = lifetime(answer, ttl, failures);
  answer.valid_until = now + life;
  if (failed && still_good) return;
  entry.unlink();
  by_use_.push_back(entry);
  octets_ -= entry.octets;
  entry.key = &place->first;
  entry.answer = answer;
  entry.life = life;
  entry.failures = failures;
  entry.hits = 0;
  entry.refreshing = false;
  entry.octets = sizeof(Entry) + key.name.text().size();
  for (const Record& record : answer.records) entry.octets += sizeof(Record) + octets_of(record);
  octets_ += entry.octets;
  while (entries_.size() > options_.entries_max || octets_ > options_.octets_max) {
    if (entries_.size() == 1) break;  // one alone is kept, whatever its size
    drop(by_use_.front());
  }
}

void Cache::drop(Entry& entry) {
  entry.unlink();
  octets_ -= entry.octets;
  entries_.erase(entries_.find(*entry.key));
}

}  // namespace kurir::dns
