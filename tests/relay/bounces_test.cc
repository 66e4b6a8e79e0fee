// What senders are told, and who is told nothing.

#include <gmock/gmock.h>

#include "fixture.hh"
#include "kurir/store/message_record.hh"

namespace kurir::relay::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view postmaster = "alice@example.test";

// Reports of its own on the house's queue; nobody delivers what is local.
struct Desk {
  explicit Desk(House& house_of, std::string double_bounce_to = {})
      : house(house_of),
        directory(kurir::test::bobs_directory({.with_others = true}),
                  directory::RecentLogins::Key{}),
        bounces({.hostname = "me.example.test",
                 .double_bounce_to = std::move(double_bounce_to),
                 .max_age = std::chrono::hours(120)},
                house_of.queue(), directory, house_of.reader()) {}

  // The report that is newer than everything else; null: there is none.
  const queue::Message* newest(std::size_t count_before) const {
    const queue::Message* last = nullptr;
    house.queue().for_each([&](const queue::Message& message) { last = &message; });
    return house.queue().size() > count_before ? last : nullptr;
  }
  Task<std::string> content_of(const queue::Message& message) {
    auto content = co_await store::MessageContent::open(house.reader(), message.record);
    KURIR_ASSERT(content.has_value());
    std::string text(content->size(), '\0');
    const Result<std::size_t> count = co_await content->read(0, text);
    EXPECT_EQ(count.value_or(0), text.size());
    co_return text;
  }

  House& house;
  directory::Directory directory;
  Bounces bounces;
};

queue::Recipient refused(std::string address, std::string reply, std::string host = {},
                         std::string ip = {}) {
  queue::Recipient recipient;
  recipient.address = address;
  recipient.state = queue::RecipientState::bounced;
  recipient.last_answer = queue::Answer(reply, host, ip);
  recipient.last_attempt = io::wall_now();
  return recipient;
}

Task<void> report(House& house) {
  Desk desk(house);
  const auto message = std::make_unique<queue::Message>(house.queue(), nullptr);
  const QueueId original = co_await house.add("x@example.test", "bob@example.test");
  message->record = house.queue().find(original)->record;
  message->envelope = House::envelope_for({}, "bob@example.test");
  message->envelope.reception = queue::Reception("client.example", "", "", "");
  message->envelope.recipients = {
      refused("a@d.test", "550 5.1.1 No such user", "mx.d.test", "192.0.2.5"),
      refused("b@d.test", "250 fine"),
      refused("c@d.test", "550 5.1.2 Domain d.test does not exist")};
  EXPECT_TRUE(desk.bounces.wants(*message));
  const std::size_t before = house.queue().size();
  EXPECT_TRUE((co_await desk.bounces.notify(*message, {0, 2}, queue::Notifier::Kind::failed)));
  const queue::Message* told = desk.newest(before);
  EXPECT_NE(told, nullptr);
  if (told == nullptr) co_return;
  EXPECT_EQ(told->envelope.reverse_path, "");
  EXPECT_TRUE(told->envelope.is_bounce);
  EXPECT_EQ(told->envelope.recipients.size(), 1U);
  EXPECT_EQ(told->envelope.recipients.front().address, "bob@example.test");
  EXPECT_TRUE(told->envelope.recipients.front().is_local);
  const std::string text = co_await desk.content_of(*told);
  for (const std::string_view part :
       {"Content-Type: multipart/report; report-type=delivery-status", "To: <bob@example.test>",
        "Auto-Submitted: auto-replied", "Content-Type: message/delivery-status",
        "Reporting-MTA: dns; me.example.test", "Final-Recipient: rfc822; a@d.test",
        "Action: failed", "Status: 5.1.1", "Remote-MTA: dns; mx.d.test",
        "Diagnostic-Code: smtp; 550 5.1.1 No such user", "mx.d.test [192.0.2.5]",
        "Final-Recipient: rfc822; c@d.test", "Status: 5.1.2", "Content-Type: text/rfc822-headers",
        "Message-ID: <m@x>", "In-Reply-To: <m@x>"})
    EXPECT_THAT(text, HasSubstr(std::string(part)));
  EXPECT_THAT(text, Not(HasSubstr("b@d.test"))) << "that one was not asked about";
  EXPECT_THAT(text, Not(HasSubstr("\r\ntext\r\n"))) << "the body was returned";
}
TEST(Bounces, tell_the_sender_what_became_of_whom) { House::run(impatient(), report); }

