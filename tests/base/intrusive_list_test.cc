#include "kurir/base/intrusive_list.hh"

#include <gtest/gtest.h>

namespace kurir {
namespace {

struct Item : ListLink {
  explicit Item(int n) : number(n) {}
  int number;
};

TEST(IntrusiveList, keeps_order_and_unlinks_from_the_middle) {
  Item one(1), two(2), three(3);
  IntrusiveList<Item> list;
  list.push_back(one);
  list.push_back(two);
  list.push_back(three);
  two.unlink();
  EXPECT_EQ(list.pop_front().number, 1);
  EXPECT_EQ(list.pop_front().number, 3);
  EXPECT_TRUE(list.empty());
}

TEST(IntrusiveList, for_each_lets_an_element_unlink_itself) {
  Item one(1), two(2);
  IntrusiveList<Item> list;
  list.push_back(one);
  list.push_back(two);
  int seen = 0;
  list.for_each([&](Item& item) {
    ++seen;
    item.unlink();
  });
  EXPECT_EQ(seen, 2);
  EXPECT_TRUE(list.empty());
}

}  // namespace
}  // namespace kurir
