#include "kurir/store/log.hh"

#include <gtest/gtest.h>

#include "support.hh"
#include "support/on_cores.hh"

namespace kurir::store {
namespace {

using test::Remembers;
using test::small_log;

// Opens, lets `body` work, stops.
template <class Body>
void with_log(LogOptions options, Remembers& seen, Body body) {
  kurir::test::on_cores(1, [&](CoreIndex) -> Task<void> {
    return [](LogOptions given, Remembers& visitor, Body& work) -> Task<void> {
      Result<std::unique_ptr<Log>> log = co_await Log::open(given, visitor);
      if (!log) {
        ADD_FAILURE() << "open: " << static_cast<int>(log.error().code) << " errno "
                      << log.error().os_errno;
        co_return;
      }
      co_await work(**log);
      co_await (*log)->stop();
    }(options, seen, body);
  });
}

class LogModes : public ::testing::TestWithParam<SyncMode> {
 protected:
  LogOptions options(StreamKind stream = StreamKind::spool) const {
    LogOptions made = small_log(directory.path(), stream);
    made.sync = GetParam();
    return made;
  }
  test::TemporaryDirectory directory;
};

TEST_P(LogModes, what_was_committed_is_shown_again) {
  Remembers nothing;
  with_log(options(), nothing, [](Log& log) -> Task<void> {
    const Result<RecordRef> first = log.append(16, {"hello ", "", "world"});
    const Result<RecordRef> second = log.append(17, "second");
    EXPECT_TRUE(first.has_value());
    EXPECT_TRUE(second.has_value());
    const Result<void> committed = co_await log.commit(*second);
    EXPECT_TRUE(committed.has_value());
    EXPECT_EQ(log.statistics().commits, 1U);
    EXPECT_EQ(log.statistics().records, 2U);
  });
  EXPECT_TRUE(nothing.records.empty());
  Remembers seen;
  with_log(options(), seen, [](Log&) -> Task<void> { co_return; });
  EXPECT_EQ(seen.payloads(), (std::vector<std::string>{"hello world", "second"}));
  EXPECT_EQ(seen.records[0].type, 16);
  EXPECT_EQ(seen.records[1].type, 17);
  EXPECT_EQ(seen.records[0].ref.segment, 1U);
  EXPECT_EQ(seen.records[0].ref.octets, record_octets(11));
  EXPECT_TRUE(seen.corrupt.empty());
}

INSTANTIATE_TEST_SUITE_P(Sync, LogModes, ::testing::Values(SyncMode::buffered, SyncMode::direct),
                         [](const auto& mode) {
                           return mode.param == SyncMode::direct ? "direct" : "buffered";
                         });

}  // namespace
}  // namespace kurir::store
