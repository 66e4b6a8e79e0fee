#include "kurir/mailbox/mailbox.hh"

#include <gtest/gtest.h>

#include "fixture.hh"
#include "kurir/base/limits.hh"

namespace kurir::mailbox {
namespace {

struct MailboxTest : testing::Test {
  OneCore core;
  Mailbox mailbox{MailboxId(1), UidValidity(7)};

  std::vector<std::uint32_t> uids() const {
    std::vector<std::uint32_t> all;
    mailbox.snapshot().walk({1, ~0u},
                            [&](const Located& at) { all.push_back(at.entry().uid().value); });
    return all;
  }
};

TEST_F(MailboxTest, an_empty_mailbox_answers_all_questions) {
  EXPECT_EQ(mailbox.messages(), 0u);
  EXPECT_EQ(mailbox.uid_next(), Uid(1));
  EXPECT_EQ(mailbox.first_unseen(), Uid(0));
  EXPECT_FALSE(mailbox.snapshot().by_sequence(1));
  EXPECT_FALSE(mailbox.snapshot().by_uid(Uid(1)));
  EXPECT_TRUE(uids().empty());
  EXPECT_EQ(expunge(mailbox, {{1, 10}}, core.retired).messages, 0u);
  EXPECT_EQ(edit_flags(mailbox, {{1, 10}}, {.add = flag::seen}).changed, 0u);
}

TEST_F(MailboxTest, entries_keep_what_was_appended) {
  std::vector<NewMessage> messages = fresh_messages(mailbox, 2, flag::flagged | flag::keyword(3));
  messages[1].origin = QueueId(99);
  messages[1].ordinal = 4;
  messages[1].prefix_octets = 80;
  messages[1].content = {.segment = (1u << 30) - 1,
                         .offset = ~0u,
                         .octets = 9,
                         .shard = 12,
                         .stream = store::StreamKind::spool};
  mailbox.append(messages, core.retired);
  const Snapshot now = mailbox.snapshot();
  EXPECT_EQ(now.by_sequence(1).entry().describe(), messages[0]);
  EXPECT_EQ(now.by_sequence(2).entry().describe(), messages[1]);
}

TEST_F(MailboxTest, sequence_numbers_and_uids_agree_over_many_chunks) {
  for (std::uint32_t n = 0; n < 3000; ++n) append(mailbox, 1 + n % 3, core.retired);
  const Snapshot now = mailbox.snapshot();
  ASSERT_EQ(now.messages(), 6000u);
  for (std::uint32_t n = 1; n <= now.messages(); ++n) {
    const Located at = now.by_sequence(n);
    ASSERT_EQ(at.sequence, n);
    ASSERT_EQ(at.entry().uid(), Uid(n));
    ASSERT_EQ(now.by_uid(Uid(n)).sequence, n);
  }
  EXPECT_FALSE(now.by_uid(Uid(6001)));
  EXPECT_FALSE(now.by_uid(Uid(0)));
}

TEST_F(MailboxTest, gaps_between_uids_are_found_around) {
  for (std::uint32_t n = 0; n < 100; ++n) {
    append(mailbox, 1, core.retired);
    ASSERT_TRUE(mailbox.reserve_uids(n % 5));  // lost, as after a failed commit
  }
  const Snapshot now = mailbox.snapshot();
  std::uint32_t live = 0;
  for (std::uint32_t uid = 1; uid < mailbox.uid_next().value + 10; ++uid) {
    EXPECT_EQ(now.live_below(uid), live);
    const Located at = now.by_uid(Uid(uid));
    if (at) EXPECT_EQ(at.sequence, ++live);
  }
  EXPECT_EQ(live, 100u);
}

TEST_F(MailboxTest, a_small_mailbox_takes_a_small_chunk) {
  append(mailbox, 1, core.retired);
  EXPECT_EQ(mailbox.snapshot().rows()[0].chunk->capacity(), limits::mailbox_chunk_entries_min);
  append(mailbox, 5000, core.retired);
  EXPECT_EQ(mailbox.snapshot().rows().back().chunk->capacity(), limits::mailbox_chunk_entries_max);
}

TEST_F(MailboxTest, expunging_renumbers_and_drops_whole_chunks) {
  append(mailbox, 5000, core.retired);
  const std::size_t rows = mailbox.snapshot().rows().size();
  const Removed removed = expunge(mailbox, {{2, 2}, {1500, 4500}}, core.retired);
  EXPECT_EQ(removed.messages, 3002u);
  EXPECT_EQ(mailbox.messages(), 1998u);
  EXPECT_LT(mailbox.snapshot().rows().size(), rows);
  const Snapshot now = mailbox.snapshot();
  EXPECT_EQ(now.by_sequence(1).entry().uid(), Uid(1));
  EXPECT_EQ(now.by_sequence(2).entry().uid(), Uid(3));
  EXPECT_EQ(now.by_uid(Uid(4501)).sequence, 1499u);
  EXPECT_FALSE(now.by_uid(Uid(2000)));
  EXPECT_EQ(now.sequences_of({2, 2}), (NumberRange{1, 0}));
  EXPECT_EQ(now.sequences_of({1, ~0u}), (NumberRange{1, 1998}));
}

TEST_F(MailboxTest, an_emptied_mailbox_holds_no_chunk_and_fills_again) {
  append(mailbox, 10, core.retired);
  expunge(mailbox, {{1, 10}}, core.retired);
  EXPECT_EQ(mailbox.snapshot().rows().size(), 0u);
  EXPECT_EQ(mailbox.octets(), 0u);
  append(mailbox, 2, core.retired);
  EXPECT_EQ(uids(), (std::vector<std::uint32_t>{11, 12}));
}

TEST_F(MailboxTest, a_pin_keeps_its_version_and_its_count) {
  append(mailbox, 3, core.retired);
  const Shared<const Version> pin = mailbox.pin();
  const Snapshot before(pin.get());
  append(mailbox, 1, core.retired);
  expunge(mailbox, {{2, 2}}, core.retired);
  append(mailbox, 100, core.retired);
  EXPECT_EQ(before.messages(), 3u);
  EXPECT_EQ(before.by_sequence(2).entry().uid(), Uid(2));
}

TEST_F(MailboxTest, flags_change_only_where_they_differ) {
  append(mailbox, 4, core.retired);
  edit_flags(mailbox, {{2, 2}}, {.add = flag::seen | flag::flagged});
  const ModSeq before = mailbox.highest_modseq();
  EXPECT_EQ(edit_flags(mailbox, {{1, 4}}, {.add = flag::seen}).changed, 3u);
  const Snapshot now = mailbox.snapshot();
  EXPECT_EQ(now.by_uid(Uid(2)).entry().modseq(), before);
  EXPECT_EQ(now.by_uid(Uid(1)).entry().modseq(), mailbox.highest_modseq());
  EXPECT_EQ(edit_flags(mailbox, {{2, 2}}, FlagsEdit::replace(flag::draft)).changed, 1u);
  EXPECT_EQ(now.by_uid(Uid(2)).entry().flags(), flag::draft);
  const ModSeq highest = mailbox.highest_modseq();
  EXPECT_EQ(edit_flags(mailbox, {{2, 2}}, {.remove = flag::answered}).changed, 0u);
  EXPECT_EQ(mailbox.highest_modseq(), highest);
}

TEST_F(MailboxTest, unchanged_since_leaves_newer_messages_alone) {
  append(mailbox, 3, core.retired);
  const ModSeq known = mailbox.highest_modseq();
  edit_flags(mailbox, {{2, 2}}, {.add = flag::answered});
  const FlagsOutcome outcome = edit_flags(mailbox, {{1, 3}}, {.add = flag::deleted}, known);
  EXPECT_EQ(outcome.changed, 2u);
  EXPECT_EQ(outcome.modified, std::vector<Uid>{Uid(2)});
  EXPECT_EQ(mailbox.deleted(), 2u);
}

TEST_F(MailboxTest, counters_follow_flags_and_expunges) {
  append(mailbox, 3000, core.retired);
  EXPECT_EQ(mailbox.unseen(), 3000u);
  EXPECT_EQ(mailbox.first_unseen(), Uid(1));
  edit_flags(mailbox, {{1, 2500}}, {.add = flag::seen});
  EXPECT_EQ(mailbox.unseen(), 500u);
  EXPECT_EQ(mailbox.first_unseen(), Uid(2501));
  expunge(mailbox, {{2501, 2510}}, core.retired);
  EXPECT_EQ(mailbox.first_unseen(), Uid(2511));
  edit_flags(mailbox, {{30, 31}}, {.add = flag::deleted, .remove = flag::seen});
  EXPECT_EQ(mailbox.first_unseen(), Uid(30));
  EXPECT_EQ(mailbox.deleted(), 2u);
  expunge(mailbox, {{30, 30}}, core.retired);
  EXPECT_EQ(mailbox.deleted(), 1u);
  EXPECT_EQ(mailbox.first_unseen(), Uid(31));
  expunge(mailbox, {{31, 3000}}, core.retired);
  EXPECT_EQ(mailbox.unseen(), 0u);
  EXPECT_EQ(mailbox.deleted(), 0u);
  EXPECT_EQ(mailbox.first_unseen(), Uid(0));
  EXPECT_EQ(mailbox.octets(), 29u * 100 + 29 * 30 / 2);
}

TEST_F(MailboxTest, keywords_are_found_in_any_case) {
  mailbox.add_keyword("$Forwarded", core.retired);
  mailbox.add_keyword("Todo", core.retired);
  EXPECT_EQ(mailbox.keywords().find("todo"), 1u);
  EXPECT_EQ(mailbox.keywords().find("$FORWARDED"), 0u);
  EXPECT_FALSE(mailbox.keywords().find("$Junk"));
}

TEST_F(MailboxTest, uids_run_out_before_they_wrap) {
  mailbox.restore(Uid(~0u - 2), ModSeq(5));
  EXPECT_EQ(mailbox.reserve_uids(3).error().code, Errc::exhausted);
  append(mailbox, 2, core.retired);
  EXPECT_EQ(mailbox.uid_next(), Uid(~0u));
  EXPECT_EQ(mailbox.reserve_uids(1).error().code, Errc::exhausted);
  EXPECT_TRUE(mailbox.snapshot().by_uid(Uid(~0u - 1)));
  EXPECT_EQ(mailbox.snapshot().sequences_of({1, ~0u}), (NumberRange{1, 2}));
}

TEST_F(MailboxTest, recent_is_claimed_once) {
  append(mailbox, 3, core.retired);
  EXPECT_EQ(mailbox.claim_recent(), Uid(1));
  append(mailbox, 1, core.retired);
  EXPECT_EQ(mailbox.claim_recent(), Uid(4));
  EXPECT_EQ(mailbox.claim_recent(), Uid(5));
}

TEST_F(MailboxTest, content_moves_within_its_shard) {
  append(mailbox, 1, core.retired);
  store::RecordRef to = mailbox.snapshot().by_uid(Uid(1)).entry().content();
  to.segment = 77;
  to.offset = 4096;
  mailbox.move_content(Uid(1), to);
  mailbox.move_content(Uid(2), to);  // expunged meanwhile
  EXPECT_EQ(mailbox.snapshot().by_uid(Uid(1)).entry().content(), to);
}

}  // namespace
}  // namespace kurir::mailbox
