#include "kurir/mailbox/account.hh"

#include <gtest/gtest.h>

#include "fixture.hh"
#include "kurir/base/limits.hh"
#include "kurir/mailbox/accounts.hh"

namespace kurir::mailbox {
namespace {

constexpr WallTime now{1'700'000'000'000'000};
constexpr AccountId alice{1};

struct AccountTest : testing::Test {
  AccountTest() {
    for (const Change& change : plan_account(alice, now)) EXPECT_TRUE(accounts.apply(change));
    accounts.end_recovery();
  }
  OneCore core;
  Accounts accounts{core.retired};
  Account& account() { return *accounts.find(alice); }
  const FolderTree& tree() { return account().tree(); }

  template <class Planned>
  std::optional<Errc> apply(const Result<Planned>& planned) {
    if (!planned) return planned.error().code;
    const Result<Applied> applied = accounts.apply(*planned);
    if (!applied) return applied.error().code;
    return std::nullopt;
  }
  std::optional<Errc> create(std::string_view name, SpecialUse use = SpecialUse::none) {
    return apply(account().plan_create(name, use, now));
  }
  std::optional<Errc> remove(std::string_view name) { return apply(account().plan_delete(name)); }
  std::optional<Errc> rename(std::string_view from, std::string_view to) {
    return apply(account().plan_rename(from, to, now));
  }
  std::optional<Errc> subscribe(std::string_view name, bool subscribed) {
    return apply(account().plan_subscription(name, subscribed));
  }
  Mailbox& mailbox(std::string_view name) { return *tree().find(name)->mailbox; }
  void deliver(std::string_view name, std::uint32_t count) {
    Appended appended{.account = alice,
                      .mailbox = mailbox(name).id(),
                      .messages = fresh_messages(mailbox(name), count)};
    ASSERT_TRUE(accounts.apply(appended));
  }
};

TEST_F(AccountTest, a_new_account_has_the_usual_folders) {
  EXPECT_EQ(tree().folders.size(), 6u);
  EXPECT_EQ(tree().find(SpecialUse::junk)->name, "Junk");
  EXPECT_EQ(tree().find(SpecialUse::trash)->name, "Trash");
  EXPECT_NE(tree().find("INBOX"), nullptr);
  EXPECT_TRUE(tree().subscribed("Sent"));
}

TEST_F(AccountTest, creating_makes_the_parents) {
  EXPECT_EQ(create("Work/2024/Q1"), std::nullopt);
  EXPECT_TRUE(tree().find("Work/2024")->mailbox);
  EXPECT_TRUE(tree().has_children(*tree().find("Work")));
  EXPECT_FALSE(tree().has_children(*tree().find("Work/2024/Q1")));
  EXPECT_EQ(create("Work/2024"), Errc::exists);
  EXPECT_EQ(create("inbox"), Errc::exists);
  EXPECT_EQ(create("a//b"), Errc::invalid);
}

TEST_F(AccountTest, ids_and_uidvalidities_only_rise) {
  create("A");
  const MailboxId id = mailbox("A").id();
  const UidValidity validity = mailbox("A").uid_validity();
  remove("A");
  create("A");
  EXPECT_GT(mailbox("A").id(), id);
  EXPECT_GT(mailbox("A").uid_validity(), validity);
  EXPECT_GT(mailbox("A").uid_validity(), mailbox("INBOX").uid_validity());
}

TEST_F(AccountTest, a_deleted_parent_stays_as_a_name_while_it_has_children) {
  create("A/B");
  const Shared<Mailbox> held = tree().find("A")->mailbox;
  EXPECT_EQ(remove("A"), std::nullopt);
  EXPECT_TRUE(held->closed());
  ASSERT_NE(tree().find("A"), nullptr);
  EXPECT_FALSE(tree().find("A")->mailbox);
  EXPECT_EQ(remove("A"), Errc::refused);
  EXPECT_EQ(remove("A/B"), std::nullopt);
  EXPECT_EQ(tree().find("A"), nullptr);
}

TEST_F(AccountTest, a_name_becomes_a_mailbox_again) {
  create("A/B");
  remove("A");
  EXPECT_EQ(create("A"), std::nullopt);
  EXPECT_TRUE(tree().find("A")->mailbox);
}

TEST_F(AccountTest, inbox_cannot_be_deleted) {
  EXPECT_EQ(remove("InBox"), Errc::refused);
  EXPECT_EQ(remove("Nowhere"), Errc::not_found);
}

TEST_F(AccountTest, renaming_takes_the_children_along) {
  create("A/B/C");
  create("AB");
  const MailboxId id = mailbox("A/B/C").id();
  EXPECT_EQ(rename("A", "X/Y"), std::nullopt);
  EXPECT_EQ(mailbox("X/Y/B/C").id(), id);
  EXPECT_TRUE(tree().find("X")->mailbox);
  EXPECT_EQ(tree().find("A"), nullptr);
  EXPECT_NE(tree().find("AB"), nullptr);
  EXPECT_EQ(rename("X", "X/Z"), Errc::invalid);
  EXPECT_EQ(rename("X", "AB"), Errc::exists);
  EXPECT_EQ(rename("None", "Other"), Errc::not_found);
  EXPECT_EQ(rename("X", "inbox"), Errc::exists);
}

TEST_F(AccountTest, renaming_must_fit_the_children_too) {
  create("A/" + std::string(900, 'x'));
  EXPECT_EQ(rename("A", std::string(200, 'y')), Errc::invalid);
}

TEST_F(AccountTest, renaming_inbox_moves_its_messages_and_leaves_it_empty) {
  deliver("INBOX", 3);
  create("INBOX/Lists");
  const UidValidity before = mailbox("INBOX").uid_validity();
  EXPECT_EQ(rename("INBOX", "Old/Mail"), std::nullopt);
  EXPECT_EQ(mailbox("Old/Mail").messages(), 3u);
  EXPECT_EQ(mailbox("INBOX").messages(), 0u);
  EXPECT_GT(mailbox("INBOX").uid_validity(), before);
  EXPECT_NE(tree().find("INBOX/Lists"), nullptr);
  EXPECT_EQ(account().used_messages(), 3u);
}

TEST_F(AccountTest, subscriptions_are_of_names) {
  EXPECT_EQ(subscribe("Not/There", true), std::nullopt);
  EXPECT_TRUE(tree().subscribed("Not/There"));
  EXPECT_EQ(subscribe("Not/There", true), std::nullopt);
  EXPECT_EQ(subscribe("Not/There", false), std::nullopt);
  EXPECT_FALSE(tree().subscribed("Not/There"));
  remove("Sent");
  EXPECT_TRUE(tree().subscribed("Sent"));
  EXPECT_EQ(subscribe("*", true), Errc::invalid);
}

TEST_F(AccountTest, use_of_quota_follows_messages) {
  deliver("INBOX", 2);
  deliver("Sent", 1);
  EXPECT_EQ(account().used_messages(), 3u);
  EXPECT_EQ(account().used_octets(), 101u + 102 + 101);
  Mailbox& inbox = mailbox("INBOX");
  ASSERT_TRUE(accounts.apply(Expunged{.account = alice,
                                      .mailbox = inbox.id(),
                                      .modseq = inbox.reserve_modseq(),
                                      .uids = {{1, 1}}}));
  EXPECT_EQ(account().used_octets(), 102u + 101);
  remove("Sent");
  EXPECT_EQ(account().used_messages(), 1u);
  EXPECT_EQ(account().used_octets(), 102u);
}

TEST_F(AccountTest, a_reader_that_holds_a_mailbox_outlives_its_deletion) {
  deliver("Sent", 2);
  const Shared<Mailbox> held = tree().find("Sent")->mailbox;
  remove("Sent");
  EXPECT_EQ(held->messages(), 2u);
  const Result<Applied> late = accounts.apply(FlagsChanged{.account = alice,
                                                           .mailbox = held->id(),
                                                           .modseq = held->reserve_modseq(),
                                                           .edit = {},
                                                           .uids = {}});
  EXPECT_EQ(late.error().code, Errc::not_found);
}

TEST_F(AccountTest, folders_are_bounded) {
  FoldersCreated many{.account = alice, .folders = {}};
  for (std::uint32_t n = 6; n < limits::mailbox_folders_max - 1; ++n)
    many.folders.push_back(
        {.id = MailboxId(100 + n), .validity = UidValidity(9), .name = "f" + std::to_string(n)});
  ASSERT_TRUE(accounts.apply(many));
  EXPECT_EQ(create("last/one"), Errc::exhausted);
  EXPECT_EQ(create("last"), std::nullopt);
  EXPECT_EQ(create("more"), Errc::exhausted);
}

TEST(Accounts, are_found_after_growth_and_deletion) {
  OneCore core;
  Accounts accounts(core.retired);
  for (std::uint64_t n = 1; n <= 2000; ++n) {
    ASSERT_TRUE(accounts.apply(AccountCreated{
        .account = AccountId(n), .mailbox_last = {}, .validity_last = {}, .folders = {}}));
    if (n % 3 == 0) ASSERT_TRUE(accounts.apply(AccountDeleted{.account = AccountId(n)}));
  }
  for (std::uint64_t n = 1; n <= 2000; ++n)
    EXPECT_EQ(accounts.find(AccountId(n)) != nullptr, n % 3 != 0) << n;
  EXPECT_EQ(accounts.find(AccountId(2001)), nullptr);
  EXPECT_EQ(accounts.size(), 1334u);
  std::size_t counted = 0;
  accounts.for_each([&](Account&) { ++counted; });
  EXPECT_EQ(counted, 1334u);
}

}  // namespace
}  // namespace kurir::mailbox
