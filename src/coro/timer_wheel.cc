#include "kurir/coro/timer_wheel.hh"

#include <algorithm>

namespace kurir {

void TimerWheel::arm(Timer& timer, Instant when) {
  timer.cancel();
  if (when == no_deadline) return;
  timer.when_ = when;
  timer.wheel_ = this;
  insert(timer);
}

// The level is the highest group of six bits in which the timer's tick differs from the present
// tick.
void TimerWheel::insert(Timer& timer) {
  const std::uint64_t tick = std::max(tick_ceiling(timer.when_), now_tick_ + 1);
  const std::uint64_t difference = (tick ^ now_tick_) | (slots - 1);
  unsigned level = (63U - static_cast<unsigned>(std::countl_zero(difference))) / slot_bits;
  level = std::min(level, levels - 1);
  const unsigned slot = static_cast<unsigned>(tick >> (level * slot_bits)) & (slots - 1);
  timer.level_ = static_cast<std::uint8_t>(level);
  timer.slot_ = static_cast<std::uint8_t>(slot);
  lists_[level][slot].push_back(timer);
  occupied_[level] |= std::uint64_t{1} << slot;
}

void TimerWheel::remove(Timer& timer) {
  timer.unlink();
  if (lists_[timer.level_][timer.slot_].empty())
    occupied_[timer.level_] &= ~(std::uint64_t{1} << timer.slot_);
}

// The lowest occupied level holds the next expiry: every timer of a higher level lies in a later
// group.
bool TimerWheel::find_next(Expiry& expiry) const {
  for (unsigned level = 0; level < levels; ++level) {
    if (occupied_[level] == 0) continue;
    const unsigned shift = level * slot_bits;
    const unsigned present = static_cast<unsigned>(now_tick_ >> shift) & (slots - 1);
    const std::uint64_t rotated = std::rotr(occupied_[level], static_cast<int>(present));
    const unsigned distance = static_cast<unsigned>(std::countr_zero(rotated));
    const unsigned slot = (present + distance) & (slots - 1);
    std::uint64_t tick = ((now_tick_ >> shift) + distance) << shift;
    expiry = {std::max(tick, now_tick_), level, slot};
    return true;
  }
  return false;
}

void TimerWheel::advance(Instant now) {
  const std::uint64_t target = tick_floor(now);
  Expiry expiry{};
  while (find_next(expiry) && expiry.tick <= target) {
    now_tick_ = std::max(now_tick_, expiry.tick);
    IntrusiveList<Timer> due;
    due.splice(lists_[expiry.level][expiry.slot]);
    occupied_[expiry.level] &= ~(std::uint64_t{1} << expiry.slot);
    while (!due.empty()) {
      Timer& timer = due.pop_front();
      if (tick_ceiling(timer.when_) <= now_tick_) {
        timer.on_expiry_(timer);
      } else {
        insert(timer);  // a timer of a higher level moves down
      }
    }
  }
  now_tick_ = std::max(now_tick_, target);
}

Instant TimerWheel::next_expiry() const {
  Expiry expiry{};
  if (!find_next(expiry)) return no_deadline;
  return Instant(Nanoseconds(static_cast<std::int64_t>(expiry.tick << tick_bits)));
}

}  // namespace kurir
