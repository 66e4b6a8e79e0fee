// A checkpoint among changes: whatever journal a start reads, the state is the one that was.

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "kurir/coro/scope.hh"
#include "kurir/mailbox/description.hh"
#include "kurir/mailbox/journal_record.hh"
#include "kurir/store/checkpoint_writer.hh"
#include "support/mail_house.hh"
#include "support/on_cores.hh"
#include "support/temporary_directory.hh"

namespace kurir::mailbox {
namespace {

using kurir::test::MailHouse;
constexpr std::uint64_t accounts_max = 4;

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

// Without the last numbers given: those of a change that the journal refused are not kept.
std::string comparable(const std::string& piece) {
  const Result<std::vector<Change>> changes = decode(piece);
  EXPECT_TRUE(changes.has_value());
  std::string kept;
  for (Change change : *changes) {
    if (auto* created = std::get_if<AccountCreated>(&change)) {
      created->mailbox_last = {};
      created->validity_last = {};
    }
    encode(change, kept);
  }
  return kept;
}

std::string state_of(const Accounts& accounts) {
  std::map<std::uint64_t, std::string> states;
  accounts.for_each([&](const Account& account) {
    std::string& state = states[account.id().value];
    for (const std::string& piece : describe(account)) state += comparable(piece);
    state += std::to_string(account.used_octets()) + ' ' + std::to_string(account.used_messages());
    for (const Folder& folder : account.tree().folders)
      if (folder.mailbox)
        state += ' ' + std::to_string(folder.mailbox->unseen()) + ' ' +
                 std::to_string(folder.mailbox->deleted());
  });
  std::string together;
  for (const auto& [id, state] : states) together += state;
  return together;
}

Arrival arrival(std::uint64_t origin = 0) {
  Arrival made;
  made.internal_date = 1'700'000'000;
  made.content.segment = 1;
  made.content.offset = 64;
  made.content.octets = 100;
  made.content.stream = store::StreamKind::mail;
  made.origin = QueueId(origin);
  made.size = 100;
  return made;
}

// Changes of all kinds, one after another, until it is told to end. Refusals are as good.
class Changer {
 public:
  Changer(MailHouse& house, unsigned seed) : house_(house), random_(seed) {}

  Task<void> run(const bool& end) {
    while (!end) {
      co_await change();
      ++changes;
    }
  }
  std::size_t changes = 0;

 private:
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
  std::string name() {
    std::string made(1, static_cast<char>('A' + below(4)));
    return below(2) == 0 ? made : made + '/' + static_cast<char>('a' + below(3));
  }

  Task<void> change() {
    const AccountId account(1 + below(accounts_max));
    const Result<Shared<Account>> opened = co_await house_.mailboxes().open(account);
    if (!opened) co_return;
    if (below(3) == 0) {
      co_await change_folders(account);
    } else {
      co_await change_messages(account);
    }
  }
  Task<void> change_folders(AccountId account) {
    auto& mailboxes = house_.mailboxes();
    switch (below(4)) {
      case 0:
        static_cast<void>(co_await mailboxes.create_folder(account, name(), SpecialUse::none));
        break;
      case 1:
        static_cast<void>(co_await mailboxes.delete_folder(account, name()));
        break;
      case 2:
        static_cast<void>(co_await mailboxes.rename_folder(account, name(), name()));
        break;
      default:
        static_cast<void>(co_await mailboxes.subscribe(account, name(), below(2) == 0));
    }
  }
  Task<void> change_messages(AccountId account) {
    auto& mailboxes = house_.mailboxes();
    const MailboxId mailbox(1 + below(3));
    const std::uint32_t first = 1 + below(3000);
    std::vector<NumberRange> some{{first, first + below(20)}};
    FlagNames names{.system = below(32), .keywords = {}};
    if (below(3) == 0) names.keywords.push_back("key" + std::to_string(below(9)));
    std::vector<Arrival> arrivals(1 + below(30), arrival());
    switch (below(4)) {
      case 0:
        static_cast<void>(co_await mailboxes.append(account, mailbox, std::move(arrivals)));
        break;
      case 1:
        static_cast<void>(co_await mailboxes.change_flags(
            account, mailbox, std::move(some), FlagsMode::add, std::move(names), any_modseq));
        break;
      case 2:
        static_cast<void>(co_await mailboxes.expunge(account, mailbox, std::move(some), false));
        break;
      default:
        static_cast<void>(co_await mailboxes.copy(account, mailbox, std::move(some),
                                                  MailboxId(1 + below(3)), below(2) == 0));
    }
  }

