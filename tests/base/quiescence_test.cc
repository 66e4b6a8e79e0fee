#include "kurir/base/quiescence.hh"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "kurir/base/shared.hh"

namespace kurir {
namespace {

constexpr CoreIndex first{0};
constexpr CoreIndex second{1};

struct Tracked {
  explicit Tracked(int& count) : alive(count) { ++alive; }
  ~Tracked() { --alive; }
  Tracked(const Tracked&) = delete;
  int& alive;
};

TEST(Quiescence, frees_only_after_every_online_core_passed_a_turn) {
  QuiescenceDomain domain(2);
  domain.online(first);
  domain.online(second);
  int alive = 0;
  RetireQueue retired(domain);
  retired.retire(std::make_unique<Tracked>(alive));
  EXPECT_EQ(retired.reclaim(), 0u);  // begins the grace period
  domain.quiescent(first);
  EXPECT_EQ(retired.reclaim(), 0u);
  EXPECT_EQ(alive, 1);
  domain.quiescent(second);
  EXPECT_EQ(retired.reclaim(), 1u);
  EXPECT_EQ(alive, 0);
  domain.offline(first);
  domain.offline(second);
}

TEST(Quiescence, a_turn_before_the_grace_period_does_not_count) {
  QuiescenceDomain domain(1);
  domain.online(first);
  int alive = 0;
  RetireQueue retired(domain);
  retired.retire(std::make_unique<Tracked>(alive));
  EXPECT_EQ(retired.reclaim(), 0u);
  retired.retire(std::make_unique<Tracked>(alive));
  domain.quiescent(first);
  EXPECT_EQ(retired.reclaim(), 1u);  // the second only begins to age now
  EXPECT_EQ(retired.reclaim(), 0u);
  EXPECT_EQ(alive, 1);
  domain.quiescent(first);
  EXPECT_EQ(retired.reclaim(), 1u);
  EXPECT_EQ(alive, 0);
  domain.offline(first);
}

TEST(Quiescence, a_sleeping_core_holds_nothing_back) {
  QuiescenceDomain domain(2);
  domain.online(first);
  int alive = 0;
  RetireQueue retired(domain);
  retired.retire(std::make_unique<Tracked>(alive));
  retired.reclaim();
  domain.online(second);  // woke after the object was unlinked
  domain.quiescent(first);
  EXPECT_EQ(retired.reclaim(), 1u);
  EXPECT_EQ(alive, 0);
  domain.offline(first);
  domain.offline(second);
}

TEST(Quiescence, falling_asleep_is_passing_a_turn) {
  QuiescenceDomain domain(1);
  domain.online(first);
  int alive = 0;
  RetireQueue retired(domain);
  retired.retire(std::make_unique<Tracked>(alive));
  retired.reclaim();
  domain.offline(first);
  domain.online(first);
  EXPECT_EQ(retired.reclaim(), 1u);
  domain.offline(first);
}

TEST(Quiescence, the_queue_frees_what_is_left_when_it_ends) {
  QuiescenceDomain domain(1);
  int alive = 0;
  {
    RetireQueue retired(domain);
    retired.retire(std::make_unique<Tracked>(alive));
    retired.reclaim();
    retired.retire(std::make_unique<Tracked>(alive));
  }
  EXPECT_EQ(alive, 0);
}

TEST(QuiescenceDeathTest, a_queue_must_not_end_under_readers) {
  QuiescenceDomain domain(1);
  domain.online(first);
  int alive = 0;
  EXPECT_DEATH(
      {
        RetireQueue retired(domain);
        retired.retire(std::make_unique<Tracked>(alive));
      },
      "all_offline");
  domain.offline(first);
}

struct Pair {
  explicit Pair(std::uint64_t n) : one(n), two(n) {}
  ~Pair() {
    one = 0;
  }  // a reader that is too late sees the halves differ, and the sanitizers the free
  std::uint64_t one;
  std::uint64_t two;
};

TEST(Quiescence, readers_on_other_threads_never_see_freed_memory) {
  QuiescenceDomain domain(3);
  std::atomic<const Pair*> current = new Pair(1);
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> torn = 0;
  const auto read = [&](CoreIndex core) {
    domain.online(core);
    for (std::uint64_t turn = 0; !stop.load(std::memory_order_relaxed); ++turn) {
      const Pair* pair = current.load(std::memory_order_acquire);
      if (pair->one != pair->two) torn.fetch_add(1);
      domain.quiescent(core);
      if (turn % 64 == 0) {
        domain.offline(core);
        domain.online(core);
      }
    }
    domain.offline(core);
  };
  std::thread one(read, CoreIndex{1});
  std::thread two(read, CoreIndex{2});
  {
    RetireQueue retired(domain);
    domain.online(first);
    std::size_t freed = 0;
    for (std::uint64_t n = 2; n < 20'000 || freed < 100; ++n) {
      retired.retire(std::unique_ptr<const Pair>(current.exchange(new Pair(n))));
      domain.quiescent(first);
      freed += retired.reclaim();
      if (n % 256 == 0) std::this_thread::yield();
    }
    stop = true;
    domain.offline(first);
    one.join();
    two.join();
  }
  EXPECT_EQ(torn.load(), 0u);
  delete current.load();
}

struct Node : Counted {
  explicit Node(int& count) : alive(count) { ++alive; }
  ~Node() { --alive; }
  int& alive;
};

TEST(Shared, the_last_reference_deletes) {
  int alive = 0;
  Shared<Node> one = Shared<Node>::adopt(new Node(alive));
  Shared<Node> two = one;
  Shared<Node> three = Shared<Node>::share(*two);
  one = {};
  two = std::move(three);
  EXPECT_EQ(alive, 1);
  Node* taken = two.take();
  EXPECT_FALSE(two);
  EXPECT_EQ(alive, 1);
  Shared<Node>::drop(taken);
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace kurir
