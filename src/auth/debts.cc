#include "kurir/auth/debts.hh"

#include <algorithm>
#include <optional>

#include "kurir/base/assert.hh"

namespace kurir::auth {
namespace {

std::uint64_t milliseconds_of(Instant now) {
  const auto since = std::chrono::duration_cast<Milliseconds>(now.time_since_epoch()).count();
  return since < 0 ? 0 : static_cast<std::uint64_t>(since);
}

}  // namespace

Debts::Debts(std::size_t places) : mask_(places - 1), words_(new std::atomic<Word>[places]()) {
  KURIR_ASSERT(places >= ways && (places & mask_) == 0);
}

std::atomic<Debts::Word>* Debts::places_of(std::uint64_t key) const {
  return &words_[key & mask_ & ~(ways - 1)];
}

Milliseconds Debts::of(std::uint64_t key, Instant now) const {
  const Word tag = key >> time_bits;
  const Word present = milliseconds_of(now);
  const std::atomic<Word>* places = places_of(key);
  Word debt = 0;
  for (std::size_t at = 0; at < ways; ++at) {
    const Word word = places[at].load(std::memory_order_relaxed);
    const Word paid = word & time_mask;
    if (word >> time_bits == tag && paid > present) debt = std::max(debt, paid - present);
  }
  return Milliseconds(debt);
}

template <class Change>
void Debts::change(std::uint64_t key, Instant now, Change change) {
  const Word tag = key >> time_bits;
  const Word present = milliseconds_of(now);
  std::atomic<Word>* places = places_of(key);
  for (unsigned tried = 0; tried < tries_max; ++tried) {
    // The key's own place, else the one whose debt is paid first.
    std::size_t chosen = 0;
    Word seen = 0, least = ~Word{0};
    bool is_own = false;
    for (std::size_t at = 0; at < ways && !is_own; ++at) {
      const Word word = places[at].load(std::memory_order_relaxed);
      const Word paid = word & time_mask;
      is_own = word >> time_bits == tag && paid > present;
      if (!is_own && paid >= least) continue;
      chosen = at;
      seen = word;
      least = paid;
    }
    const Word debt = is_own ? (seen & time_mask) - present : 0;
    const std::optional<Word> wanted = change(debt);
    if (!wanted) return;
    const Word next = tag << time_bits | ((present + *wanted) & time_mask);
    if (places[chosen].compare_exchange_weak(seen, next, std::memory_order_relaxed)) return;
  }
}

void Debts::add(std::uint64_t key, Milliseconds cost, Milliseconds most, Instant now) {
  const Word more = static_cast<Word>(cost.count()), bound = static_cast<Word>(most.count());
  change(key, now, [&](Word debt) { return std::optional(std::min(debt + more, bound)); });
}

void Debts::halve(std::uint64_t key, Instant now) {
  change(key, now,
         [](Word debt) { return debt == 0 ? std::optional<Word>() : std::optional(debt / 2); });
}

bool Debts::take(std::uint64_t key, Milliseconds cost, Milliseconds most, Instant now) {
  const Word more = static_cast<Word>(cost.count()), bound = static_cast<Word>(most.count());
  bool taken = false;
  change(key, now, [&](Word debt) {
    taken = debt + more <= bound;
    return taken ? std::optional(debt + more) : std::optional<Word>();
  });
  return taken;
}

}  // namespace kurir::auth
