// The owner's changes: journalled, durable, then visible, in one order for all.

#include <gtest/gtest.h>

#include <algorithm>

#include "kurir/coro/scope.hh"
#include "support/file_limit.hh"
#include "support/mail_house.hh"
#include "support/on_cores.hh"
#include "support/temporary_directory.hh"

namespace kurir::mailbox {
namespace {

using kurir::test::MailHouse;
constexpr AccountId bob(7);
constexpr NumberRange all{1, ~std::uint32_t{0}};

// Each body is one run of the server on the same folder.
using Body = std::function<Task<void>(MailHouse&)>;
Task<void> live(std::string path, const Body& body) {
  MailHouse house(path);
  co_await house.open();
  co_await body(house);
  co_await house.stop();
}
void with_house(std::initializer_list<Body> runs) {
  const kurir::test::TemporaryDirectory folder;
  for (const Body& body : runs)
    kurir::test::on_cores(1, [&](CoreIndex) { return live(folder.path() + "/data", body); });
}

Arrival arrival(std::uint32_t size = 100) {
  Arrival made;
  made.internal_date = 1'700'000'000;
  made.content.segment = 1;
  made.content.offset = 64;
  made.content.octets = size;
  made.content.stream = store::StreamKind::mail;
  made.size = size;
  return made;
}
Arrival delivery(QueueId origin, std::uint16_t ordinal, std::uint32_t size = 100) {
  Arrival made = arrival(size);
  made.origin = origin;
  made.ordinal = ordinal;
  return made;
}

Task<MailboxId> inbox_id(MailHouse& house) {
  const Shared<Mailbox> inbox = co_await house.inbox(bob);
  co_return inbox->id();
}
Task<Result<AppendOutcome>> append(MailHouse& house, MailboxId mailbox, std::size_t count = 1) {
  std::vector<Arrival> arrivals(count, arrival());
  co_return co_await house.mailboxes().append(bob, mailbox, std::move(arrivals));
}

// "1 flags modseq" of each message.
Task<std::vector<std::string>> listed(MailHouse& house, MailboxId mailbox) {
  const Result<Shared<Account>> account = co_await house.mailboxes().open(bob);
  std::vector<std::string> lines;
  const Folder* folder = (*account)->tree().find(mailbox);
  folder->mailbox->snapshot().walk(all, [&](const Located& at) {
    lines.push_back(std::to_string(at.entry().uid().value) + " " +
                    std::to_string(at.entry().flags()) + " " +
                    std::to_string(at.entry().modseq().value));
  });
  co_return lines;
}

Task<void> journal_breaks(MailHouse& house) {
  const MailboxId inbox = co_await inbox_id(house);
  const auto before = co_await append(house, inbox);
  EXPECT_TRUE(before.has_value());
  const auto was = co_await listed(house, inbox);
  kurir::test::break_oldest_file("/journal-");
  const auto appended = co_await append(house, inbox);
  EXPECT_FALSE(appended.has_value());
  EXPECT_EQ(co_await listed(house, inbox), was);
  EXPECT_EQ(house.owner().used_octets(bob), 100U);
  const Result<void> roomy = co_await house.shard().journal().room(1000, deadline_in(Seconds(10)));
  EXPECT_TRUE(roomy.has_value());
  const auto after = co_await append(house, inbox);
  EXPECT_TRUE(after.has_value());
  if (after) EXPECT_GT(after->uids[0].value, 2U) << "a uid that failed is not given again";
}
Task<void> only_what_succeeded(MailHouse& house) {
  const MailboxId inbox = co_await inbox_id(house);
  EXPECT_EQ((co_await listed(house, inbox)).size(), 2U);
}
TEST(Owner, shows_nothing_of_a_change_whose_commit_failed) {
  with_house({journal_breaks, only_what_succeeded});
}

Task<void> append_and_note(MailHouse& house, MailboxId mailbox, std::vector<std::uint32_t>& uids) {
  const auto done = co_await append(house, mailbox, 3);
  EXPECT_TRUE(done.has_value());
  if (done)
    for (const Uid uid : done->uids) uids.push_back(uid.value);
}
Task<void> flag_all(MailHouse& house, MailboxId mailbox, std::string keyword) {
  FlagNames names;
  names.keywords.push_back(std::move(keyword));
  const auto done = co_await house.mailboxes().change_flags(bob, mailbox, {all}, FlagsMode::add,
                                                            std::move(names), any_modseq);
  EXPECT_TRUE(done.has_value());
}
Task<void> expunge_first(MailHouse& house, MailboxId mailbox) {
  const auto done = co_await house.mailboxes().expunge(bob, mailbox, {{1, 2}}, false);
  EXPECT_TRUE(done.has_value());
}

Task<void> change_at_once(MailHouse& house, std::vector<std::string>& seen) {
  const MailboxId inbox = co_await inbox_id(house);
  std::vector<std::uint32_t> uids;
  co_await append_and_note(house, inbox, uids);  // what is expunged below
  Scope scope;
  for (unsigned turn = 1; turn < 20; ++turn) {
    scope.start(append_and_note(house, inbox, uids));
    scope.start(flag_all(house, inbox, "key" + std::to_string(turn % 5)));
    if (turn == 10) scope.start(expunge_first(house, inbox));
    if (turn % 3 == 0) co_await yield_turn();
  }
  co_await scope.join();
  std::ranges::sort(uids);
  EXPECT_EQ(uids.size(), 60U);
  EXPECT_EQ(std::ranges::adjacent_find(uids), uids.end()) << "given twice";
  seen = co_await listed(house, inbox);
  EXPECT_EQ(seen.size(), 58U);
}
Task<void> recovered_alike(MailHouse& house, const std::vector<std::string>& seen) {
  const MailboxId inbox = co_await inbox_id(house);
  EXPECT_EQ(co_await listed(house, inbox), seen);
}
TEST(Owner, applies_concurrent_changes_in_the_order_of_the_journal) {
  std::vector<std::string> seen;
  with_house({[&](MailHouse& house) { return change_at_once(house, seen); },
              [&](MailHouse& house) { return recovered_alike(house, seen); }});
}

Task<void> deliver_twice(MailHouse& house) {
  for (std::uint16_t ordinal = 0; ordinal < 2; ++ordinal) {
    const auto done =
        co_await house.mailboxes().deliver(bob, "", true, 0, delivery(QueueId(99), ordinal));
    EXPECT_TRUE(done.has_value() && !done->was_delivered);
  }
}
Task<void> not_again(MailHouse& house) {
  EXPECT_TRUE(house.owner().was_delivered(QueueId(99), 1));
  EXPECT_FALSE(house.owner().was_delivered(QueueId(99), 2));
  const auto again = co_await house.mailboxes().deliver(bob, "", true, 0, delivery(QueueId(99), 1));
  EXPECT_TRUE(again.has_value() && again->was_delivered);
  const auto other = co_await house.mailboxes().deliver(bob, "", true, 0, delivery(QueueId(99), 2));
  EXPECT_TRUE(other.has_value() && !other->was_delivered);
  EXPECT_EQ((co_await listed(house, co_await inbox_id(house))).size(), 3U);
  house.owner().forget_deliveries();
  EXPECT_FALSE(house.owner().was_delivered(QueueId(99), 1));
}
TEST(Owner, delivers_once_what_the_journal_has_from_before_a_restart) {
  with_house({deliver_twice, not_again});
}

Task<void> fill_up(MailHouse& house) {
  const auto fits =
      co_await house.mailboxes().deliver(bob, "", true, 250, delivery(QueueId(1), 0, 250));
  EXPECT_TRUE(fits.has_value());
  const auto over =
      co_await house.mailboxes().deliver(bob, "", true, 250, delivery(QueueId(2), 0, 1));
  EXPECT_TRUE(!over && over.error().code == Errc::refused);
  const MailboxId inbox = co_await inbox_id(house);
  const auto gone = co_await house.mailboxes().expunge(bob, inbox, {all}, false);
  EXPECT_TRUE(gone.has_value());
  EXPECT_EQ(co_await house.mailboxes().used_octets(bob), 0U);
  const auto again =
      co_await house.mailboxes().deliver(bob, "", true, 250, delivery(QueueId(3), 0, 1));
  EXPECT_TRUE(again.has_value());
}
TEST(Owner, holds_a_quota_to_the_octet) { with_house({fill_up}); }

Task<void> deliver_to_folders(MailHouse& house) {
  auto& mailboxes = house.mailboxes();
  static_cast<void>(co_await mailboxes.deliver(bob, "lists", false, 0, delivery(QueueId(1), 0)));
  const Result<Shared<Account>> account = co_await mailboxes.open(bob);
  EXPECT_EQ((*account)->tree().find("lists"), nullptr);
  EXPECT_EQ((co_await house.inbox(bob))->snapshot().messages(), 1U);
  static_cast<void>(co_await mailboxes.deliver(bob, "lists", true, 0, delivery(QueueId(2), 0)));
  static_cast<void>(co_await mailboxes.deliver(bob, "lists", true, 0, delivery(QueueId(3), 0)));
  const Folder* lists = (*account)->tree().find("lists");
  EXPECT_TRUE(lists != nullptr && lists->mailbox->snapshot().messages() == 2);
  EXPECT_TRUE((*account)->tree().subscribed("lists"));
  // A name that no folder can have is no reason to refuse mail.
  static_cast<void>(co_await mailboxes.deliver(bob, "a//b", true, 0, delivery(QueueId(4), 0)));
  EXPECT_EQ((co_await house.inbox(bob))->snapshot().messages(), 2U);
}
TEST(Owner, delivers_to_a_folder_if_it_can_be_had_else_to_inbox) {
  with_house({deliver_to_folders});
}

Task<void> change_in_a_turn(MailHouse& house) {
  const MailboxId inbox = co_await inbox_id(house);
  unsigned told = 0, told_other = 0;
  {
    const Watch watch(house.mailboxes(), {bob, inbox}, [&] { ++told; });
    const Watch other(house.mailboxes(), {bob, MailboxId(inbox.value + 1)}, [&] { ++told_other; });
    Scope scope;
    std::vector<std::uint32_t> uids;
    for (unsigned count = 0; count < 10; ++count) scope.start(append_and_note(house, inbox, uids));
    co_await scope.join();
    for (unsigned turn = 0; turn < 10; ++turn) co_await yield_turn();
    EXPECT_GE(told, 1U);
    EXPECT_LE(told, 3U) << "what is committed together is told together";
    EXPECT_EQ(told_other, 0U);
  }
  const unsigned before = told;
  static_cast<void>(co_await append(house, inbox));
  for (unsigned turn = 0; turn < 10; ++turn) co_await yield_turn();
  EXPECT_EQ(told, before) << "nobody watches any more";
}
TEST(Owner, tells_watches_once_of_what_changed_in_a_turn) { with_house({change_in_a_turn}); }

// --- more than the journal has room for at once

Task<void> append_4000(MailHouse& house, MailboxId inbox, unsigned& appended) {
  const auto done = co_await append(house, inbox, 4000);
  EXPECT_TRUE(done.has_value());
  ++appended;
}

Task<void> append_three_segments(MailHouse& house) {
  const MailboxId inbox = co_await inbox_id(house);
  Scope scope;
  unsigned appended = 0;
  for (unsigned count = 0; count < 50; ++count) scope.start(append_4000(house, inbox, appended));
  EXPECT_LT(appended, 50U) << "there is no room for all";
  co_await scope.join();
  EXPECT_EQ((co_await house.inbox(bob))->snapshot().messages(), 50U * 4000);
}
TEST(Owner, appends_wait_for_the_next_segment) { with_house({append_three_segments}); }

// --- more uids than one journal record holds

constexpr std::uint32_t many = 2 * (limits::log_record_payload_max / 8) + 2000;

// Fills several of the journal's segments: an append waits for the next rather than fail.
Task<void> append_many(MailHouse& house, MailboxId inbox) {
  for (std::uint32_t count = 0; count < many; count += 4000) {
    const auto done = co_await append(house, inbox, 4000);
    EXPECT_TRUE(done.has_value());
  }
}
std::vector<NumberRange> every_second() {
  std::vector<NumberRange> uids;
  for (std::uint32_t uid = 1; uid <= many; uid += 2) uids.push_back({uid, uid});
  return uids;
}

Task<void> change_many(MailHouse& house) {
  auto& mailboxes = house.mailboxes();
  const MailboxId inbox = co_await inbox_id(house);
  co_await append_many(house, inbox);
  const std::uint32_t messages = (co_await house.inbox(bob))->snapshot().messages();
  const auto copied = co_await mailboxes.copy(bob, inbox, every_second(), MailboxId(2), false);
  EXPECT_TRUE(!copied && copied.error().code == Errc::too_large) << "copies: all or none";
  const auto stored = co_await mailboxes.change_flags(bob, inbox, every_second(), FlagsMode::add,
                                                      {flag::deleted, {}}, any_modseq);
  EXPECT_TRUE(stored.has_value());
  EXPECT_EQ((co_await house.inbox(bob))->deleted(), many / 2);
  const auto gone = co_await mailboxes.expunge(bob, inbox, {all}, true);
  EXPECT_TRUE(gone.has_value() && gone->size() == many / 2);
  EXPECT_EQ((co_await house.inbox(bob))->snapshot().messages(), messages - many / 2);
  const auto moved = co_await mailboxes.copy(bob, inbox, {{2, 40'000}}, MailboxId(2), true);
  EXPECT_TRUE(moved.has_value() && moved->from.size() == 20'000 && moved->to.size() == 20'000);
  EXPECT_EQ((co_await listed(house, MailboxId(2))).size(), 20'000U);
}
Task<void> many_recovered(MailHouse& house) {
  EXPECT_EQ((co_await listed(house, MailboxId(2))).size(), 20'000U);
}
TEST(Owner, changes_more_messages_than_one_record_holds) {
  with_house({change_many, many_recovered});
}

}  // namespace
}  // namespace kurir::mailbox
