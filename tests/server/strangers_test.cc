// What strangers are judged by: networks, block lists, the greylist, counts and rates.

#include <gtest/gtest.h>

#include "kurir/server/block_list.hh"
#include "kurir/server/connections.hh"
#include "kurir/server/greylist.hh"
#include "kurir/server/network.hh"

namespace kurir::server {
namespace {

using namespace std::chrono_literals;

io::SocketAddress at(const std::string& host) {
  return io::SocketAddress::parse(host.contains(':') ? "[" + host + "]:25" : host + ":25").value();
}

TEST(Network, holds_the_addresses_of_its_prefix) {
  const struct {
    const char *network, *address;
    bool holds;
  } rows[] = {
      {"192.0.2.0/24", "192.0.2.255", true},
      {"192.0.2.0/24", "192.0.3.0", false},
      {"192.0.2.7", "192.0.2.7", true},
      {"192.0.2.7", "192.0.2.6", false},
      {"0.0.0.0/0", "203.0.113.1", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"192.0.2.0/24", "::ffff:192.0.2.9", true},
      {"::1", "::1", true},
      {"128.0.0.0/1", "127.255.255.255", false},
  };
  for (const auto& row : rows)
    EXPECT_EQ(Network::parse(row.network).value().contains(at(row.address)), row.holds)
        << row.network << " " << row.address;
}

TEST(Network, what_is_none_is_refused) {
  for (const char* text : {"", "/", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "192.0.2/24",
                           "2001:db8::/129", "example.org", "192.0.2.0/24/8", "/path"})
    EXPECT_FALSE(Network::parse(text)) << text;
}

TEST(BlockList, reads_the_words_of_postscreen) {
  const struct {
    const char *text, *answer;
    bool lists;
    int weight;
  } rows[] = {
      {"zen.example", "127.0.0.2", true, 1},
      {"zen.example", "127.0.0.1", false, 1},
      {"zen.example", "127.255.255.254", false, 1},
      {"zen.example", "192.0.2.1", false, 1},
      {"zen.example*3", "127.0.0.4", true, 3},
      {"good.example*-2", "127.0.0.4", true, -2},
      {"a.example=127.0.0.2", "127.0.0.2", true, 1},
      {"a.example=127.0.0.2", "127.0.0.3", false, 1},
      {"a.example=127.0.0.4..11*2", "127.0.0.11", true, 2},
      {"a.example=127.0.0.4..11*2", "127.0.0.12", false, 2},
      {"a.example=127.0.0.[2;4..8]", "127.0.0.8", true, 1},
      {"a.example=127.0.0.[2;4..8]", "127.0.0.3", false, 1},
      {"a.example=127.0.[0..255].[1..3]*-5", "127.0.77.1", true, -5},
  };
  for (const auto& row : rows) {
    const auto list = BlockList::parse(row.text);
    ASSERT_TRUE(list) << row.text;
    EXPECT_EQ(list->lists({at(row.answer)}), row.lists) << row.text << " " << row.answer;
    EXPECT_EQ(list->weight(), row.weight);
  }
}

TEST(BlockList, what_is_none_is_refused) {
  for (const char* text :
       {"", "*2", "a.example*0", "a.example*x", "a.example=", "a.example=127", "a.example=127.0.0",
        "a.example=127.0.0.256", "a.example=127.0.0.9..2", "a.example=127.0.0.[2",
        "a.example=127.0.0.2.3", "a example", "a.example=127.0.0.2*101"})
    EXPECT_FALSE(BlockList::parse(text)) << text;
}

TEST(BlockList, asks_backwards) {
  const auto list = BlockList::parse("zen.example").value();
  EXPECT_EQ(list.question(at("192.0.2.99")), "99.2.0.192.zen.example");
  EXPECT_EQ(list.question(at("2001:db8::1")),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.zen.example");
}

TEST(Greylist, a_second_try_after_the_delay_is_let_through_for_the_lifetime) {
  Greylist list({.delay = 60s, .window = 1h, .lifetime = 24h});
  EXPECT_EQ(list.check(7, 1000), 60s);
  EXPECT_EQ(list.check(7, 1010), 50s);
  EXPECT_EQ(list.check(8, 1010), 60s);
  EXPECT_EQ(list.check(7, 1060), 0s);
  EXPECT_EQ(list.check(7, 1061), 0s);
  EXPECT_EQ(list.check(7, 1061 + 86400), 0s);
  EXPECT_EQ(list.check(7, 1061 + 2 * 86400 + 1), 60s);
}

TEST(Greylist, a_try_after_the_window_is_a_first_one) {
  Greylist list({.delay = 60s, .window = 1h, .lifetime = 24h});
  list.check(7, 1000);
  EXPECT_EQ(list.check(7, 1000 + 3601), 60s);
}

TEST(Greylist, a_clock_that_is_set_back_makes_nobody_wait_longer) {
  Greylist list({.delay = 60s, .window = 1h, .lifetime = 24h});
  list.check(7, 1'000'000);
  EXPECT_LE(list.check(7, 1000), 60s);
  EXPECT_EQ(list.check(7, 1060), 0s);
}

TEST(Greylist, is_bounded_and_lets_through_where_it_is_full) {
  Greylist list({.delay = 60s, .window = 1h, .lifetime = 24h, .entries_max = 100});
  for (std::uint64_t triplet = 0; triplet < 100; ++triplet) list.check(triplet, 1000);
  EXPECT_EQ(list.check(1000, 1000), 0s);
  EXPECT_EQ(list.entries(), 100u);
  EXPECT_EQ(list.check(1000, 1000 + 7200), 60s);  // the others are forgotten
}

TEST(Greylist, survives_a_restart_and_no_bit_flip) {
  Greylist list({.delay = 60s, .window = 1h, .lifetime = 24h});
  list.check(7, 1000);
  list.check(7, 1060);
  list.check(8, 1060);
  const std::string octets = list.written(1060);
  Greylist other({.delay = 60s, .window = 1h, .lifetime = 24h});
  ASSERT_TRUE(other.read(octets));
  EXPECT_EQ(other.check(7, 1061), 0s);
  EXPECT_EQ(other.check(8, 1061), 59s);
  for (std::size_t place = 0; place < octets.size(); ++place) {
    std::string flipped = octets;
    flipped[place] = static_cast<char>(flipped[place] ^ 1);
    Greylist damaged({});
    EXPECT_FALSE(damaged.read(flipped)) << place;
    EXPECT_FALSE(damaged.read(octets.substr(0, place))) << place;
  }
}

ConnectionLimits limits() {
  ConnectionLimits limits;
  limits.max = 10;
  limits.per_address_max = 2;
  limits.per_network_max = 3;
  return limits;
}

TEST(ConnectionCounts, limits_the_address_its_network_and_all) {
  ConnectionCounts counts(limits(), 1);
  EXPECT_EQ(counts.enter(at("192.0.2.1"), {}), Entry::open);
  EXPECT_EQ(counts.enter(at("192.0.2.1"), {}), Entry::open);
  EXPECT_EQ(counts.enter(at("192.0.2.1"), {}), Entry::address_full);
  EXPECT_EQ(counts.enter(at("192.0.2.2"), {}), Entry::open);
  EXPECT_EQ(counts.enter(at("192.0.2.3"), {}), Entry::network_full);
  counts.leave(at("192.0.2.1"));
  EXPECT_EQ(counts.enter(at("192.0.2.3"), {}), Entry::open);
  for (int network = 3; network < 10; ++network)
    EXPECT_EQ(counts.enter(at("192.0." + std::to_string(network) + ".1"), {}), Entry::open);
  EXPECT_EQ(counts.enter(at("198.51.100.1"), {}), Entry::full);
  EXPECT_EQ(counts.enter(at("198.51.100.1"), {}, true), Entry::open);
  EXPECT_TRUE(counts.is_pressed());
}

TEST(ConnectionCounts, where_memory_is_short_somebody_must_make_room) {
  ConnectionCounts counts(limits(), 1);
  counts.set_memory_is_short(true);
  EXPECT_TRUE(counts.is_pressed());
  EXPECT_EQ(counts.enter(at("192.0.2.1"), {}), Entry::full);
  EXPECT_EQ(counts.enter(at("192.0.2.1"), {}, true), Entry::open);
  counts.set_memory_is_short(false);
  EXPECT_FALSE(counts.is_pressed());
  EXPECT_EQ(counts.enter(at("192.0.2.1"), {}), Entry::open);
}

TEST(ConnectionCounts, who_is_trusted_counts_for_the_whole_only) {
  ConnectionLimits with_trust = limits();
  with_trust.trusted = {Network::parse("192.0.2.0/24").value()};
  ConnectionCounts counts(with_trust, 1);
  for (int times = 0; times < 10; ++times)
    EXPECT_EQ(counts.enter(at("192.0.2.1"), {}), Entry::open);
  EXPECT_EQ(counts.enter(at("192.0.2.1"), {}), Entry::full);
}

TEST(ConnectionCounts, an_ipv6_network_is_a_64) {
  ConnectionCounts counts(limits(), 1);
  for (int host = 1; host <= 3; ++host)
    EXPECT_EQ(counts.enter(at("2001:db8::" + std::to_string(host)), {}), Entry::open);
  EXPECT_EQ(counts.enter(at("2001:db8::1:0:0:9"), {}), Entry::network_full);
  EXPECT_EQ(counts.enter(at("2001:db8:0:1::9"), {}), Entry::open);
}

TEST(ConnectionCounts, a_rate_lets_a_burst_of_its_count_through) {
  ConnectionLimits with_rate;
  with_rate.address_rate = {3, 60s};
  with_rate.trusted = {Network::parse("127.0.0.0/8").value()};
  ConnectionCounts counts(with_rate, 1);
  const Instant now(1h);
  for (int times = 0; times < 3; ++times)
    EXPECT_EQ(counts.enter(at("192.0.2.1"), now), Entry::open);
  EXPECT_EQ(counts.enter(at("192.0.2.1"), now), Entry::too_often);
  EXPECT_EQ(counts.enter(at("192.0.2.1"), now + 19s), Entry::too_often);
  EXPECT_EQ(counts.enter(at("192.0.2.1"), now + 20s), Entry::open);
  for (int times = 0; times < 10; ++times)
    EXPECT_EQ(counts.enter(at("127.0.0.1"), now), Entry::open);
}

}  // namespace
}  // namespace kurir::server
