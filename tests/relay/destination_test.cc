// What happens to the jobs of a domain as knowledge about it comes, changes and ends.

#include <gmock/gmock.h>

#include "fixture.hh"

namespace kurir::relay::test {
namespace {

constexpr std::size_t many = 700;            // several slices
constexpr std::size_t slice_jobs_max = 256;  // src/relay/path.hh

Task<void> moved(House& house) {
  house.zone.set_mx("d.test", {{10, "old.d.test"}}, 0);
  house.zone.set_a("old.d.test", {99});
  // So many that one after the other, each after an attempt in vain, would take too long.
  for (unsigned count = 0; count < 300; ++count) static_cast<void>(co_await house.add("a@d.test"));
  const QueueId id = co_await house.add("b@d.test");
  const bool failed = co_await house.until([&] {
    const queue::Message* message = house.queue().find(id);
    const auto trouble = queue::trouble_of(*message, message->envelope.recipients.front());
    return trouble.find("127.0.0.99") != std::string_view::npos;
  });
  EXPECT_TRUE(failed);
  house.zone.set_mx("d.test", {{10, "new.d.test"}}, 0);
  house.zone.set_a("new.d.test", {2});
  const bool all = co_await house.until([&] { return house.queue().size() == 0; });
  EXPECT_TRUE(all);
  EXPECT_EQ(house.hop(2).taken(), 301U);
  EXPECT_EQ(house.told.failures.size(), 0U);
}
TEST(RelayDestination, mail_that_waits_goes_where_the_mx_points_now) {
  House::run(impatient(), moved);
}

// An MX that vanishes with its domain ends what waits for it.
Task<void> vanished(House& house) {
  house.zone.set_mx("d.test", {{10, "old.d.test"}}, 0);
  house.zone.set_a("old.d.test", {99});
  const QueueId id = co_await house.add("a@d.test");
  const bool tried = co_await house.until([&] { return !house.last_reply(id).empty(); });
  EXPECT_TRUE(tried);
  house.zone.set_mx("d.test", {{0, ""}}, 0);
  const bool gone = co_await house.until([&] { return house.queue().size() == 0; });
  EXPECT_TRUE(gone);
  EXPECT_EQ(house.told.failures.size(), 1U);
}
TEST(RelayDestination, mail_that_waits_is_returned_where_the_domain_takes_none_now) {
  House::run(impatient(), vanished);
}

// Old knowledge is better than none.
Task<void> servers_fail(House& house) {
  house.zone.set_mx("d.test", {{10, "mx.d.test"}}, 0);
  house.zone.set_a("mx.d.test", {2});
  static_cast<void>(co_await house.add("a@d.test"));
  const bool first = co_await house.until([&] { return house.queue().size() == 0; });
  EXPECT_TRUE(first);
  house.zone.set_failure("d.test", 2);
  const Instant answered = io::now();
  const bool is_old = co_await house.until([&] { return io::now() > answered + Milliseconds(40); });
  EXPECT_TRUE(is_old);  // the answer's time has passed
  static_cast<void>(co_await house.add("b@d.test"));
  const bool second = co_await house.until([&] { return house.queue().size() == 0; });
  EXPECT_TRUE(second);
  EXPECT_EQ(house.hop(2).taken(), 2U);
}
TEST(RelayDestination, mail_goes_where_it_went_while_the_name_servers_fail) {
  House::run(impatient(), servers_fail);
}

// Others have their turn: no turn of the loop ends more than a slice.
Task<void> most_at_once(House& house, std::function<std::size_t()> left, std::size_t& most) {
  std::size_t before = left();
  const Deadline deadline = deadline_in(Seconds(15));
  while (before > 0 && io::now() < deadline) {
    co_await yield_turn();
    const std::size_t now = left();
    most = std::max(most, before - std::min(before, now));
    before = now;
  }
  EXPECT_EQ(before, 0U);
  static_cast<void>(house);
}
Task<void> many_fail(House& house) {
  house.zone.hold(true);
  for (std::size_t count = 0; count < many; ++count)
    static_cast<void>(co_await house.add("a@d.test", ""));  // nobody to tell
  EXPECT_EQ(house.queue().size(), many);
  house.zone.hold(false);
  std::size_t most = 0;
  co_await most_at_once(house, [&] { return house.queue().size(); }, most);
  EXPECT_LE(most, slice_jobs_max);
  EXPECT_GT(most, 1U);
}
TEST(RelayDestination, a_long_list_fails_in_slices) { House::run(impatient(), many_fail); }

Task<void> many_move(House& house) {
  house.zone.set_mx("d.test", {{10, "mx.d.test"}});
  house.zone.set_a("mx.d.test", {99});
  house.zone.hold(true);
  for (std::size_t count = 0; count < many; ++count)
    static_cast<void>(co_await house.add("a@d.test", ""));
  house.zone.hold(false);
  std::size_t most = 0;
  const auto left = [&] {
    std::size_t unknown = 0;
    house.queue().for_each([&](const queue::Message& message) {
      const queue::Job* job = queue::job_of(message, message.envelope.recipients.front());
      if (job != nullptr && house.relay().site_of(*job).empty()) ++unknown;
    });
    return unknown;
  };
  co_await most_at_once(house, left, most);
  EXPECT_LE(most, slice_jobs_max);
  EXPECT_GT(most, 1U);
}
TEST(RelayDestination, a_long_list_moves_to_its_path_in_slices) {
  House::run(impatient(), many_move);
}

Task<void> many_loop(House& house) {
  house.zone.set_mx("d.test", {{10, "alias.test"}});
  house.zone.set_a("alias.test", {77});
  house.zone.hold(true);
  for (std::size_t count = 0; count < many; ++count)
    static_cast<void>(co_await house.add("a@d.test", ""));
  house.zone.hold(false);
  std::size_t most = 0;
  co_await most_at_once(house, [&] { return house.queue().size(); }, most);
  EXPECT_LE(most, slice_jobs_max);
  EXPECT_GT(most, 1U);
}
TEST(RelayDestination, a_long_list_that_loops_fails_in_slices) {
  House::run(impatient(), many_loop);
}

}  // namespace
}  // namespace kurir::relay::test
