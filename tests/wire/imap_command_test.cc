#include "kurir/wire/imap_command.hh"

#include "imap_parse.hh"

namespace kurir::wire {
namespace {

TEST(ImapCommand, commands_without_arguments) {
  (void)parsed<ImapCapability>("a CAPABILITY");
  (void)parsed<ImapNoop>("a noop");
  (void)parsed<ImapLogout>("a Logout");
  (void)parsed<ImapStartTls>("a STARTTLS");
  (void)parsed<ImapNamespace>("a NAMESPACE");
  (void)parsed<ImapIdle>("a IDLE");
  (void)parsed<ImapCheck>("a CHECK");
  (void)parsed<ImapClose>("a CLOSE");
  (void)parsed<ImapUnselect>("a UNSELECT");
  (void)parsed<ImapDone>("done");
  EXPECT_FALSE(parsed<ImapExpunge>("a EXPUNGE").uids.has_value());
  EXPECT_EQ(parsed<ImapExpunge>("a UID EXPUNGE 3:5").uids->greatest_written(), 5u);
}

TEST(ImapCommand, tag_and_name_are_given_back) {
  auto command = parse_imap_command("A.1]x uid fetch 1 FLAGS\r\nnext");
  ASSERT_TRUE(command.is_match());
  EXPECT_EQ(command.value().tag, "A.1]x");
  EXPECT_EQ(command.value().name, "fetch");
  EXPECT_EQ(command.consumed(), 25u);
}

TEST(ImapCommand, strings_are_atoms_quoted_or_literals) {
  auto login = parsed<ImapLogin>("a LOGIN alice \"p\\\"a\\\\s s\"");
  EXPECT_EQ(login.user, "alice");
  EXPECT_EQ(login.password, "p\"a\\s s");
  login = parsed<ImapLogin>("a LOGIN {5}\r\nal\r\ne {3+}\r\n\"({");
  EXPECT_EQ(login.user, "al\r\ne");
  EXPECT_EQ(login.password, "\"({");
  EXPECT_TRUE(parsed<ImapLogin>("a LOGIN \"\" {0}\r\n").password.empty());
  EXPECT_EQ(parsed<ImapLogin>("a LOGIN \"\xC3\xA9\" x]").user, "\xC3\xA9");
}

TEST(ImapCommand, authenticate_with_and_without_initial_response) {
  EXPECT_FALSE(parsed<ImapAuthenticate>("a AUTHENTICATE PLAIN").initial_response.has_value());
  EXPECT_EQ(parsed<ImapAuthenticate>("a AUTHENTICATE PLAIN AGEAYg==").initial_response, "AGEAYg==");
  EXPECT_EQ(parsed<ImapAuthenticate>("a AUTHENTICATE EXTERNAL =").initial_response, "");
}

TEST(ImapCommand, id_enable_compress_quota) {
  EXPECT_TRUE(parsed<ImapId>("a ID NIL").parameters.empty());
  EXPECT_TRUE(parsed<ImapId>("a ID ()").parameters.empty());
  const auto id = parsed<ImapId>("a ID (\"name\" \"x\" \"os\" NIL)");
  ASSERT_EQ(id.parameters.size(), 2u);
  EXPECT_EQ(id.parameters[0].second->view(), "x");
  EXPECT_FALSE(id.parameters[1].second.has_value());
  EXPECT_EQ(parsed<ImapEnable>("a ENABLE IMAP4rev2 CONDSTORE").capabilities.at(1), "CONDSTORE");
  EXPECT_EQ(parsed<ImapCompress>("a COMPRESS DEFLATE").mechanism, "DEFLATE");
  EXPECT_EQ(parsed<ImapGetQuota>("a GETQUOTA \"\"").root, "");
  EXPECT_EQ(parsed<ImapGetQuotaRoot>("a GETQUOTAROOT INBOX").mailbox, "INBOX");
}

TEST(ImapCommand, select_with_parameters) {
  auto select = parsed<ImapSelect>("a SELECT INBOX");
  EXPECT_FALSE(select.read_only || select.condstore || select.qresync);
  EXPECT_TRUE(parsed<ImapSelect>("a EXAMINE \"a b\" (CONDSTORE)").condstore);
  select = parsed<ImapSelect>(
      "a EXAMINE x (QRESYNC (67890007 20050715194045000 41,43:211 (1:2 3:4)) CONDSTORE)");
  EXPECT_TRUE(select.read_only);
  ASSERT_TRUE(select.qresync.has_value());
  EXPECT_EQ(select.qresync->validity.value, 67890007u);
  EXPECT_EQ(select.qresync->known_uids->greatest_written(), 211u);
  EXPECT_EQ(select.qresync->sequence_match->second.greatest_written(), 4u);
  select = parsed<ImapSelect>("a SELECT x (QRESYNC (1 2 (3 4)))");
  EXPECT_FALSE(select.qresync->known_uids.has_value());
}

TEST(ImapCommand, mailbox_commands) {
  EXPECT_EQ(parsed<ImapCreate>("a CREATE x/").mailbox, "x/");
  const auto create = parsed<ImapCreate>("a CREATE x (USE (\\Drafts \\sent))");
  EXPECT_EQ(create.use, special_use::drafts | special_use::sent);
  EXPECT_FALSE(create.unknown_use);
  EXPECT_TRUE(parsed<ImapCreate>("a CREATE x (USE (\\Nonsense))").unknown_use);
  EXPECT_EQ(parsed<ImapCreate>("a CREATE x (USE ())").use, 0);
  EXPECT_EQ(parsed<ImapDelete>("a DELETE x").mailbox, "x");
  EXPECT_EQ(parsed<ImapRename>("a RENAME x \"y z\"").to, "y z");
  EXPECT_EQ(parsed<ImapSubscribe>("a SUBSCRIBE x").mailbox, "x");
  EXPECT_EQ(parsed<ImapUnsubscribe>("a UNSUBSCRIBE x").mailbox, "x");
  EXPECT_EQ(parsed<ImapStatus>("a STATUS x (UIDNEXT Messages)").items,
            status::uid_next | status::messages);
}

TEST(ImapCommand, list_plain_and_extended) {
  auto command = parsed<ImapList>("a LIST \"\" %/*");
  EXPECT_FALSE(command.extended);
  EXPECT_EQ(command.patterns.at(0), "%/*");
  command = parsed<ImapList>(
      "a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (\"*\" INBOX) RETURN (CHILDREN STATUS (UNSEEN "
      "SIZE))");
  EXPECT_TRUE(command.extended);
  EXPECT_EQ(command.select, list::subscribed | list::recursive_match);
  EXPECT_EQ(command.patterns.size(), 2u);
  EXPECT_EQ(command.returns, list::children);
  EXPECT_EQ(command.status, status::unseen | status::size);
  EXPECT_TRUE(parsed<ImapList>("a LIST () \"\" x RETURN ()").extended);
  EXPECT_EQ(parsed<ImapLsub>("a LSUB x *").pattern, "*");
}

TEST(ImapCommand, append_with_everything) {
  const auto append = parsed<ImapAppend>(
      "a APPEND Saved (\\Seen $Junk) \" 1-Feb-1994 21:52:25 -0800\" {3}\r\na\nb ~{2}\r\nc" +
      std::string(1, '\0'));
  ASSERT_EQ(append.messages.size(), 2u);
  EXPECT_EQ(append.messages[0].head.flags.system, flag::seen);
  EXPECT_EQ(append.messages[0].head.flags.keywords.at(0), "$Junk");
  EXPECT_EQ(append.messages[0].head.date->utc_seconds, 760168345);
  EXPECT_EQ(append.messages[0].octets, "a\nb");
  EXPECT_TRUE(append.messages[1].head.literal.binary);
  EXPECT_EQ(append.messages[1].octets.size(), 2u);
}

TEST(ImapCommand, fetch_items) {
  auto command = parsed<ImapFetch>("a FETCH 1:* FAST");
  EXPECT_EQ(command.items.simple, fetch::flags | fetch::internal_date | fetch::size);
  EXPECT_TRUE(command.items.index_only());
  command = parsed<ImapFetch>("a UID FETCH $ full");
  EXPECT_TRUE(command.set.is_saved_result());
  EXPECT_TRUE(command.items.has(fetch::uid) && command.items.has(fetch::envelope));
  EXPECT_TRUE(command.items.has(fetch::body));
  EXPECT_EQ(parsed<ImapFetch>("a FETCH 1 RFC822.TEXT").items.simple, fetch::rfc822_text);
  EXPECT_TRUE(parsed<ImapFetch>("a FETCH 1 (RFC822)").items.marks_seen());
  command = parsed<ImapFetch>("a FETCH 1 (RFC822.HEADER MODSEQ BODYSTRUCTURE)");
  EXPECT_FALSE(command.items.marks_seen());
  command = parsed<ImapFetch>("a UID FETCH 1 (FLAGS) (CHANGEDSINCE 12 VANISHED)");
  EXPECT_EQ(command.changed_since->value, 12u);
  EXPECT_TRUE(command.vanished && command.items.has(fetch::modseq));
}

TEST(ImapCommand, fetch_sections_come_back_under_their_name) {
  const struct {
    std::string_view asked;
    std::string_view answered;
    bool peek;
  } rows[] = {
      {"BODY[]", "BODY[]", false},
      {"body.peek[]<0.4294967295>", "BODY[]<0>", true},
      {"BODY[1.2.3]<4294967295.1>", "BODY[1.2.3]<4294967295>", false},
      {"BODY[TEXT]", "BODY[TEXT]", false},
      {"BODY[4.1.mime]", "BODY[4.1.MIME]", false},
      {"BODY.PEEK[HEADER]", "BODY[HEADER]", true},
      {"BODY.PEEK[header.fields (To \"x y\")]", "BODY[HEADER.FIELDS (To \"x y\")]", true},
      {"BODY[3.HEADER.FIELDS.NOT (Date)]<5.6>", "BODY[3.HEADER.FIELDS.NOT (Date)]<5>", false},
      {"BINARY.PEEK[1]", "BINARY[1]", true},
      {"BINARY[1.1]<2.3>", "BINARY[1.1]<2>", false},
      {"BINARY.SIZE[2]", "BINARY.SIZE[2]", true},
  };
  for (const auto& row : rows) {
    const auto command = parsed<ImapFetch>("a FETCH 1 (UID " + std::string(row.asked) + " FLAGS)");
    ASSERT_EQ(command.items.sections.size(), 1u) << row.asked;
    std::string name;
    append_section_name(name, command.items.sections[0]);
    EXPECT_EQ(name, row.answered);
    EXPECT_EQ(command.items.sections[0].peek, row.peek) << row.asked;
  }
}

TEST(ImapCommand, a_section_asked_for_twice_is_sent_once) {
  const auto command = parsed<ImapFetch>("a FETCH 1 (BODY.PEEK[1] BODY[1] BODY.PEEK[2])");
  ASSERT_EQ(command.items.sections.size(), 2u);
  EXPECT_FALSE(command.items.sections[0].peek);
}

TEST(ImapCommand, store_forms) {
  auto store = parsed<ImapStore>("a STORE 1,3 +FLAGS (\\Deleted $Junk $junk)");
  EXPECT_EQ(store.change, StoreChange::add);
  EXPECT_FALSE(store.silent);
  EXPECT_EQ(store.flags.keywords.size(), 1u);
  store = parsed<ImapStore>("a UID STORE 1 (UNCHANGEDSINCE 9) -FLAGS.SILENT \\Seen \\Draft");
  EXPECT_EQ(store.unchanged_since->value, 9u);
  EXPECT_EQ(store.change, StoreChange::remove);
  EXPECT_TRUE(store.silent);
  EXPECT_EQ(store.flags.system, flag::seen | flag::draft);
  EXPECT_TRUE(parsed<ImapStore>("a STORE 1 FLAGS ()").flags.empty());
}

TEST(ImapCommand, copy_and_move) {
  EXPECT_EQ(parsed<ImapCopy>("a COPY 2:4 MEETING").mailbox, "MEETING");
  EXPECT_EQ(parsed<ImapMove>("a UID MOVE 2 {3}\r\na/b").mailbox, "a/b");
  EXPECT_EQ(parsed<ImapMove>("a UID MOVE 2 x").numbering, ImapNumbering::uid);
}

}  // namespace
}  // namespace kurir::wire
