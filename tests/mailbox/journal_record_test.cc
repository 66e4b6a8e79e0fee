#include "kurir/mailbox/journal_record.hh"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

namespace kurir::mailbox {
namespace {

constexpr AccountId account{0x0102030405060708};
constexpr MailboxId mailbox{0x1112};

const NewMessage message{.uid = Uid(7),
                         .flags = flag::seen | flag::draft | flag::keyword(0),
                         .modseq = ModSeq(0x2122),
                         .internal_date = -1,
                         .content = {.segment = 0x31,
                                     .offset = 0x32333435,
                                     .octets = 0x36,
                                     .shard = 0x37,
                                     .stream = store::StreamKind::mail},
                         .origin = QueueId(0x41424344),
                         .size = 0x51,
                         .ordinal = 0x61,
                         .prefix_octets = 0x71};

// One change of each kind, by the name of its golden file.
std::map<std::string, Change> one_of_each() {
  NewMessage second = message;
  second.uid = Uid(9);
  const NewFolder inbox{
      .id = MailboxId(1), .validity = UidValidity(2), .use = SpecialUse::none, .name = "INBOX"};
  const NewFolder name{.id = {}, .validity = {}, .use = SpecialUse::none, .name = "a/\xc3\xbc"};
  const NewFolder junk{
      .id = MailboxId(3), .validity = UidValidity(4), .use = SpecialUse::junk, .name = "Junk"};
  return {
      {"account_created", AccountCreated{account, MailboxId(5), UidValidity(6), {inbox, name}}},
      {"account_deleted", AccountDeleted{account}},
      {"folders_created", FoldersCreated{account, {junk}}},
      {"folder_deleted", FolderDeleted{account, mailbox}},
      {"folder_renamed", FolderRenamed{account, "INBOX", "Old/Mail", {inbox}}},
      {"subscription_changed", SubscriptionChanged{account, true, "Sent"}},
      {"appended", Appended{account, mailbox, {message, second}}},
      {"flags_changed", FlagsChanged{account,
                                     mailbox,
                                     ModSeq(8),
                                     any_modseq,
                                     FlagsEdit::replace(flag::flagged),
                                     {{1, 3}, {9, ~0u}}}},
      {"keyword_added", KeywordAdded{account, mailbox, 2, "$Junk"}},
      {"expunged", Expunged{account, mailbox, ModSeq(9), {{4, 4}}}},
      {"content_moved", ContentMoved{account, mailbox, {{Uid(7), message.content}}}},
      {"mailbox_restored", MailboxRestored{account, mailbox, Uid(10), ModSeq(11)}},
  };
}

std::string encoded(const Change& change) {
  std::string octets;
  encode(change, octets);
  return octets;
}

std::string hex(std::string_view octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t n = 0; n < octets.size(); ++n) {
    const auto octet = static_cast<unsigned char>(octets[n]);
    text += digits[octet >> 4];
    text += digits[octet & 15];
    text += n % 32 == 31 || n + 1 == octets.size() ? '\n' : ' ';
  }
  return text;
}

TEST(JournalRecord, covers_every_kind) {
  EXPECT_EQ(one_of_each().size(), std::variant_size_v<Change>);
}

TEST(JournalRecord, has_the_octets_of_its_golden_file) {
  for (const auto& [name, change] : one_of_each()) {
    std::ifstream file(std::string(KURIR_GOLDEN) + "/" + name + ".hex");
    std::ostringstream golden;
    golden << file.rdbuf();
    EXPECT_EQ(hex(encoded(change)), golden.str()) << name;
  }
}

TEST(JournalRecord, reads_back_what_was_written) {
  std::string all;
  std::vector<Change> changes;
  for (const auto& [name, change] : one_of_each()) {
    const Result<std::vector<Change>> decoded = decode(encoded(change));
    ASSERT_TRUE(decoded) << name;
    EXPECT_EQ(*decoded, std::vector<Change>{change}) << name;
    encode(change, all);
    changes.push_back(change);
  }
  const Result<std::vector<Change>> decoded = decode(all);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, changes);
  EXPECT_TRUE(decode("")->empty());
}

TEST(JournalRecord, is_refused_when_cut_anywhere) {
  for (const auto& [name, change] : one_of_each()) {
    const std::string whole = encoded(change);
    for (std::size_t size = 1; size < whole.size(); ++size) {
      const std::string cut = whole.substr(0, size);
      EXPECT_FALSE(decode(cut)) << name << " cut at " << size;
      // With a length that agrees, so that the fields themselves run short.
      if (size < 8) continue;
      std::string shorter = cut;
      const auto length = static_cast<std::uint32_t>(size - 8);
      std::memcpy(shorter.data() + 4, &length, 4);
      EXPECT_FALSE(decode(shorter)) << name << " cut at " << size;
    }
  }
}

// The store's checksum finds flipped bits; here they must do no harm, and nothing may be read in
// two ways.
TEST(JournalRecord, with_a_bit_flipped_is_refused_or_another_exact_record) {
  for (const auto& [name, change] : one_of_each()) {
    const std::string whole = encoded(change);
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      std::string flipped = whole;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
      const Result<std::vector<Change>> decoded = decode(flipped);
      if (!decoded) continue;
      std::string again;
      for (const Change& each : *decoded) encode(each, again);
      EXPECT_EQ(again, flipped) << name << " bit " << bit;
      EXPECT_NE(*decoded, std::vector<Change>{change}) << name << " bit " << bit;
    }
  }
}

TEST(JournalRecord, of_an_unknown_kind_or_version_is_not_skipped) {
  std::string octets = encoded(AccountDeleted{account});
  octets[0] = 13;
  EXPECT_EQ(decode(octets).error().code, Errc::unsupported);
  octets[0] = 0;
  EXPECT_EQ(decode(octets).error().code, Errc::unsupported);
  octets[0] = 2;
  octets[1] = 2;
  EXPECT_EQ(decode(octets).error().code, Errc::unsupported);
}

TEST(JournalRecord, does_not_take_memory_by_an_announced_count) {
  std::string octets = encoded(Appended{account, mailbox, {}});
  octets.replace(octets.size() - 4, 4, "\xff\xff\xff\xff");
  EXPECT_EQ(decode(octets).error().code, Errc::corrupt);
}

TEST(JournalRecord, refuses_sets_that_are_not_in_order) {
  EXPECT_FALSE(decode(encoded(Expunged{account, mailbox, ModSeq(1), {{5, 6}, {6, 7}}})));
  EXPECT_FALSE(decode(encoded(Expunged{account, mailbox, ModSeq(1), {{5, 4}}})));
  EXPECT_FALSE(decode(encoded(Expunged{account, mailbox, ModSeq(1), {{0, 4}}})));
  EXPECT_FALSE(decode(encoded(Appended{account, mailbox, {message, message}})));
}

}  // namespace
}  // namespace kurir::mailbox
