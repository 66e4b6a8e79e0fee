// Whom the queue tells of what (RFC 3461 4.1, 5.2), and that a success which was not told yet is
// neither forgotten nor sent again after a restart.

#include <gtest/gtest.h>

#include "fixture.hh"

namespace kurir::queue::test {
namespace {

namespace flag = store::recipient_flag;
constexpr Outcome passed_on{.state = RecipientState::delivered, .next_host_reports = true};

struct Row {
  std::string_view name;
  std::uint32_t notify;
  Outcome outcome;
  std::string_view told;  // by the kind; empty: nothing
};
const Row rows[] = {
    {"failure_by_default", 0, bounced, "failed"},
    {"failure_where_asked", flag::notify_failure, bounced, "failed"},
    {"no_failure_where_never", flag::notify_never, bounced, ""},
    {"no_failure_where_only_success", flag::notify_success, bounced, ""},
    {"no_success_by_default", 0, delivered, ""},
    {"no_success_where_failure", flag::notify_failure | flag::notify_delay, delivered, ""},
    {"success_where_asked", flag::notify_success, delivered, "succeeded"},
    {"no_success_where_the_next_host_reports", flag::notify_success, passed_on, ""},
};
class QueueReports : public testing::TestWithParam<Row> {};

Task<QueueId> add_with(House& house, std::uint32_t notify) {
  const Notify asked(static_cast<std::uint8_t>(notify));
  Message* message = house.append({"a@x.test"}, "sender@example.org", asked);
  const Result<QueueId> id = co_await house.queue->commit(message);
  EXPECT_TRUE(id.has_value());
  co_return *id;
}

Task<void> reports(House& house, Row row) {
  const QueueId id = co_await add_with(house, row.notify);
  house.attempt(id, {row.outcome});
  co_await until([&] { return house.queue->size() == 0; });
  std::string told;
  for (const Remembers::Told& one : house.notifier.told)
    told += one.kind == Notifier::Kind::failed      ? "failed"
            : one.kind == Notifier::Kind::succeeded ? "succeeded"
                                                    : "delayed";
  EXPECT_EQ(told, row.told);
}
TEST_P(QueueReports, what_was_asked) {
  const kurir::test::TemporaryDirectory folder;
  kurir::test::on_cores(1, [&](CoreIndex) {
    return live(folder.path() + "/data", {},
                [](House& house) { return reports(house, GetParam()); });
  });
}
INSTANTIATE_TEST_SUITE_P(Rows, QueueReports, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

// The first start cannot write the report; a second one must, and must not deliver again.
Task<void> succeed_untold(House& house) {
  house.notifier.fails = true;
  const QueueId id = co_await add_with(house, flag::notify_success);
  house.attempt(id, {delivered});
  co_await until([&] { return house.notifier.asked > 0; });
  EXPECT_EQ(house.queue->size(), 1U);
  const Result<void> synced = co_await house.queue->sync_outcomes();
  EXPECT_TRUE(synced.has_value());
}
Task<void> tell_after_restart(House& house) {
  EXPECT_TRUE(house.holds.jobs.empty()) << "it would be sent again";
  co_await until([&] { return house.notifier.told.size() == 1; });
  if (house.notifier.told.empty()) co_return;
  EXPECT_EQ(house.notifier.told.front().kind, Notifier::Kind::succeeded);
  co_await until([&] { return house.queue->size() == 0; });
}
Task<void> find_nothing(House& house) {
  EXPECT_EQ(house.queue->size(), 0U);
  EXPECT_TRUE(house.notifier.told.empty());
  co_return;
}
TEST(QueueReport, of_success_outlasts_a_restart_and_comes_once) {
  const kurir::test::TemporaryDirectory folder;
  for (const auto& body : {succeed_untold, tell_after_restart, find_nothing})
    kurir::test::on_cores(1, [&](CoreIndex) { return live(folder.path() + "/data", {}, body); });
}

Task<void> delay_untold(House& house) {
  const QueueId id = co_await add_with(house, flag::notify_failure);
  co_await until([&] { return house.is_offered(id); });  // a slow commit has the warning come first
  house.attempt(id, {put_off});
  co_await until([&] { return house.queue->find(id)->was_warned; });
  EXPECT_TRUE(house.notifier.told.empty());
}
TEST(QueueReport, of_a_delay_is_left_out_where_not_asked) {
  const kurir::test::TemporaryDirectory folder;
  QueueOptions options;
  options.delay_warning = Milliseconds(1);
  kurir::test::on_cores(
      1, [&](CoreIndex) { return live(folder.path() + "/data", options, delay_untold); });
}

}  // namespace
}  // namespace kurir::queue::test
