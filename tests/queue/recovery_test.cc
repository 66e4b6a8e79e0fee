// What a start makes of the journal's records: in the order in which they were written, repeated,
// out of order, of messages and recipients that are not there, damaged.

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "fixture.hh"

namespace kurir::queue::test {
namespace {

using Order = AdministratorOrder;
struct Line {
  std::uint16_t type;
  std::string payload;
};
using Lines = std::vector<Line>;
using Journal = std::function<Lines(QueueId)>;

WallTime in(Nanoseconds wait) {
  return {io::wall_now().microseconds +
          std::chrono::duration_cast<std::chrono::microseconds>(wait).count()};
}
Line ended(QueueId id, std::uint16_t ordinal, RecipientState state) {
  return {record_recipient_ended, encode(RecipientEnded{id, in({}), ordinal, state})};
}
Line put_off_for(QueueId id, std::uint16_t ordinal, std::uint16_t attempts, Nanoseconds wait,
                 std::string_view reply = "451 later") {
  return {record_recipient_put_off,
          encode(RecipientPutOff{id, in({}), in(wait), ordinal, attempts, reply})};
}
Line ordered(QueueId id, Order order,
             std::uint16_t ordinal = AdministratorOrdered::all_recipients) {
  const std::string_view reply = order == Order::bounce ? "554 away" : "";
  return {record_administrator_order,
          encode(AdministratorOrdered{id, in({}), ordinal, order, reply})};
}
Line told(QueueId id) {
  return {record_sender_told_of_delay, encode(SenderToldOfDelay{id, in({})})};
}
Line cut(Line line, std::size_t octets = 1) {
  line.payload.resize(line.payload.size() - octets);
  return line;
}
Line changed(Line line, std::size_t at, char to) {
  line.payload[at] = to;
  return line;
}

constexpr auto hour = std::chrono::hours(1);
constexpr auto delivered_state = RecipientState::delivered;
constexpr std::string_view untouched = "free a@x.test=waiting''0 now b@x.test=waiting''0 now";
constexpr std::string_view is_gone;

struct Row {
  std::string_view name;
  Journal journal;
  std::string_view seen;
};
const Row rows[] = {
    {"nothing", [](QueueId) { return Lines{}; }, untouched},
    {"an_end", [](QueueId id) { return Lines{ended(id, 1, delivered_state)}; },
     "free a@x.test=waiting''0 now b@x.test=delivered"},
    {"every_end_leaves_nothing",
     [](QueueId id) {
       return Lines{ended(id, 1, RecipientState::removed), ended(id, 0, RecipientState::expired)};
     },
     is_gone},
    {"an_end_twice_is_one",
     [](QueueId id) { return Lines{ended(id, 0, delivered_state), ended(id, 0, delivered_state)}; },
     "free a@x.test=delivered b@x.test=waiting''0 now"},
    {"an_end_is_final",
     [](QueueId id) {
       return Lines{ended(id, 0, delivered_state), put_off_for(id, 0, 3, hour),
                    ordered(id, Order::bounce, 0), ordered(id, Order::retry, 0)};
     },
     "free a@x.test=delivered b@x.test=waiting''0 now"},
    {"put_off_until_then", [](QueueId id) { return Lines{put_off_for(id, 0, 2, hour)}; },
     "free a@x.test=waiting'451 later'2 later b@x.test=waiting''0 now"},
    {"put_off_until_a_time_that_has_come",
     [](QueueId id) { return Lines{put_off_for(id, 0, 2, -hour)}; },
     "free a@x.test=waiting'451 later'2 now b@x.test=waiting''0 now"},
    {"the_last_put_off_counts",
     [](QueueId id) {
       return Lines{put_off_for(id, 0, 1, hour), put_off_for(id, 0, 2, -hour, "450 x")};
     },
     "free a@x.test=waiting'450 x'2 now b@x.test=waiting''0 now"},
    {"a_retry_makes_due_what_was_put_off_before",
     [](QueueId id) {
       return Lines{put_off_for(id, 0, 1, hour), put_off_for(id, 1, 1, hour),
                    ordered(id, Order::retry, 0)};
     },
     "free a@x.test=waiting'451 later'1 now b@x.test=waiting'451 later'1 later"},
    {"but_not_what_was_put_off_after",
     [](QueueId id) { return Lines{ordered(id, Order::retry, 0), put_off_for(id, 0, 1, hour)}; },
     "free a@x.test=waiting'451 later'1 later b@x.test=waiting''0 now"},
    {"held", [](QueueId id) { return Lines{ordered(id, Order::hold), ordered(id, Order::hold)}; },
     "held a@x.test=waiting''0 now b@x.test=waiting''0 now"},
    {"released",
     [](QueueId id) {
       return Lines{ordered(id, Order::hold), ordered(id, Order::hold),
                    ordered(id, Order::release)};
     },
     untouched},
    {"held_again",
     [](QueueId id) { return Lines{ordered(id, Order::release), ordered(id, Order::hold)}; },
     "held a@x.test=waiting''0 now b@x.test=waiting''0 now"},
    {"a_bounce_that_nobody_was_told_of",
     [](QueueId id) { return Lines{put_off_for(id, 1, 1, hour), ordered(id, Order::bounce, 1)}; },
     "free a@x.test=waiting''0 now b@x.test=bounced!'554 away'"},
    {"a_bounce_that_was_told",
     [](QueueId id) {
       return Lines{ordered(id, Order::bounce, 1), ended(id, 1, RecipientState::bounced)};
     },
     "free a@x.test=waiting''0 now b@x.test=bounced"},
    {"warned", [](QueueId id) { return Lines{told(id), told(id)}; },
     "free warned a@x.test=waiting''0 now b@x.test=waiting''0 now"},
    {"recipients_that_it_does_not_have",
     [](QueueId id) {
       return Lines{ended(id, 2, delivered_state), put_off_for(id, 2, 2, hour),
                    put_off_for(id, 0xffff, 2, hour), ordered(id, Order::bounce, 2),
                    ordered(id, Order::retry, 2)};
     },
     untouched},
    {"another_message",
     [](QueueId id) {
       const QueueId other(id.value + 1'000'000);
       return Lines{ended(other, 0, delivered_state), ordered(other, Order::hold), told(other)};
     },
     untouched},
    {"cut_off",
     [](QueueId id) {
       return Lines{cut(ended(id, 0, delivered_state)),
                    cut(put_off_for(id, 0, 2, hour)),
                    cut(put_off_for(id, 0, 2, hour), 9 + 1),
                    cut(ordered(id, Order::bounce, 0)),
                    cut(told(id)),
                    {record_administrator_order, ""},
                    {record_queued, "x"}};
     },
     untouched},
    {"no_such_state_or_order",
     [](QueueId id) {
       return Lines{changed(ended(id, 0, delivered_state), 18, 0),
                    changed(ended(id, 0, delivered_state), 18, 5),
                    changed(ordered(id, Order::hold), 18, 0),
                    changed(ordered(id, Order::hold), 18, 5)};
     },
     untouched},
    {"a_reply_that_is_longer_than_its_record",
     [](QueueId id) {
       return Lines{changed(put_off_for(id, 0, 2, hour), 31, 0x7f),
                    changed(ordered(id, Order::bounce, 0), 23, 0x7f)};
     },
     untouched},
    {"unknown_types", [](QueueId) { return Lines{{37, "x"}, {63, ""}}; }, untouched},
    {"times_that_cannot_be",
     [](QueueId id) {
       using Limits = std::numeric_limits<std::int64_t>;
       const auto until = [id](std::uint16_t ordinal, std::int64_t next) {
         return Line{record_recipient_put_off,
                     encode(RecipientPutOff{id, {Limits::min()}, {next}, ordinal, 1, ""})};
       };
       return Lines{until(0, Limits::max()), until(1, Limits::min())};
     },
     "free a@x.test=waiting''1 later b@x.test=waiting''1 now"},
};

QueueOptions options_with_warning() {
  QueueOptions options;
  options.delay_warning = std::chrono::hours(4);
  return options;
}

Task<QueueId> write(House& house, const Journal& journal) {
  const QueueId id = co_await house.add({"a@x.test", "b@x.test"});
  for (const Line& line : journal(id)) {
    const bool written = house.shard.journal().append(line.type, line.payload).has_value();
    EXPECT_TRUE(written);
  }
  co_return id;
}

// Writes one message and its records for each in one run, starts again, and tells what is seen.
std::vector<std::string> seen_after(const std::vector<Journal>& journals) {
  std::vector<QueueId> ids;
  std::vector<std::string> seen;
  const auto write_all = [&](House& house) -> Task<void> {
    for (const Journal& journal : journals) {
      const QueueId id = co_await write(house, journal);
      ids.push_back(id);
    }
    const Result<void> synced = co_await house.queue->sync_outcomes();
    EXPECT_TRUE(synced.has_value());
  };
  const auto look = [&](House& house) -> Task<void> {
    house.notifier.fails = true;
    auto all = house.seen();
    for (const QueueId id : ids) seen.push_back(all[id.value]);
    co_return;
  };
  with_queue(options_with_warning(), {[&](House& house) { return write_all(house); },
                                      [&](House& house) { return look(house); }});
  return seen;
}

TEST(QueueRecovery, takes_the_journal_for_what_it_says) {
  std::vector<Journal> journals;
  for (const Row& row : rows) journals.push_back(row.journal);
  const std::vector<std::string> seen = seen_after(journals);
  ASSERT_EQ(seen.size(), std::size(rows));
  for (std::size_t at = 0; at < seen.size(); ++at)
    EXPECT_EQ(seen[at], rows[at].seen) << rows[at].name;
}

// What concerns different things may stand in any order, and more than once.
TEST(QueueRecovery, of_what_does_not_meet_the_order_does_not_matter) {
  std::vector<Journal> journals;
  for (unsigned seed = 1; seed <= 30; ++seed)
    journals.emplace_back([seed](QueueId id) {
      Lines lines = {ended(id, 0, RecipientState::bounced), put_off_for(id, 1, 4, hour), told(id),
                     ordered(id, Order::hold), ordered(id, Order::bounce, 0)};
      const Lines again = lines;
      lines.insert(lines.end(), again.begin(), again.end());
      std::shuffle(lines.begin(), lines.end(), std::mt19937(seed));
      return lines;
    });
  for (const std::string& seen : seen_after(journals))
    EXPECT_EQ(seen, "held warned a@x.test=bounced b@x.test=waiting'451 later'4 later");
}

}  // namespace
}  // namespace kurir::queue::test
