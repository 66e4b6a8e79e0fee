#pragma once
// Cache: what was answered, by question, for as long as it may be believed. Bounded in entries and
// octets: the least recently used goes first. The table's hash has a secret key, since peers choose
// the names. Core-local; asks no clock.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "kurir/base/clock.hh"
#include "kurir/base/hash.hh"
#include "kurir/base/intrusive_list.hh"
#include "kurir/base/limits.hh"
#include "kurir/dns/answer.hh"

namespace kurir::dns {

// A question.
struct Key {
  Name name;
  RecordType type;
  std::uint64_t hash(std::uint64_t seed) const {
    return keyed_hash(name.text(), seed + static_cast<std::uint64_t>(type));
  }
  friend bool operator==(const Key&, const Key&) = default;
};

struct CacheOptions {
  std::size_t entries_max = limits::dns_cache_entries_max;
  std::size_t octets_max = limits::dns_cache_octets_max;
  Nanoseconds ttl_min = Seconds(1);  // also of TTL 0: a burst of mail asks once
  Nanoseconds ttl_max = std::chrono::hours(24);
  Nanoseconds negative_ttl_max = std::chrono::hours(3);  // RFC 2308 5
  Nanoseconds failure_ttl = Seconds(5);                  // RFC 9520 3.2; doubles with each failure
  Nanoseconds failure_ttl_max = std::chrono::minutes(1);
  // A hit in the last 1/refresh_part of its time asks for a refresh; 0: none does.
  unsigned refresh_part = 10;
};

class Cache {
 public:
  Cache(const CacheOptions& options, std::uint64_t seed);
  ~Cache();
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  struct Hit {
    const Answer* answer;  // until the next put()
    bool wants_refresh;    // said once, and only of what was asked for before
  };
  std::optional<Hit> find(const Key& key, Instant now);

  // Sets answer.valid_until from its time to live in seconds, within the bounds. A failure replaces
  // nothing that is still valid.
  void put(const Key& key, Answer& answer, std::uint32_t ttl, Instant now);

  std::size_t entries() const { return entries_.size(); }
  std::size_t octets() const { return octets_; }

 private:
  struct Entry : ListLink {
    const Key* key = nullptr;  // the table's own
    Answer answer;
    Nanoseconds life{};
    std::size_t octets = 0;
    unsigned hits = 0;
    unsigned failures = 0;  // in succession
    bool refreshing = false;
  };
  struct KeyHash {
    std::uint64_t seed;
    std::size_t operator()(const Key& key) const { return key.hash(seed); }
  };
  Nanoseconds lifetime(const Answer& answer, std::uint32_t ttl, unsigned failures) const;
  void drop(Entry& entry);

  CacheOptions options_;
  std::unordered_map<Key, Entry, KeyHash> entries_;
  IntrusiveList<Entry> by_use_;  // the least recent first
  std::size_t octets_ = 0;
};

}  // namespace kurir::dns