Task<void> delay(House& house) {
  Desk desk(house);
  const auto message = std::make_unique<queue::Message>(house.queue(), nullptr);
  message->envelope = House::envelope_for({}, "bob@example.test");
  queue::Recipient waiting = refused("a@d.test", "451 4.7.1 Come back", "mx.d.test");
  waiting.state = queue::RecipientState::waiting;
  message->envelope.recipients = {waiting};
  const std::size_t before = house.queue().size();
  EXPECT_TRUE((co_await desk.bounces.notify(*message, {0}, queue::Notifier::Kind::delayed)));
  const queue::Message* told = desk.newest(before);
  EXPECT_NE(told, nullptr);
  if (told == nullptr) co_return;
  const std::string text = co_await desk.content_of(*told);
  for (const std::string_view part : {"Action: delayed", "Status: 4.7.1", "Will-Retry-Until: "})
    EXPECT_THAT(text, HasSubstr(std::string(part)));
}
TEST(Bounces, warn_of_a_delay_even_where_the_message_cannot_be_read) {
  House::run(impatient(), delay);
}

// --- who is told: nobody of the null sender, but for the first bounce of ours, where wanted

struct Wanted {
  std::string_view name, sender;
  bool is_bounce;
  std::string_view recipient, original;
  bool alone, double_bounces;
  std::string_view told;  // empty: nobody
};
constexpr Wanted wanted[] = {
    {"a_sender", "bob@example.test", false, "a@d.test", "", true, false, "bob@example.test"},
    {"a_sender_with_double_bounces", "bob@example.test", false, "a@d.test", "", true, true,
     "bob@example.test"},
    {"the_null_sender", "", false, "a@d.test", "", true, false, ""},
    {"a_foreign_bounce", "", false, "a@d.test", "", true, true, ""},
    {"a_bounce_of_ours", "", true, "a@d.test", "", true, false, ""},
    {"a_double_bounce", "", true, "a@d.test", "", true, true, postmaster},
    {"a_bounce_of_the_double_bounce", "", true, postmaster, "", true, true, ""},
    {"the_same_by_an_alias", "", true, "x@d.test", postmaster, true, true, ""},
    {"an_alias_of_many_that_failed", "", true, "a@d.test", "", false, true, ""},
};
class BouncesTell : public testing::TestWithParam<Wanted> {};
Task<void> tells(House& house, Wanted row) {
  Desk desk(house, row.double_bounces ? std::string(postmaster) : std::string());
  const auto message = std::make_unique<queue::Message>(house.queue(), nullptr);
  message->envelope = House::envelope_for({}, std::string(row.sender));
  message->envelope.is_bounce = row.is_bounce;
  message->envelope.recipients = {refused(std::string(row.recipient), "550 5.1.1 no")};
  message->envelope.recipients.front().original = row.original;
  if (!row.alone) message->envelope.recipients.push_back(refused("b@d.test", "550 5.1.1 no"));
  EXPECT_EQ(desk.bounces.wants(*message), !row.told.empty());
  if (row.told.empty()) co_return;
  EXPECT_TRUE((co_await desk.bounces.notify(*message, {0}, queue::Notifier::Kind::failed)));
  const queue::Message* told = desk.newest(0);
  EXPECT_NE(told, nullptr);
  if (told == nullptr) co_return;
  EXPECT_EQ(told->envelope.recipients.front().address, row.told);
  EXPECT_EQ(told->envelope.reverse_path, "") << "always from the null sender";
  EXPECT_EQ(house.queue().size(), 1U);
}
TEST_P(BouncesTell, whom_they_may) {
  House::run(impatient(), [](House& house) { return tells(house, GetParam()); });
}
INSTANTIATE_TEST_SUITE_P(Rows, BouncesTell, testing::ValuesIn(wanted),
                         [](const auto& row) { return std::string(row.param.name); });

// A sender of ours who is gone since: done, and nothing is queued.
Task<void> gone(House& house) {
  Desk desk(house);
  const auto message = std::make_unique<queue::Message>(house.queue(), nullptr);
  message->envelope = House::envelope_for({}, "nobody@example.test");
  message->envelope.recipients = {refused("a@d.test", "550 5.1.1 no")};
  EXPECT_TRUE((co_await desk.bounces.notify(*message, {0}, queue::Notifier::Kind::failed)));
  EXPECT_EQ(house.queue().size(), 0U);
}
TEST(Bounces, go_to_nobody_where_the_sender_is_gone) { House::run(impatient(), gone); }

}  // namespace
}  // namespace kurir::relay::test
