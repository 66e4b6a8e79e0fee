#include "kurir/mailbox/view.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "fixture.hh"

namespace kurir::mailbox {
namespace {

struct ViewTest : testing::Test {
  OneCore core;
  Shared<Mailbox> mailbox = Shared<Mailbox>::adopt(new Mailbox(MailboxId(1), UidValidity(7)));

  static std::vector<std::uint32_t> flag_news(const View& view, const Update& update) {
    std::vector<std::uint32_t> sequences;
    view.walk_flag_changes(update, [&](const Located& at) { sequences.push_back(at.sequence); });
    return sequences;
  }
};

using Numbers = std::vector<std::uint32_t>;

TEST_F(ViewTest, nothing_new_is_an_empty_update) {
  append(*mailbox, 3, core.retired);
  View view(mailbox);
  EXPECT_EQ(view.messages(), 3u);
  EXPECT_TRUE(view.refresh(Expunges::tell).empty());
}

TEST_F(ViewTest, new_messages_are_an_exists_and_no_flag_news) {
  View view(mailbox);
  append(*mailbox, 2, core.retired);
  EXPECT_EQ(view.messages(), 0u);
  const Update update = view.refresh(Expunges::hold);
  EXPECT_EQ(update.exists, 2u);
  EXPECT_TRUE(flag_news(view, update).empty());
  EXPECT_EQ(view.uid_last(), Uid(2));
}

TEST_F(ViewTest, expunges_are_told_from_the_greatest_down) {
  append(*mailbox, 10, core.retired);
  View view(mailbox);
  expunge(*mailbox, {{2, 3}, {9, 9}}, core.retired);
  append(*mailbox, 1, core.retired);
  const Update update = view.refresh(Expunges::tell);
  EXPECT_EQ(update.expunged, (Numbers{9, 3, 2}));
  EXPECT_EQ(update.vanished, (std::vector<NumberRange>{{2, 3}, {9, 9}}));
  EXPECT_EQ(update.exists, 8u);
}

TEST_F(ViewTest, held_expunges_keep_numbers_while_flags_are_told) {
  append(*mailbox, 5, core.retired);
  View view(mailbox);
  const ModSeq told = view.told();
  expunge(*mailbox, {{1, 1}}, core.retired);
  append(*mailbox, 1, core.retired);
  edit_flags(*mailbox, {{3, 3}}, {.add = flag::flagged});
  const Update held = view.refresh(Expunges::hold);
  EXPECT_TRUE(held.expunged.empty());
  EXPECT_FALSE(held.exists);
  EXPECT_EQ(flag_news(view, held), (Numbers{3}));
  EXPECT_EQ(view.by_sequence(1).entry().uid(), Uid(1));
  EXPECT_EQ(view.told(), told);  // a client that leaves now must hear of the expunge later
  EXPECT_TRUE(view.refresh(Expunges::hold).empty());

  const Update told_all = view.refresh(Expunges::tell);
  EXPECT_EQ(told_all.expunged, (Numbers{1}));
  EXPECT_EQ(told_all.exists, 5u);
  EXPECT_TRUE(flag_news(view, told_all).empty());
  EXPECT_EQ(view.told(), mailbox->highest_modseq());
}

TEST_F(ViewTest, an_emptied_mailbox_tells_every_message) {
  append(*mailbox, 3, core.retired);
  View view(mailbox);
  expunge(*mailbox, {{1, 3}}, core.retired);
  EXPECT_EQ(view.refresh(Expunges::tell).expunged, (Numbers{3, 2, 1}));
  EXPECT_EQ(view.messages(), 0u);
  append(*mailbox, 2, core.retired);
  EXPECT_EQ(view.refresh(Expunges::tell).exists, 2u);
}

TEST_F(ViewTest, own_flag_changes_are_not_told_again) {
  append(*mailbox, 3, core.retired);
  View view(mailbox);
  edit_flags(*mailbox, {{2, 2}}, {.add = flag::seen});
  view.told_own_flags(mailbox->highest_modseq());
  EXPECT_TRUE(view.refresh(Expunges::tell).empty());
  edit_flags(*mailbox, {{1, 1}}, {.add = flag::seen});  // another session's
  edit_flags(*mailbox, {{2, 2}}, {.add = flag::flagged});
  view.told_own_flags(mailbox->highest_modseq());
  const Update update = view.refresh(Expunges::tell);
  EXPECT_EQ(flag_news(view, update), (Numbers{1, 2}));
}

TEST_F(ViewTest, first_unseen_is_a_sequence_number) {
  append(*mailbox, 5, core.retired);
  edit_flags(*mailbox, {{1, 3}}, {.add = flag::seen});
  expunge(*mailbox, {{1, 1}}, core.retired);
  EXPECT_EQ(View(mailbox).first_unseen(), 3u);
  edit_flags(*mailbox, {{4, 5}}, {.add = flag::seen});
  EXPECT_EQ(View(mailbox).first_unseen(), 0u);
}

TEST_F(ViewTest, missing_uids_are_those_that_exist_no_more) {
  append(*mailbox, 10, core.retired);
  expunge(*mailbox, {{1, 1}, {4, 5}, {10, 10}}, core.retired);
  const View view(mailbox);
  const std::vector<NumberRange> known{{1, 2}, {4, 6}, {9, ~0u}};
  EXPECT_EQ(view.missing(known), (std::vector<NumberRange>{{1, 1}, {4, 5}, {10, ~0u}}));
}

TEST_F(ViewTest, changes_since_a_modseq_are_found_across_chunks) {
  append(*mailbox, 3000, core.retired);
  const ModSeq before = mailbox->highest_modseq();
  edit_flags(*mailbox, {{5, 5}, {2900, 2901}}, {.add = flag::seen});
  expunge(*mailbox, {{2900, 2900}}, core.retired);
  Numbers uids;
  View(mailbox).walk_changed_since(
      before, [&](const Located& at) { uids.push_back(at.entry().uid().value); });
  EXPECT_EQ(uids, (Numbers{5, 2901}));
}

// What a client knows, kept up to date from nothing but updates.
struct Client {
  Numbers uids;
  std::vector<FlagWord> flags;

