#include "kurir/queue/text.hh"

#include <gtest/gtest.h>

namespace kurir::queue {
namespace {

TEST(Text, holds_what_it_was_given_and_copies_share_it) {
  Text text = std::string("452 4.2.2 Mailbox is full");
  Text copy = text;
  EXPECT_TRUE(copy.is_same_as(text));
  EXPECT_EQ(copy, "452 4.2.2 Mailbox is full");
  text = "other";
  EXPECT_EQ(copy.size(), 25U);
  EXPECT_EQ(text, std::string("other"));
  EXPECT_NE(text, copy);
  text = std::move(copy);
  EXPECT_TRUE(copy.empty());
  EXPECT_EQ(std::string("a ") + text, "a 452 4.2.2 Mailbox is full");
  const Text& itself = text;
  text = itself;
  EXPECT_EQ(text.size(), 25U);
}

TEST(Text, empty_octets_are_no_text) {
  EXPECT_TRUE(Text("").empty());
  EXPECT_EQ(Text().view(), "");
  EXPECT_EQ(Text(std::string_view("\0x", 2)).size(), 2U);
}

TEST(TextCache, the_same_octets_become_the_same_text) {
  TextCache cache;
  const Text first = cache.share("ESMTPA");
  EXPECT_TRUE(cache.share(std::string("ESMTPA")).is_same_as(first));
  EXPECT_TRUE(cache.share("").empty());
  for (int i = 0; i < 20'000; ++i) EXPECT_EQ(cache.share(std::to_string(i)), std::to_string(i));
  EXPECT_EQ(first, "ESMTPA");  // though it fell out of the cache
}

TEST(TextCache, a_text_is_replaced_by_the_one_of_the_same_octets) {
  TextCache cache;
  Text first("127.0.0.1:4711"), second("127.0.0.1:4711"), other("127.0.0.1:4712"), empty;
  for (Text* text : {&first, &other, &second, &empty}) cache.share(*text);
  EXPECT_TRUE(second.is_same_as(first));
  EXPECT_EQ(other, "127.0.0.1:4712");
  EXPECT_TRUE(empty.empty());
}

}  // namespace
}  // namespace kurir::queue
