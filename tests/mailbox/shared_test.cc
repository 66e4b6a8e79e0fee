// One writer, readers on other threads: what cores share, run plain and under the thread sanitizer.
// Each message's fields all follow from its uid, so that a torn or freed entry shows.

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "fixture.hh"
#include "kurir/mailbox/accounts.hh"
#include "kurir/mailbox/content_caches.hh"
#include "kurir/mailbox/view.hh"

namespace kurir::mailbox {
namespace {

constexpr CoreIndex writer_core{0};
constexpr unsigned readers = 2;

void expect_whole(const Entry& entry) {
  const std::uint32_t uid = entry.uid().value;
  const NewMessage message = entry.describe();
  ASSERT_EQ(message.size, 100 + uid);
  ASSERT_EQ(message.internal_date, 1'700'000'000 + uid);
  ASSERT_EQ(message.content.offset, uid * 64);
  ASSERT_EQ(message.content.octets, 100 + uid);
  // The writer sets \Flagged and \Deleted together only.
  ASSERT_EQ((message.flags & flag::flagged) != 0, (message.flags & flag::deleted) != 0);
}

// Sequence numbers are dense, uids rise, every entry is whole.
void expect_consistent(const View& view) {
  std::uint32_t sequence = 0;
  std::uint32_t uid = 0;
  view.walk_sequences(std::vector<NumberRange>{{1, ~0u}}, [&](const Located& at) {
    ASSERT_EQ(at.sequence, ++sequence);
    ASSERT_GT(at.entry().uid().value, uid);
    uid = at.entry().uid().value;
    expect_whole(at.entry());
  });
  ASSERT_EQ(sequence, view.messages());
  if (sequence == 0) return;
  const std::uint32_t middle = (sequence + 1) / 2;
  const Located at = view.by_sequence(middle);
  ASSERT_EQ(view.by_uid(at.entry().uid()).sequence, middle);
}

// As STATUS reads: nothing pinned, no modseq looked at first. Only the turn keeps what is read
// here, and giving way in the middle lets the writer replace it.
void expect_readable_within_a_turn(const Mailbox& mailbox) {
  const Snapshot now = mailbox.snapshot();
  std::this_thread::yield();
  std::uint32_t sequence = 0;
  now.walk({1, ~0u}, [&](const Located& at) {
    ++sequence;
    if (sequence % 64 == 0) std::this_thread::yield();
    expect_whole(at.entry());
  });
  ASSERT_EQ(sequence, now.messages());
}

// A session that opens the mailbox and follows it, leaving and coming back now and then.
class Session {
 public:
  Session(Shared<Mailbox> mailbox, unsigned seed) : mailbox_(std::move(mailbox)), random_(seed) {
    open();
  }

  void turn() {
    const Expunges expunges = random_() % 4 == 0 ? Expunges::hold : Expunges::tell;
    const ModSeq told = view_->told();
    const Update update = view_->refresh(expunges);
    ASSERT_GE(view_->told(), told);
    for (const std::uint32_t sequence : update.expunged) {
      ASSERT_LE(sequence, uids_.size());
      uids_.erase(uids_.begin() + (sequence - 1));
    }
    if (update.exists) {
      for (auto n = static_cast<std::uint32_t>(uids_.size()) + 1; n <= view_->messages(); ++n)
        uids_.push_back(view_->by_sequence(n).entry().uid().value);
    }
    ASSERT_EQ(uids_.size(), view_->messages());
    for (std::uint32_t n = 1; n <= uids_.size(); n += 7)
      ASSERT_EQ(view_->by_sequence(n).entry().uid().value, uids_[n - 1]);
    view_->walk_flag_changes(update, [&](const Located& at) {
      ASSERT_GT(view_->flags(at).modseq, update.flags_after);
      expect_whole(at.entry());
    });
    expect_consistent(*view_);
    if (random_() % 16 == 0) open();
  }

 private:
  void open() {
    view_.emplace(mailbox_);
    uids_.clear();
    for (std::uint32_t n = 1; n <= view_->messages(); ++n)
      uids_.push_back(view_->by_sequence(n).entry().uid().value);
  }
  Shared<Mailbox> mailbox_;
  std::mt19937 random_;
  std::optional<View> view_;
  std::vector<std::uint32_t> uids_;
};

void change(Mailbox& mailbox, std::mt19937& random, RetireQueue& retired) {
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  const std::uint32_t next = mailbox.uid_next().value;
  const std::uint32_t first =
      next > 300 && below(8) != 0 ? next - 300 + below(300) : 1 + below(next);
  const NumberRange some{first, first + below(20)};
  switch (below(5)) {
    case 0:
    case 1:
      return append(mailbox, 1 + below(12), retired);
    case 2:
      edit_flags(mailbox, {some}, {.add = flag::flagged | flag::deleted});
      return;
    case 3:
      edit_flags(mailbox, {some}, {.add = flag::seen, .remove = flag::flagged | flag::deleted});
      return;
    default:
      expunge(mailbox, {{some.first, some.last + (below(20) == 0 ? 1000 : 0)}}, retired);
      return;
  }
}

TEST(SharedMailbox, readers_see_whole_entries_and_dense_numbers) {
  QuiescenceDomain domain(1 + readers);
  std::atomic<bool> stop = false;
  std::atomic<unsigned> turns[readers] = {};
  Shared<Mailbox> mailbox = Shared<Mailbox>::adopt(new Mailbox(MailboxId(1), UidValidity(1)));
  const auto read = [&](unsigned reader) {
    const CoreIndex core(static_cast<std::uint16_t>(1 + reader));
    domain.online(core);
    Session session(mailbox, reader);
    while (!stop.load(std::memory_order_relaxed) && !testing::Test::HasFatalFailure()) {
      session.turn();
      expect_readable_within_a_turn(*mailbox);
      turns[reader].fetch_add(1, std::memory_order_relaxed);
      domain.quiescent(core);
      if (turns[reader] % 32 == 0) {  // a sleep: the pin alone keeps the view
        domain.offline(core);
        std::this_thread::yield();
        domain.online(core);
      }
    }
    domain.offline(core);
  };
  std::vector<std::thread> threads;
  for (unsigned reader = 0; reader < readers; ++reader) threads.emplace_back(read, reader);
  {
    RetireQueue retired(domain);
    domain.online(writer_core);
    std::mt19937 random(1);
    // Changes go on for as long as readers read, or the readers would mostly see a mailbox at rest.
    const auto enough = [&] { return turns[0] > 300 && turns[1] > 300; };
    for (unsigned step = 0; step < 4'000'000 && !(step >= 4000 && enough()); ++step) {
      change(*mailbox, random, retired);
      if (mailbox->messages() > 1000)
        expunge(*mailbox, {{1, mailbox->uid_next().value - 400}}, retired);
      domain.quiescent(writer_core);
      retired.reclaim();
      if (step % 4 == 0) std::this_thread::yield();
    }
    EXPECT_TRUE(enough());
    stop = true;
    domain.offline(writer_core);
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(SharedMailbox, accounts_and_folders_are_read_while_they_change) {
  QuiescenceDomain domain(2);
  std::atomic<bool> stop = false;
  std::atomic<unsigned> found = 0;
  RetireQueue retired(domain);
  Accounts accounts(retired);
  constexpr WallTime now{1};
  std::thread reader([&] {
    domain.online(CoreIndex(1));
    for (std::uint64_t n = 1; !stop.load(std::memory_order_relaxed); n = n % 300 + 1) {
      if (Account* account = accounts.find(AccountId(n)); account != nullptr) {
        for (const Folder& folder : account->tree().folders) {
          ASSERT_FALSE(folder.name.empty());
          const Shared<Mailbox> held = folder.mailbox;
          ASSERT_NE(held->uid_validity(), UidValidity(0));
          for (const std::string& keyword : held->keywords().names) ASSERT_EQ(keyword, "$Key");
        }
        found.fetch_add(1, std::memory_order_relaxed);
      }
      domain.quiescent(CoreIndex(1));
    }
    domain.offline(CoreIndex(1));
  });
  domain.online(writer_core);
  for (std::uint64_t n = 1; n <= 300; ++n) {
    for (const Change& change : plan_account(AccountId(n), now))
      EXPECT_TRUE(accounts.apply(change));
    Account& account = *accounts.find(AccountId(n));
    EXPECT_TRUE(accounts.apply(*account.plan_create("A/B", SpecialUse::none, now)));
    EXPECT_TRUE(accounts.apply(
        KeywordAdded{AccountId(n), account.tree().find("A")->mailbox->id(), 0, "$Key"}));
    EXPECT_TRUE(accounts.apply(*account.plan_rename("A", "C", now)));
    EXPECT_TRUE(accounts.apply(*account.plan_delete("C/B")));
    if (n % 5 == 0) EXPECT_TRUE(accounts.apply(AccountDeleted{AccountId(n - 1)}));
    domain.quiescent(writer_core);
    retired.reclaim();
  }
  while (found.load() < 100 && !testing::Test::HasFailure()) std::this_thread::yield();
  stop = true;
  reader.join();
  domain.offline(writer_core);
}

TEST(SharedMailbox, structures_are_found_and_replaced_by_all_cores) {
  QuiescenceDomain domain(1 + readers);
  StructureCache cache(32 << 10);
  const auto use = [&](std::uint16_t index) {
    const CoreIndex core(index);
    RetireQueue retired(domain);
    domain.online(core);
    std::mt19937 random(index);
    for (int step = 0; step < 5000; ++step) {
      const store::RecordRef content{.segment = 1,
                                     .offset = static_cast<std::uint32_t>(random() % 200)};
      if (const CachedStructure* found = cache.find(content); found != nullptr) {
        EXPECT_EQ(found->envelope, std::to_string(content.offset));
        EXPECT_EQ(found->content, content);
      } else {
        auto made = std::make_unique<CachedStructure>();
        made->content = content;
        made->envelope = std::to_string(content.offset);
        made->body = std::string(random() % 1500, 'b');
        cache.add(std::move(made), retired);
      }
      domain.quiescent(core);
      retired.reclaim();
    }
    // The others may still read what this core retired: wait, passing turns, until all of it is
    // free.
    while (retired.waiting() != 0) {
      domain.quiescent(core);
      retired.reclaim();
      std::this_thread::yield();
    }
    domain.offline(core);
  };
  std::vector<std::thread> threads;
  for (std::uint16_t index = 0; index < 1 + readers; ++index) threads.emplace_back(use, index);
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(cache.octets(), std::size_t{32} << 10);
}

}  // namespace
}  // namespace kurir::mailbox
