#include "kurir/wire/imap_response.hh"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace kurir::wire {
namespace {

using namespace std::chrono;

constexpr std::string_view keywords[] = {"$Junk", "", "work"};
constexpr FlagWord some_flags = flag::seen | flag::draft | flag::keyword(0) | flag::keyword(2);

std::string written(const std::function<void(ImapWriter&)>& write,
                    ImapNameEncoding encoding = ImapNameEncoding::modified_utf7) {
  std::string out;
  ImapWriter writer(out, encoding);
  write(writer);
  return out;
}

TEST(ImapWriter, strings_take_the_plainest_form_that_holds_them) {
  const struct {
    std::string octets;
    std::string as_string;
    std::string as_astring;
  } rows[] = {
      {"abc", "\"abc\"", "abc"},
      {"", "\"\"", "\"\""},
      {"a b", "\"a b\"", "\"a b\""},
      {"nil", "\"nil\"", "\"nil\""},
      {"a]", "\"a]\"", "a]"},
      {"a\"\\", "\"a\\\"\\\\\"", "\"a\\\"\\\\\""},
      {"a\r\nb", "{4}\r\na\r\nb", "{4}\r\na\r\nb"},
      {"\xC3\xA9", "{2}\r\n\xC3\xA9", "{2}\r\n\xC3\xA9"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(written([&](ImapWriter& w) { w.string(row.octets); }), row.as_string);
    EXPECT_EQ(written([&](ImapWriter& w) { w.astring(row.octets); }), row.as_astring);
  }
  const auto accent = [](ImapWriter& w) {
    w.string("\xC3\xA9").nstring(std::nullopt).string("\xC3");
  };
  EXPECT_EQ(written(accent, ImapNameEncoding::utf8), "\"\xC3\xA9\"NIL{1}\r\n\xC3");
}

TEST(ImapWriter, conditions_and_codes) {
  using enum ImapCondition;
  NumberSet uids;
  uids.add({4, 6});
  NumberSet others;
  others.add({1, 2});
  others.add(9);
  const std::string_view charsets[] = {"UTF-8", "US-ASCII"};
  const struct {
    std::string code;
    std::string_view line;
  } rows[] = {
      {std::string(imap_code::none), "a NO text\r\n"},
      {std::string(imap_code::read_only), "a NO [READ-ONLY] text\r\n"},
      {imap_code::uid_validity(UidValidity(7)), "a NO [UIDVALIDITY 7] text\r\n"},
      {imap_code::uid_next(Uid(8)), "a NO [UIDNEXT 8] text\r\n"},
      {imap_code::highest_modseq(ModSeq(9)), "a NO [HIGHESTMODSEQ 9] text\r\n"},
      {imap_code::unseen(3), "a NO [UNSEEN 3] text\r\n"},
      {imap_code::append_limit(10), "a NO [APPENDLIMIT 10] text\r\n"},
      {imap_code::append_uid(UidValidity(7), uids), "a NO [APPENDUID 7 4:6] text\r\n"},
      {imap_code::copy_uid(UidValidity(7), uids, others), "a NO [COPYUID 7 4:6 1:2,9] text\r\n"},
      {imap_code::modified(others), "a NO [MODIFIED 1:2,9] text\r\n"},
      {imap_code::bad_charset(charsets), "a NO [BADCHARSET (UTF-8 US-ASCII)] text\r\n"},
      {imap_code::capability(charsets), "a NO [CAPABILITY UTF-8 US-ASCII] text\r\n"},
      {imap_code::mailbox_id("F1"), "a NO [MAILBOXID (F1)] text\r\n"},
      {imap_code::permanent_flags(some_flags, keywords, true),
       "a NO [PERMANENTFLAGS (\\Seen \\Draft $Junk work \\*)] text\r\n"},
      {imap_code::permanent_flags(0, {}, true), "a NO [PERMANENTFLAGS (\\*)] text\r\n"},
      {imap_code::permanent_flags(0, {}, false), "a NO [PERMANENTFLAGS ()] text\r\n"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(written([&](ImapWriter& w) { w.condition("a", no, row.code, "text"); }), row.line);
  }
  EXPECT_EQ(written([](ImapWriter& w) { w.condition("", bye, {}, "x\r\na OK\x01"); }),
            "* BYE x??a OK?\r\n");
  EXPECT_EQ(written([](ImapWriter& w) { w.fault({ImapSyntax::bad_date, "t"}); }),
            "t BAD Malformed date\r\n");
  EXPECT_EQ(written([](ImapWriter& w) { w.fault({ImapSyntax::bad_tag}); }),
            "* BAD Command must begin with a tag\r\n");
}

TEST(ImapWriter, lines) {
  NumberSet set;
  set.add(2);
  set.add({10, 12});
  const std::string_view names[] = {"IMAP4rev2", "IDLE"};
  const std::pair<std::string_view, std::string_view> ids[] = {{"name", "Kurir"}, {"version", "1"}};
  const ImapQuotaResource resources[] = {{"STORAGE", 10, 512}, {"MESSAGE", 1, 2}};
  const struct {
    std::function<void(ImapWriter&)> write;
    std::string_view line;
  } rows[] = {
      {[&](ImapWriter& w) { w.capability(names); }, "* CAPABILITY IMAP4rev2 IDLE\r\n"},
      {[&](ImapWriter& w) { w.enabled({}); }, "* ENABLED\r\n"},
      {[&](ImapWriter& w) { w.exists(5); }, "* 5 EXISTS\r\n"},
      {[&](ImapWriter& w) { w.recent(0); }, "* 0 RECENT\r\n"},
      {[&](ImapWriter& w) { w.expunge(4294967295); }, "* 4294967295 EXPUNGE\r\n"},
      {[&](ImapWriter& w) { w.vanished(set, true); }, "* VANISHED (EARLIER) 2,10:12\r\n"},
      {[&](ImapWriter& w) { w.vanished({}, false); }, ""},
      {[&](ImapWriter& w) { w.flags_line(some_flags, keywords); },
       "* FLAGS (\\Seen \\Draft $Junk work)\r\n"},
      {[&](ImapWriter& w) { w.search(set, std::nullopt); }, "* SEARCH 2 10 11 12\r\n"},
      {[&](ImapWriter& w) { w.search(set, ModSeq(5)); }, "* SEARCH 2 10 11 12 (MODSEQ 5)\r\n"},
      {[&](ImapWriter& w) { w.search({}, ModSeq(5)); }, "* SEARCH\r\n"},
      {[&](ImapWriter& w) {
         w.esearch({.tag = "a",
                    .numbering = ImapNumbering::uid,
                    .min = 2,
                    .max = 12,
                    .all = &set,
                    .count = 4});
       },
       "* ESEARCH (TAG \"a\") UID MIN 2 MAX 12 ALL 2,10:12 COUNT 4\r\n"},
      {[&](ImapWriter& w) {
         const NumberSet none;
         w.esearch({.tag = "a", .all = &none, .count = 0, .modseq = ModSeq(6)});
       },
       "* ESEARCH (TAG \"a\") COUNT 0 MODSEQ 6\r\n"},
      {[&](ImapWriter& w) { w.personal_namespace(); }, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n"},
      {[&](ImapWriter& w) { w.id(ids); }, "* ID (\"name\" \"Kurir\" \"version\" \"1\")\r\n"},
      {[&](ImapWriter& w) { w.id({}); }, "* ID NIL\r\n"},
      {[&](ImapWriter& w) { w.quota("", resources); },
       "* QUOTA \"\" (STORAGE 10 512 MESSAGE 1 2)\r\n"},
      {[&](ImapWriter& w) { w.quota_root("INBOX", ""); }, "* QUOTAROOT INBOX \"\"\r\n"},
      {[&](ImapWriter& w) { w.continuation("idling"); }, "+ idling\r\n"},
  };
  for (const auto& row : rows) EXPECT_EQ(written(row.write), row.line);
}

TEST(ImapWriter, list_and_status) {
  using namespace mailbox_attribute;
  const ImapListEntry entry{
      .name = "a&\xC3\xA9", .attributes = has_no_children | subscribed, .use = special_use::sent};
  const auto list = [&](ImapWriter& w) { w.list(entry); };
  EXPECT_EQ(written(list), "* LIST (\\HasNoChildren \\Subscribed \\Sent) \"/\" a&-&AOk-\r\n");
  EXPECT_EQ(written(list, ImapNameEncoding::utf8),
            "* LIST (\\HasNoChildren \\Subscribed \\Sent) \"/\" \"a&\xC3\xA9\"\r\n");
  EXPECT_EQ(written([](ImapWriter& w) {
              w.list({.name = "x y", .subscribed_children = true, .old_name = "z"});
              w.lsub({.name = "x", .attributes = no_select});
            }),
            "* LIST () \"/\" \"x y\" (\"CHILDINFO\" (\"SUBSCRIBED\") \"OLDNAME\" (z))\r\n"
            "* LSUB (\\Noselect) \"/\" x\r\n");
  const ImapMailboxStatus status{.messages = 1,
                                 .recent = 2,
                                 .uid_next = Uid(3),
                                 .uid_validity = UidValidity(4),
                                 .unseen = 5,
                                 .deleted = 6,
                                 .size = 7,
                                 .highest_modseq = ModSeq(8),
                                 .mailbox_id = "M9"};
  EXPECT_EQ(written([&](ImapWriter& w) { w.status("x", 0x3FF, status); }),
            "* STATUS x (MESSAGES 1 RECENT 2 UIDNEXT 3 UIDVALIDITY 4 UNSEEN 5 DELETED 6 SIZE 7 "
            "HIGHESTMODSEQ 8 MAILBOXID (M9) APPENDLIMIT NIL)\r\n");
  EXPECT_EQ(written([&](ImapWriter& w) { w.status("x", status::unseen, status); }),
            "* STATUS x (UNSEEN 5)\r\n");
}

TEST(ImapWriter, fetch_lines) {
  const FetchSection whole{.form = SectionForm::binary, .part = {1}};
  const FetchSection missing{.part = {9}, .text = SectionText::mime};
  const FetchSection sized{.form = SectionForm::binary_size, .part = {2}};
  const auto write = [&](ImapWriter& w) {
    ImapFetchWriter fetch(w, 12);
    fetch.uid(Uid(3));
    fetch.flags(some_flags, keywords);
    fetch.internal_date({760168345, -480});
    fetch.size(4);
    fetch.modseq(ModSeq(5));
    fetch.item("RFC822.HEADER").literal("x\r\n");
    fetch.section(whole, 2);
    w.raw("yz");
    fetch.no_section(missing);
    fetch.binary_size(sized, 77);
    fetch.finish();
  };
  EXPECT_EQ(
      written(write),
      "* 12 FETCH (UID 3 FLAGS (\\Seen \\Draft $Junk work) INTERNALDATE \" 1-Feb-1994 21:52:25 "
      "-0800\" "
      "RFC822.SIZE 4 MODSEQ (5) RFC822.HEADER {3}\r\nx\r\n BINARY[1] ~{2}\r\nyz BODY[9.MIME] NIL "
      "BINARY.SIZE[2] 77)\r\n");
}

TEST(ImapFlags, names_and_lists) {
  EXPECT_EQ(system_flag("\\sEEn"), flag::seen);
  EXPECT_EQ(system_flag("Seen"), std::nullopt);
  EXPECT_EQ(system_flag("\\Recent"), std::nullopt);
  EXPECT_TRUE(valid_keyword("$Forwarded"));
  for (const std::string_view bad : {"", "a b", "\\x", "a]", "a(", "a%", "\xC3\xA9"})
    EXPECT_FALSE(valid_keyword(bad));
  EXPECT_TRUE(same_keyword("$JUNK", "$junk"));
  auto list = parse_flag_list("(\\Flagged a \\Answered B b)");
  ASSERT_TRUE(list.is_match());
  EXPECT_EQ(list.value().system, flag::flagged | flag::answered);
  EXPECT_EQ(list.value().keywords.size(), 2u);
  std::string many = "(k0";
  for (std::size_t i = 1; i < limits::imap_keywords_max; ++i) many += " k" + std::to_string(i);
  EXPECT_TRUE(parse_flag_list(many + ")").is_match());
  EXPECT_EQ(parse_flag_list(many + " one)").fault(), ImapSyntax::too_many_flags);
}

TEST(ImapDate, date_times_both_ways) {
  const struct {
    std::string_view text;
    ImapDateTime moment;
  } rows[] = {
      {"17-Jul-1996 02:44:25 -0700", {837596665, -420}},
      {" 1-Jan-1970 00:00:00 +0000", {0, 0}},
      {"31-Dec-1969 23:59:59 +0000", {-1, 0}},
      {"29-Feb-2024 12:00:00 +0530", {1709188200, 330}},
      {" 1-Jan-0000 00:00:00 +0000", {-62167219200, 0}},
      {"31-Dec-9999 23:59:59 +0000", {253402300799, 0}},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(parse_imap_date_time(row.text), row.moment) << row.text;
    std::string text;
    append_imap_date_time(text, row.moment);
    EXPECT_EQ(text, row.text);
  }
  EXPECT_EQ(parse_imap_date_time("01-jan-1970 00:00:00 +0000"), (ImapDateTime{0, 0}));
  EXPECT_EQ(parse_imap_date_time(" 1-Jan-1970 00:00:00 -0100")->day(), sys_days(1970y / 1 / 1));
  std::string far;
  append_imap_date_time(far, {std::numeric_limits<std::int64_t>::max(), 60});
  EXPECT_EQ(far, "31-Dec-9999 23:59:59 +0100");
}

TEST(ImapDate, malformed_dates_are_refused) {
  for (const std::string_view bad :
       {"", "1-Jan-1970 00:00:00 +0000", "30-Feb-2024 12:00:00 +0000", "00-Jan-2024 12:00:00 +0000",
        "01-Foo-2024 12:00:00 +0000", "01-Jan-2024 24:00:00 +0000", "01-Jan-2024 12:60:00 +0000",
        "01-Jan-2024 12:00:61 +0000", "01-Jan-2024 12:00:00 +2400", "01-Jan-2024 12:00:00 +0060",
        "01-Jan-2024 12:00:00 00000", "01-Jan-2024T12:00:00 +0000", "-1-Jan-2024 12:00:00 +0000",
        "01-Jan-2024 12:00:00 +0000 "}) {
    EXPECT_FALSE(parse_imap_date_time(bad).has_value()) << bad;
  }
  for (const std::string_view bad : {"", "-", "1-Jan-20", "001-Jan-2020", "1-Jan-02020",
                                     "1/Jan/2020", "0-Jan-2020", "1-Jan-2020 ", "1-Jan"}) {
    EXPECT_FALSE(parse_imap_date(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace kurir::wire
