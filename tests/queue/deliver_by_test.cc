// DELIVERBY (RFC 2852): what is late comes back, or its sender is told, also after a restart.

#include <gtest/gtest.h>

#include "fixture.hh"

namespace kurir::queue::test {
namespace {

constexpr std::uint8_t return_mode = 0, notify_mode = store::deliver_by_flag::notify;

Task<QueueId> add_with_time(House& house, std::string recipient, Nanoseconds wait,
                            std::uint8_t flags) {
  Envelope envelope;
  envelope.reverse_path = "sender@example.org";
  envelope.received = io::wall_now();
  envelope.make_extras().deliver_by = {
      envelope.received.microseconds +
      std::chrono::duration_cast<std::chrono::microseconds>(wait).count()};
  envelope.extras->deliver_by_flags = flags;
  envelope.recipients.emplace_back().address = std::move(recipient);
  const std::string_view pieces[] = {"Subject: x\r\n\r\ntext\r\n"};
  const Result<Message*> message =
      house.queue->append(house.queue->make_id(), std::move(envelope),
                          {.extents = {}, .extent_octets = 0, .pieces = pieces});
  EXPECT_TRUE(message.has_value());
  const Result<QueueId> id = co_await house.queue->commit(*message);
  EXPECT_TRUE(id.has_value());
  co_return *id;
}

Task<void> be_late(House& house) {
  const QueueId returned =
      co_await add_with_time(house, "a@returned.test", Milliseconds(50), return_mode);
  const QueueId told = co_await add_with_time(house, "a@told.test", Milliseconds(50), notify_mode);
  static_cast<void>(
      co_await add_with_time(house, "a@later.test", std::chrono::hours(2), return_mode));
  co_await until([&] { return house.notifier.told.size() == 2; });
  for (const Remembers::Told& one : house.notifier.told) {
    const bool is_returned = one.id == returned;
    EXPECT_TRUE(is_returned || one.id == told);
    EXPECT_EQ(one.kind, is_returned ? Notifier::Kind::failed : Notifier::Kind::delayed);
    EXPECT_EQ(one.states.front(), is_returned ? RecipientState::expired : RecipientState::waiting);
  }
  EXPECT_EQ(house.queue->find(returned), nullptr);
  EXPECT_NE(house.queue->find(told), nullptr) << "it is tried on";
}
Task<void> be_late_later(House& house) {
  bool is_there = false;
  house.queue->for_each([&](const Message& message) {
    if (message.envelope.recipients.front().address != "a@later.test") return;
    is_there = true;
    const Nanoseconds left = house.queue->expiry_of(message) - io::now();
    EXPECT_NEAR(static_cast<double>(left.count()), 7.2e12, 1e11);
  });
  EXPECT_TRUE(is_there);
  co_return;
}
TEST(QueueDeliverBy, what_is_late_comes_back_or_its_sender_is_told) {
  with_queue({}, {be_late, be_late_later});
}

}  // namespace
}  // namespace kurir::queue::test
