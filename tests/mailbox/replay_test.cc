// The state that recovery makes from the journal is the state that the live path made, whatever
// happened.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "fixture.hh"
#include "kurir/base/limits.hh"
#include "kurir/mailbox/accounts.hh"
#include "kurir/mailbox/deliveries.hh"
#include "kurir/mailbox/description.hh"
#include "kurir/mailbox/journal_record.hh"

namespace kurir::mailbox {
namespace {

constexpr WallTime now{1'700'000'000'000'000};

using Journal = std::vector<std::string>;

Journal describe_all(const Accounts& accounts) {
  Journal records;
  accounts.for_each([&](Account& account) {
    for (std::string& record : describe(account)) records.push_back(std::move(record));
  });
  return records;
}

// Everything that can be asked of the state, counters included.
std::string state_of(const Accounts& accounts) {
  std::map<std::uint64_t, std::string> states;
  accounts.for_each([&](Account& account) {
    std::string& state = states[account.id().value];
    for (const std::string& record : describe(account)) state += record;
    state += std::to_string(account.used_octets()) + ' ' + std::to_string(account.used_messages());
    for (const Folder& folder : account.tree().folders) {
      if (!folder.mailbox) continue;
      const Mailbox& mailbox = *folder.mailbox;
      for (const std::uint64_t number :
           {std::uint64_t{mailbox.messages()}, std::uint64_t{mailbox.unseen()},
            std::uint64_t{mailbox.deleted()}, mailbox.octets(),
            std::uint64_t{mailbox.first_unseen().value}, mailbox.highest_modseq().value})
        state += ' ' + std::to_string(number);
    }
  });
  std::string all;
  for (const auto& [id, state] : states) all += state;
  return all;
}

struct Recovered {
  OneCore core;
  Accounts accounts{core.retired};
  Deliveries deliveries;

  void replay(const Journal& journal) {
    for (const std::string& record : journal) {
      const Result<std::vector<Change>> changes = decode(record);
      ASSERT_TRUE(changes);
      for (const Change& change : *changes) {
        deliveries.note(change);
        const Result<Applied> applied = accounts.apply(change);
        if (!applied) EXPECT_EQ(applied.error().code, Errc::not_found);
      }
    }
  }
};

// Plans random changes, journals them, and applies them some steps later, as group commit does.
class Live {
 public:
  explicit Live(unsigned seed) : random_(seed) { accounts.end_recovery(); }

  OneCore core;
  Accounts accounts{core.retired};
  Journal journal;
  std::uint64_t delivered = 0;

  void step() {
    std::vector<Change> changes = plan();
    if (changes.empty()) return;
    std::string record;
    for (const Change& change : changes) encode(change, record);
    journal.push_back(std::move(record));
    for (Change& change : changes) pending_.push_back(std::move(change));
    const bool folders_wait =
        std::ranges::any_of(pending_, [](const Change& change) { return change.index() < 6; });
    if (folders_wait || below(3) == 0) settle();
  }
  void settle() {
    for (const Change& change : pending_) ASSERT_TRUE(accounts.apply(change));
    pending_.clear();
  }

 private:
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }

  Account* some_account() { return accounts.find(AccountId(1 + below(3))); }
  const Folder* some_folder(Account& account) {
    return &account.tree()
                .folders[below(static_cast<std::uint32_t>(account.tree().folders.size()))];
  }
  std::string some_name() {
    std::string name(1, static_cast<char>('A' + below(4)));
    while (below(2) == 0) name += std::string("/") + static_cast<char>('a' + below(3));
    return below(10) == 0 ? "INBOX" : name;
  }

  std::vector<Change> plan() {
    const AccountId id(1 + below(3));
    Account* account = accounts.find(id);
    if (account == nullptr)
      return gone_.contains(id.value) ? std::vector<Change>{} : plan_account(id, now);
    if (below(400) == 0) {
      settle();
      gone_.insert(id.value);
      return {AccountDeleted{id}};
    }
    return below(8) == 0 ? plan_folders(*account) : plan_messages(*account);
  }

  std::vector<Change> plan_folders(Account& account) {
    settle();  // the owner too plans folders one at a time
    const auto one = [](auto planned) {
      return planned ? std::vector<Change>{*std::move(planned)} : std::vector<Change>{};
    };
    switch (below(4)) {
      case 0:
        return one(account.plan_create(some_name(), SpecialUse(below(8)), now));
      case 1:
        return one(account.plan_delete(some_name()));
      case 2:
        return one(account.plan_rename(some_name(), some_name(), now));
      default:
        return one(account.plan_subscription(some_name(), below(2) == 0));
    }
  }

  std::vector<Change> plan_messages(Account& account) {
    const Folder* folder = some_folder(account);
    if (!folder->mailbox) return {};
    Mailbox& mailbox = *folder->mailbox;
    const std::uint32_t first = 1 + below(mailbox.uid_next().value);
    const std::vector<NumberRange> some{{first, first + below(10)},
                                        {first + 20, first + 20 + below(100)}};
    switch (below(6)) {
      case 0:
      case 1:
        return {append_to(account, mailbox)};
      case 2:
        return {FlagsChanged{account.id(),
                             mailbox.id(),
                             mailbox.reserve_modseq(),
                             below(4) == 0 ? ModSeq(below(50)) : any_modseq,
                             {.add = random_() & 31, .remove = random_() & 31},
                             some}};
      case 3:
        return {Expunged{account.id(), mailbox.id(), mailbox.reserve_modseq(), some}};
      case 4:
        return add_keyword(account, mailbox);
      default:
        return move(account, mailbox, some);
    }
  }

  Appended append_to(Account& account, Mailbox& mailbox) {
    Appended appended{account.id(), mailbox.id(),
                      fresh_messages(mailbox, 1 + below(below(5) == 0 ? 200 : 4))};
    for (NewMessage& message : appended.messages) {
      message.origin = QueueId(++delivered);
      message.ordinal = static_cast<std::uint16_t>(delivered % 7);
    }
    return appended;
  }
  std::vector<Change> add_keyword(Account& account, Mailbox& mailbox) {
    settle();
    const std::size_t index = mailbox.keywords().names.size();
    if (index == limits::imap_keywords_max) return {};
    return {KeywordAdded{account.id(), mailbox.id(), static_cast<std::uint8_t>(index),
                         "key" + std::to_string(index)}};
  }
  // MOVE: both sides in one record.
  std::vector<Change> move(Account& account, Mailbox& from, const std::vector<NumberRange>& uids) {
    const Folder* folder = some_folder(account);
    if (!folder->mailbox || folder->mailbox->id() == from.id()) return {};
    settle();
    Mailbox& to = *folder->mailbox;
    Appended appended{account.id(), to.id(), {}};
    const ModSeq modseq = to.reserve_modseq();
    for (const NumberRange& range : uids) {
      from.snapshot().walk_uids(range, [&](const Located& at) {
        NewMessage& message = appended.messages.emplace_back(at.entry().describe());
        message.uid = *to.reserve_uids(1);
        message.modseq = modseq;
        message.origin = {};
      });
    }
    return {appended, Expunged{account.id(), from.id(), from.reserve_modseq(), uids}};
  }

  std::mt19937 random_;
  std::vector<Change> pending_;
  std::set<std::uint64_t> gone_;
};

struct Replay : testing::TestWithParam<unsigned> {};

TEST_P(Replay, gives_the_state_of_the_live_path) {
  Live live(GetParam());
  for (int step = 0; step < 1500; ++step) live.step();
  live.settle();
  Recovered recovered;
  recovered.replay(live.journal);
  EXPECT_EQ(state_of(recovered.accounts), state_of(live.accounts));
  EXPECT_EQ(recovered.deliveries.size(), live.delivered);
}

TEST_P(Replay, of_a_checkpoint_gives_the_same_state_and_the_same_future) {
  Live live(GetParam());
  for (int step = 0; step < 800; ++step) live.step();
  live.settle();
  Journal checkpoint = describe_all(live.accounts);
  const std::size_t covered = live.journal.size();
  Recovered recovered;
  recovered.replay(checkpoint);
  EXPECT_EQ(state_of(recovered.accounts), state_of(live.accounts));

  for (int step = 0; step < 300; ++step) live.step();
  live.settle();
  recovered.replay(
      {live.journal.begin() + static_cast<std::ptrdiff_t>(covered), live.journal.end()});
  EXPECT_EQ(state_of(recovered.accounts), state_of(live.accounts));
}

// A journal that reaches back before its checkpoint: what the state has already changes nothing.
// Folders aside, whose names say nothing of when: the owner cuts the journal at the checkpoint for
// them.
TEST_P(Replay, of_message_changes_twice_changes_nothing) {
  Live live(GetParam());
  for (int step = 0; step < 1000; ++step) live.step();
  live.settle();
  Recovered recovered;
  recovered.replay(live.journal);
  const std::string once = state_of(recovered.accounts);
  for (const std::string& record : live.journal) {
    const Result<std::vector<Change>> changes = decode(record);
    for (const Change& change : *changes)
      if (change.index() >= 6 && change.index() != 10) (void)recovered.accounts.apply(change);
  }
  EXPECT_EQ(state_of(recovered.accounts), once);
}

INSTANTIATE_TEST_SUITE_P(seeds, Replay, testing::Range(1u, 13u));

TEST(Deliveries, are_known_by_message_and_recipient) {
  NewMessage message{.uid = Uid(1), .modseq = ModSeq(2), .content = {}, .origin = QueueId(5)};
  message.ordinal = 2;
  NewMessage copy = message;
  copy.origin = {};
  Deliveries deliveries;
  deliveries.note(Appended{AccountId(1), MailboxId(1), {message, copy}});
  EXPECT_TRUE(deliveries.was_delivered(QueueId(5), 2));
  EXPECT_FALSE(deliveries.was_delivered(QueueId(5), 1));
  EXPECT_FALSE(deliveries.was_delivered(QueueId(0), 2));
  deliveries.clear();
  EXPECT_FALSE(deliveries.was_delivered(QueueId(5), 2));
}

}  // namespace
}  // namespace kurir::mailbox