  MailHouse& house_;
  std::mt19937 random_;
};

// Some accounts with so many messages that their description takes several turns.
Task<void> fill(MailHouse& house) {
  for (std::uint64_t id = 1; id < accounts_max; ++id) {
    const Result<Shared<Account>> opened = co_await house.mailboxes().open(AccountId(id));
    EXPECT_TRUE(opened.has_value());
    std::vector<Arrival> arrivals(4000, arrival());
    const auto done =
        co_await house.mailboxes().append(AccountId(id), MailboxId(1), std::move(arrivals));
    EXPECT_TRUE(done.has_value());
  }
}

enum class Ending : std::uint8_t { whole, abandoned, crashed };

Task<void> checkpoint_among_changes(MailHouse& house, unsigned seed, Ending ending,
                                    std::string& state) {
  co_await fill(house);
  bool end = false;
  Scope scope;
  std::vector<std::unique_ptr<Changer>> changers;
  for (unsigned n = 0; n < 20; ++n) {
    changers.push_back(std::make_unique<Changer>(house, seed * 100 + n));
    scope.start(changers.back()->run(end));
  }
  for (int turn = 0; turn < 50; ++turn) co_await yield_turn();
  store::Log& journal = house.shard().journal();
  const Result<void> begun = co_await journal.begin_checkpoint();
  EXPECT_TRUE(begun.has_value());
  const std::uint64_t before = journal.statistics().records;
  store::CheckpointWriter writer(journal);
  const Result<void> written = co_await house.owner().write_snapshot(writer);
  EXPECT_TRUE(written.has_value());
  EXPECT_GT(journal.statistics().records, before + 20) << "nothing was changed meanwhile";
  for (int turn = 0; turn < 50; ++turn) co_await yield_turn();
  if (ending == Ending::whole) {
    const Result<void> finished = co_await journal.finish_checkpoint("");
    EXPECT_TRUE(finished.has_value());
    for (int turn = 0; turn < 50; ++turn) co_await yield_turn();
  } else if (ending == Ending::abandoned) {
    journal.abandon_checkpoint();
  }
  end = true;
  co_await scope.join();
  state = state_of(house.owner().accounts());
}

Task<void> recovered_alike(MailHouse& house, const std::string& state) {
  // Not a comparison that prints both.
  EXPECT_TRUE(state_of(house.owner().accounts()) == state);
  co_return;
}

struct OwnerCheckpoint : testing::TestWithParam<unsigned> {};

TEST_P(OwnerCheckpoint, gives_the_state_whichever_journal_is_read) {
  for (const Ending ending : {Ending::whole, Ending::abandoned, Ending::crashed}) {
    std::string state;
    with_house({[&](MailHouse& house) {
                  return checkpoint_among_changes(house, GetParam(), ending, state);
                },
                [&](MailHouse& house) { return recovered_alike(house, state); }});
  }
}
INSTANTIATE_TEST_SUITE_P(seeds, OwnerCheckpoint, testing::Range(1u, 5u));

Task<void> deliver(MailHouse& house, std::uint64_t origin) {
  const auto done = co_await house.mailboxes().deliver(AccountId(1), "", true, 0, arrival(origin));
  EXPECT_TRUE(done.has_value() && !done->was_delivered);
}
Task<void> deliver_around_a_checkpoint(MailHouse& house) {
  co_await deliver(house, 1);
  store::Log& journal = house.shard().journal();
  const Result<void> begun = co_await journal.begin_checkpoint();
  EXPECT_TRUE(begun.has_value());
  co_await deliver(house, 2);
  store::CheckpointWriter writer(journal);
  const Result<void> written = co_await house.owner().write_snapshot(writer);
  EXPECT_TRUE(written.has_value());
  co_await deliver(house, 3);
  const Result<void> finished = co_await journal.finish_checkpoint("");
  EXPECT_TRUE(finished.has_value());
}
Task<void> knows_the_later_ones(MailHouse& house) {
  EXPECT_FALSE(house.owner().was_delivered(QueueId(1), 0)) << "its queue knows: no memory for it";
  EXPECT_TRUE(house.owner().was_delivered(QueueId(2), 0));
  EXPECT_TRUE(house.owner().was_delivered(QueueId(3), 0));
  EXPECT_EQ((co_await house.inbox(AccountId(1)))->messages(), 3U);
}
TEST(OwnerCheckpointOfDeliveries, tells_those_since_its_begin) {
  with_house({deliver_around_a_checkpoint, knows_the_later_ones});
}

Task<void> describe_many_folders(MailHouse& house) {
  const AccountId account(1);
  const Result<Shared<Account>> opened = co_await house.mailboxes().open(account);
  EXPECT_TRUE(opened.has_value());
  for (unsigned count = 0; count < 400; ++count)
    static_cast<void>(co_await house.mailboxes().create_folder(
        account, std::string(900, 'p') + '/' + std::to_string(count), SpecialUse::none));
  EXPECT_GT((*opened)->tree().folders.size(), 400U);
  constexpr std::size_t piece = 10'000;
  Description description(**opened, piece);
  std::size_t pieces = 0;
  while (const std::optional<std::string> payload = description.next()) {
    EXPECT_LE(payload->size(), 2 * piece + 2000);
    ++pieces;
  }
  EXPECT_GT(pieces, 20U);
}
Task<void> open_account(MailHouse& house, AccountId account) {
  const Result<Shared<Account>> opened = co_await house.mailboxes().open(account);
  EXPECT_TRUE(opened.has_value());
}
// So that a checkpoint begins at once: the segment is nearly full, and the next one ready.
Task<void> get_next_segment_ready(store::Log& journal) {
  const std::string filler(100'000, 'x');
  for (std::size_t octets = 0; octets < (4 << 20) - journal.record_payload_max();
       octets += filler.size()) {
    const Result<void> roomy = co_await journal.room(filler.size(), deadline_in(Seconds(10)));
    EXPECT_TRUE(roomy.has_value());
    EXPECT_TRUE(journal.append(99, filler).has_value());
  }
  const Result<void> roomy =
      co_await journal.room(journal.record_payload_max(), deadline_in(Seconds(10)));
  EXPECT_TRUE(roomy.has_value());
}
Task<void> checkpoint_before_it_is_applied(MailHouse& house) {
  store::Log& journal = house.shard().journal();
  co_await get_next_segment_ready(journal);
  const std::uint64_t before = journal.statistics().records;
  Scope scope;
  scope.start(open_account(house, AccountId(9)));
  while (journal.statistics().records == before) co_await yield_turn();
  const Result<void> begun = co_await journal.begin_checkpoint();
  EXPECT_TRUE(begun.has_value());
  EXPECT_EQ(house.owner().accounts().size(), 0U) << "the test comes too late";
  store::CheckpointWriter writer(journal);
  const Result<void> written = co_await house.owner().write_snapshot(writer);
  EXPECT_TRUE(written.has_value());
  const Result<void> finished = co_await journal.finish_checkpoint("");
  EXPECT_TRUE(finished.has_value());
  co_await scope.join();
}
Task<void> account_is_there(MailHouse& house) {
  EXPECT_EQ(house.owner().accounts().size(), 1U);
  co_return;
}
TEST(OwnerCheckpointOfAccounts, has_one_whose_creation_was_under_way) {
  with_house({checkpoint_before_it_is_applied, account_is_there});
}

TEST(Description, comes_in_pieces_of_bounded_size) { with_house({describe_many_folders}); }

}  // namespace
}  // namespace kurir::mailbox
