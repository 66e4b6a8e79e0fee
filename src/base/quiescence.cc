#include "kurir/base/quiescence.hh"

#include <utility>

#include "kurir/base/assert.hh"

namespace kurir {
namespace {

bool is_online(std::uint64_t turn) { return turn % 2 == 1; }

}  // namespace

QuiescenceDomain::QuiescenceDomain(std::size_t cores)
    : cores_(cores), slots_(std::make_unique<Slot[]>(cores)) {
  KURIR_ASSERT(cores > 0);
}

std::atomic<std::uint64_t>& QuiescenceDomain::turn_of(CoreIndex core) const {
  KURIR_ASSERT(core.value < cores_);
  return slots_[core.value].turn;
}

void QuiescenceDomain::online(CoreIndex core) {
  std::atomic<std::uint64_t>& turn = turn_of(core);
  const std::uint64_t now = turn.load(std::memory_order_relaxed);
  KURIR_ASSERT(!is_online(now));
  turn.store(now + 1, std::memory_order_release);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void QuiescenceDomain::offline(CoreIndex core) {
  std::atomic<std::uint64_t>& turn = turn_of(core);
  const std::uint64_t now = turn.load(std::memory_order_relaxed);
  KURIR_ASSERT(is_online(now));
  turn.store(now + 1, std::memory_order_release);
}

void QuiescenceDomain::quiescent(CoreIndex core) {
  std::atomic<std::uint64_t>& turn = turn_of(core);
  const std::uint64_t now = turn.load(std::memory_order_relaxed);
  KURIR_ASSERT(is_online(now));
  turn.store(now + 2, std::memory_order_release);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

bool QuiescenceDomain::all_offline() const {
  for (std::size_t core = 0; core < cores_; ++core)
    if (is_online(slots_[core].turn.load(std::memory_order_acquire))) return false;
  return true;
}

RetireQueue::~RetireQueue() {
  KURIR_ASSERT(waiting() == 0 || domain_.all_offline());
  // A deleter may retire more.
  while (waiting() != 0) {
    std::vector<Retired> objects = std::move(aging_);
    aging_ = std::exchange(fresh_, {});
    free_all(objects);
  }
}

std::size_t RetireQueue::reclaim() {
  if (waiting() == 0) return 0;
  std::size_t freed = 0;
  if (!aging_.empty()) {
    if (!grace_period_over()) return 0;
    std::vector<Retired> objects = std::exchange(aging_, {});
    freed = free_all(objects);
  }
  if (!fresh_.empty()) begin_grace_period();
  return freed;
}

void RetireQueue::begin_grace_period() {
  std::swap(aging_, fresh_);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  turns_.resize(domain_.cores_);
  for (std::size_t core = 0; core < turns_.size(); ++core)
    turns_[core] = domain_.slots_[core].turn.load(std::memory_order_acquire);
  passed_ = 0;
}

bool RetireQueue::grace_period_over() {
  for (; passed_ < turns_.size(); ++passed_) {
    if (!is_online(turns_[passed_])) continue;
    if (domain_.slots_[passed_].turn.load(std::memory_order_acquire) == turns_[passed_])
      return false;
  }
  return true;
}

std::size_t RetireQueue::free_all(std::vector<Retired>& objects) {
  for (const Retired& retired : objects) retired.deleter(retired.object);
  return objects.size();
}

}  // namespace kurir