  void fetch_from(const View& view, std::size_t first) {
    for (std::size_t n = first; n <= view.messages(); ++n) {
      const Located at = view.by_sequence(static_cast<std::uint32_t>(n));
      uids.push_back(at.entry().uid().value);
      flags.push_back(view.flags(at).flags);
    }
  }
  void follow(const View& view, const Update& update) {
    for (const std::uint32_t sequence : update.expunged) {
      ASSERT_LE(sequence, uids.size());
      uids.erase(uids.begin() + (sequence - 1));
      flags.erase(flags.begin() + (sequence - 1));
    }
    if (update.exists) fetch_from(view, uids.size() + 1);
    view.walk_flag_changes(
        update, [&](const Located& at) { flags.at(at.sequence - 1) = view.flags(at).flags; });
  }
};

struct RandomViewTest : ViewTest, testing::WithParamInterface<unsigned> {
  std::mt19937 random{GetParam()};
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); }

  void change() {
    const std::uint32_t next = mailbox->uid_next().value;
    const std::uint32_t first = 1 + below(next);
    const NumberRange some{first, first + below(below(4) == 0 ? 400 : 4)};
    switch (below(4)) {
      case 0:
        return append(*mailbox, 1 + below(below(8) == 0 ? 300 : 5), core.retired);
      case 1:
        edit_flags(*mailbox, {some}, {.add = FlagWord{1} << below(5)});
        return;
      case 2:
        edit_flags(*mailbox, {some}, FlagsEdit::replace(below(32)));
        return;
      default:
        expunge(*mailbox, {some}, core.retired);
        return;
    }
  }
};

TEST_P(RandomViewTest, a_client_that_follows_updates_knows_the_mailbox) {
  View view(mailbox);
  Client client;
  for (int round = 0; round < 400; ++round) {
    for (std::uint32_t n = below(5); n > 0; --n) change();
    const Expunges expunges = below(3) == 0 ? Expunges::hold : Expunges::tell;
    const Update update = view.refresh(expunges);
    client.follow(view, update);
    ASSERT_EQ(client.uids.size(), view.messages());
    if (expunges == Expunges::hold) continue;
    const Snapshot now = mailbox->snapshot();
    ASSERT_EQ(now.messages(), client.uids.size());
    std::uint32_t unseen = 0;
    for (std::uint32_t n = 1; n <= now.messages(); ++n) {
      const Located at = now.by_sequence(n);
      ASSERT_EQ(at.entry().uid().value, client.uids[n - 1]);
      ASSERT_EQ(at.entry().flags(), client.flags[n - 1]) << "uid " << at.entry().uid().value;
      unseen += (at.entry().flags() & flag::seen) == 0 ? 1 : 0;
    }
    ASSERT_EQ(mailbox->unseen(), unseen);
    const auto first =
        std::ranges::find_if(client.flags, [](FlagWord f) { return (f & flag::seen) == 0; });
    ASSERT_EQ(view.first_unseen(),
              first == client.flags.end() ? 0 : first - client.flags.begin() + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(seeds, RandomViewTest, testing::Range(1u, 21u));

}  // namespace
}  // namespace kurir::mailbox
