#pragma once
// Quiescence: when may memory be freed that other cores may still be reading? RCU in its QSBR
// flavour, by a turn counter for each core, without helper threads: the simulator drives all cores
// on one thread. A core that runs passes a quiescent point once a turn of its loop, where it holds
// no pointer that it got from a published one in an earlier turn (what it needs for longer it pins:
// a count in the object). A writer unlinks an object, retires it, and frees it once every core that
// was online has passed such a point since.
//
// Happens-before. (1) Nobody gets the object after its grace period began. The writer unlinks
// (store), fences, reads the counters; a reader bumps its counter (store), fences, reads pointers.
// The fences are sequentially consistent: either the reader's comes first and the writer's snapshot
// sees the bump, so that it waits for the next one, or the writer's comes first and the reader sees
// the object unlinked. The same holds for online(). (2) Every use is over before the free. A
// reader's uses are sequenced before its next bump, a release; the writer frees after it read that
// bump, or a later one, with acquire.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "kurir/base/ids.hh"

namespace kurir {

// Any core; one for each process (or simulated process). Cores begin offline.
class QuiescenceDomain {
 public:
  explicit QuiescenceDomain(std::size_t cores);
  QuiescenceDomain(const QuiescenceDomain&) = delete;
  QuiescenceDomain& operator=(const QuiescenceDomain&) = delete;

  std::size_t cores() const { return cores_; }

  // Only the core itself calls these three, on its own index: no lock, no wait.
  void online(CoreIndex core);     // before it reads; it was offline
  void offline(CoreIndex core);    // before it sleeps; it holds nothing unpinned and reads nothing
                                   // until online()
  void quiescent(CoreIndex core);  // once a turn; it holds nothing unpinned

  bool all_offline() const;

 private:
  friend class RetireQueue;
  // Odd while online. Every call above changes it, and it never takes a value twice.
  struct alignas(64) Slot {
    std::atomic<std::uint64_t> turn{0};
  };
  std::atomic<std::uint64_t>& turn_of(CoreIndex core) const;

  std::size_t cores_;
  std::unique_ptr<Slot[]> slots_;
};

// What one writer has unlinked and not freed yet. Core-local; the domain outlives it.
class RetireQueue {
 public:
  explicit RetireQueue(QuiescenceDomain& domain) : domain_(domain) {}
  ~RetireQueue();  // frees all; every core must be offline by then if anything waits
  RetireQueue(const RetireQueue&) = delete;
  RetireQueue& operator=(const RetireQueue&) = delete;

  // The object is unlinked already. The deleter runs on this core, in reclaim() or the destructor.
  void retire(void* object, void (*deleter)(void*)) { fresh_.push_back({object, deleter}); }
  template <class T>
  void retire(std::unique_ptr<T> object) {
    using Object = std::remove_const_t<T>;
    if (object == nullptr) return;
    retire(const_cast<Object*>(object.release()),
           [](void* it) { delete static_cast<Object*>(it); });
  }

  // Once a turn, outside of any read: frees what every core has left behind. Returns how many
  // objects.
  std::size_t reclaim();
  std::size_t waiting() const { return fresh_.size() + aging_.size(); }

 private:
  struct Retired {
    void* object;
    void (*deleter)(void*);
  };
  void begin_grace_period();
  bool grace_period_over();
  static std::size_t free_all(std::vector<Retired>& objects);

  QuiescenceDomain& domain_;
  std::vector<Retired> fresh_;        // retired since the grace period under way began
  std::vector<Retired> aging_;        // wait for that grace period
  std::vector<std::uint64_t> turns_;  // of every core when it began
  std::size_t passed_ = 0;            // cores before this index have passed
};

}  // namespace kurir
