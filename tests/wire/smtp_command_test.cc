#include "kurir/wire/smtp_command.hh"

#include <gtest/gtest.h>

#include <string>

#include "support/feed_all_ways.hh"

namespace kurir::wire {
namespace {

using namespace std::string_view_literals;
using Kind = SmtpFaultKind;

const SmtpCommandOptions everything{
    .offered = SmtpParameterSet(SmtpParameter::size, SmtpParameter::body, SmtpParameter::auth,
                                SmtpParameter::smtputf8, SmtpParameter::ret, SmtpParameter::envid,
                                SmtpParameter::notify, SmtpParameter::orcpt)};

template <class Check>
void expect_command(std::string_view input, Check check,
                    const SmtpCommandOptions& options = everything) {
  SCOPED_TRACE(input);
  test::feed_all_ways(
      input, [&](std::string_view text) { return parse_smtp_command(text, options); },
      [&](const Parsed<SmtpCommand, SmtpFault>& result) {
        ASSERT_FALSE(result.is_fault()) << static_cast<int>(result.fault().kind);
        ASSERT_TRUE(result.is_match());
        EXPECT_EQ(result.consumed(), input.size());
        EXPECT_EQ(result.value().line, input.substr(0, input.size() - 2));
        check(result.value());
      },
      {.followed_by = "RSET\r\nMAIL FROM:<x@y> SMTPUTF8\r\n"});
}

void expect_fault(std::string_view input, Kind kind, SmtpVerb verb = SmtpVerb::unknown,
                  const SmtpCommandOptions& options = everything) {
  SCOPED_TRACE(input.substr(0, 200));
  test::feed_all_ways(
      input, [&](std::string_view text) { return parse_smtp_command(text, options); },
      [&](const Parsed<SmtpCommand, SmtpFault>& result) {
        ASSERT_TRUE(result.is_fault());
        EXPECT_EQ(static_cast<int>(result.fault().kind), static_cast<int>(kind));
        EXPECT_EQ(result.fault().verb, verb);
        EXPECT_EQ(result.fault().consumed, result.fault().line_is_lost() ? 0 : input.size());
      });
}

const SmtpCommandOptions with_wishes{
    .offered = SmtpParameterSet(SmtpParameter::deliver_by, SmtpParameter::require_tls)};

TEST(SmtpCommand, a_time_to_deliver_by_is_read) {
  const std::pair<std::string_view, DeliverBy> cases[] = {
      {"120;R", {.seconds = 120}},
      {"+120;rt", {.seconds = 120, .traces = true}},
      {"-30;N", {.seconds = -30, .notifies = true}},
      {"0;nT", {.seconds = 0, .notifies = true, .traces = true}},
      {"999999999;R", {.seconds = 999'999'999}},
  };
  for (const auto& [value, expected] : cases)
    expect_command(
        "MAIL FROM:<a@b> BY=" + std::string(value) + " requiretls\r\n",
        [&](const SmtpCommand& command) {
          EXPECT_EQ(command.mail.deliver_by, expected);
          EXPECT_TRUE(command.mail.require_tls);
        },
        with_wishes);
  for (const std::string_view value :
       {"", "=", "=120", "=120;", "=120;X", "=120;RR", "=120;RTT", "=0;R", "=-1;R", "=1234567890;R",
        "=1.5;R", "=;R", "=+-1;N", "=--1;N", "=120;R;T", "=120;TR", "=+;N", "=-0;R"})
    expect_fault("MAIL FROM:<a@b> BY" + std::string(value) + "\r\n", Kind::bad_parameter,
                 SmtpVerb::mail, with_wishes);
  expect_fault("MAIL FROM:<a@b> REQUIRETLS=1\r\n", Kind::bad_parameter, SmtpVerb::mail,
               with_wishes);
  expect_fault("MAIL FROM:<a@b> REQUIRETLS\r\n", Kind::unknown_parameter, SmtpVerb::mail);
}

TEST(SmtpCommand, each_verb_is_read_whatever_its_case) {
  struct Case {
    std::string_view input;
    SmtpVerb verb;
    std::string_view argument;
  };
  const Case cases[] = {
      {"EHLO mail.example.org\r\n", SmtpVerb::ehlo, "mail.example.org"},
      {"ehlo [127.0.0.1]\r\n", SmtpVerb::ehlo, "[127.0.0.1]"},
      {"HELO my_host\r\n", SmtpVerb::helo, "my_host"},
      {"LHLO x \r\n", SmtpVerb::lhlo, "x"},
      {"DATA\r\n", SmtpVerb::data, ""},
      {"dAtA \t\r\n", SmtpVerb::data, ""},
      {"RSET\r\n", SmtpVerb::rset, ""},
      {"NOOP\r\n", SmtpVerb::noop, ""},
      {"NOOP hello  there\r\n", SmtpVerb::noop, "hello  there"},
      {"QUIT\r\n", SmtpVerb::quit, ""},
      {"StartTLS\r\n", SmtpVerb::starttls, ""},
      {"VRFY <a@b>\r\n", SmtpVerb::vrfy, "<a@b>"},
      {"EXPN list\r\n", SmtpVerb::expn, "list"},
      {"HELP\r\n", SmtpVerb::help, ""},
      {"HELP RCPT\r\n", SmtpVerb::help, "RCPT"},
      {"ETRN @x.test\r\n", SmtpVerb::etrn, "@x.test"},
      {"XCLIENT ADDR=1.2.3.4 NAME=x\r\n", SmtpVerb::xclient, "ADDR=1.2.3.4 NAME=x"},
  };
  for (const Case& c : cases) {
    expect_command(c.input, [&](const SmtpCommand& command) {
      EXPECT_EQ(command.verb, c.verb);
      EXPECT_EQ(command.argument, c.argument);
    });
  }
}

TEST(SmtpCommand, mail_has_a_path_and_parameters) {
  expect_command("MAIL FROM:<a@B.test>\r\n", [](const SmtpCommand& command) {
    EXPECT_EQ(command.verb, SmtpVerb::mail);
    EXPECT_EQ(command.path.own().text(), "a@b.test");
    EXPECT_FALSE(command.mail.size.has_value());
  });
  expect_command("mail from: <> size=12345  BODY=8bitmime \r\n", [](const SmtpCommand& command) {
    EXPECT_EQ(command.path.kind, PathKind::null);
    EXPECT_EQ(command.mail.size, 12345u);
    EXPECT_EQ(command.mail.body, BodyType::eight_bit_mime);
  });
  expect_command("MAIL FROM:<\"a b> SIZE=9\"@x> SIZE=1\r\n", [](const SmtpCommand& command) {
    EXPECT_EQ(command.path.address.local_part, "\"a b> SIZE=9\"");
    EXPECT_EQ(command.mail.size, 1u);
  });
  expect_command("MAIL FROM:<a@b> RET=HDRS ENVID=QQ+2B1 AUTH=e+3Dmc2@x.test\r\n",
                 [](const SmtpCommand& command) {
                   EXPECT_EQ(command.mail.ret, DsnReturn::headers);
                   EXPECT_EQ(command.mail.envid, "QQ+2B1");
                   EXPECT_EQ(decode_xtext(*command.mail.auth), "e=mc2@x.test");
                 });
  expect_command("MAIL FROM:<a@b> AUTH=<> BODY=7BIT\r\n", [](const SmtpCommand& command) {
    EXPECT_EQ(command.mail.auth, "<>");
    EXPECT_EQ(command.mail.body, BodyType::seven_bit);
  });
  expect_command("MAIL FROM:<\xc3\xbc@b> SMTPUTF8\r\n",
                 [](const SmtpCommand& command) { EXPECT_TRUE(command.mail.smtputf8); });
}

TEST(SmtpCommand, rcpt_has_a_path_and_parameters) {
  expect_command("RCPT TO:<@a,@b:c@d>\r\n", [](const SmtpCommand& command) {
    EXPECT_EQ(command.verb, SmtpVerb::rcpt);
    EXPECT_EQ(command.path.own().text(), "c@d");
    EXPECT_FALSE(command.rcpt.notify.given);
  });
  expect_command("RCPT TO:<PostMaster>\r\n", [](const SmtpCommand& command) {
    EXPECT_EQ(command.path.kind, PathKind::postmaster);
  });
  expect_command("RCPT TO:<a@b> NOTIFY=success,DELAY ORCPT=rfc822;c+2Bd@e\r\n",
                 [](const SmtpCommand& command) {
                   EXPECT_TRUE(command.rcpt.notify.given);
                   EXPECT_TRUE(command.rcpt.notify.success);
                   EXPECT_TRUE(command.rcpt.notify.delay);
                   EXPECT_FALSE(command.rcpt.notify.failure);
                   EXPECT_EQ(command.rcpt.orcpt, "rfc822;c+2Bd@e");
                 });
  expect_command("RCPT TO:<a@b> NOTIFY=NEVER\r\n",
                 [](const SmtpCommand& command) { EXPECT_TRUE(command.rcpt.notify.never); });
  SmtpCommandOptions utf8 = everything;
  utf8.utf8_transaction = true;
  expect_command("RCPT TO:<\xc3\xbc@b>\r\n", [](const SmtpCommand&) {}, utf8);
}

TEST(SmtpCommand, bdat_has_a_checked_size) {
  expect_command("BDAT 5\r\n", [](const SmtpCommand& command) {
    EXPECT_EQ(command.bdat.chunk_octets, 5u);
    EXPECT_FALSE(command.bdat.last);
  });
  expect_command("bdat 18446744073709551615 last\r\n", [](const SmtpCommand& command) {
    EXPECT_EQ(command.bdat.chunk_octets, UINT64_MAX);
    EXPECT_TRUE(command.bdat.last);
  });
  // threats.md A5.
  for (const std::string_view input :
       {"BDAT\r\n", "BDAT LAST\r\n", "BDAT 18446744073709551616 LAST\r\n", "BDAT -1\r\n",
        "BDAT 0x10\r\n", "BDAT 1e3\r\n", "BDAT 5 LASTX\r\n", "BDAT 5 LAST x\r\n", "BDAT 5LAST\r\n",
        "BDAT 5,0\r\n", "BDAT \xd9\xa3\r\n"}) {
    expect_fault(input, Kind::bad_chunk_size, SmtpVerb::bdat);
  }
  expect_fault("BDATA 5\r\n", Kind::unknown_verb);
}

TEST(SmtpCommand, auth_has_a_mechanism_and_maybe_a_response) {
  expect_command("AUTH LOGIN\r\n", [](const SmtpCommand& command) {
    EXPECT_EQ(command.auth.mechanism, "LOGIN");
    EXPECT_FALSE(command.auth.initial.has_value());
  });
  expect_command("auth plain AGEAYg==\r\n", [](const SmtpCommand& command) {
    EXPECT_EQ(command.auth.mechanism, "plain");
    EXPECT_EQ(command.auth.initial, "AGEAYg==");
  });
  expect_command("AUTH EXTERNAL =\r\n",
                 [](const SmtpCommand& command) { EXPECT_EQ(command.auth.initial, "="); });
  const std::string long_response = "AUTH PLAIN " + std::string(12000, 'A') + "\r\n";
  expect_command(long_response, [](const SmtpCommand& command) {
    EXPECT_EQ(command.auth.initial->size(), 12000u);
  });
  expect_fault("AUTH\r\n", Kind::missing_argument, SmtpVerb::auth);
  expect_fault("AUTH P/LAIN\r\n", Kind::syntax, SmtpVerb::auth);
  expect_fault("AUTH A23456789012345678901\r\n", Kind::syntax, SmtpVerb::auth);
  expect_fault("AUTH PLAIN a b\r\n", Kind::syntax, SmtpVerb::auth);
  expect_fault("AUTH PLAIN " + std::string(1 << 20, 'A') + "\r\n", Kind::too_long);
}

TEST(SmtpCommand, what_is_wrong_has_a_kind) {
  struct Case {
    std::string_view input;
    Kind kind;
    SmtpVerb verb;
  };
  const SmtpVerb none = SmtpVerb::unknown;
  const Case cases[] = {
      {"\r\n", Kind::unknown_verb, none},
      {" NOOP\r\n", Kind::unknown_verb, none},
      {"NOOPX\r\n", Kind::unknown_verb, none},
      {"NOO\r\n", Kind::unknown_verb, none},
      {"NO@P\r\n", Kind::unknown_verb, none},
      {"NOOP\t\r\n", Kind::unknown_verb, none},
      {"STARTTLSSTARTTLS\r\n", Kind::unknown_verb, none},
      {"\x8f\x8f\x8f\x8f\r\n", Kind::unknown_verb, none},
      {"NOOP\n", Kind::bad_line_end, none},
      {"MAIL FROM:<a@b>\nRCPT TO:<c@d>\r\n", Kind::bad_line_end, none},
      {"NOOP\rQUIT\r\n", Kind::bad_line_end, none},
      {"NOOP \0\r\n"sv, Kind::nul, none},
      {"MAIL FROM:<a\0b@x>\r\n"sv, Kind::nul, none},
      {"POST / HTTP/1.1\r\n", Kind::foreign_protocol, none},
      {"GET / HTTP/1.1\r\n", Kind::foreign_protocol, none},
      {"SSH-2.0-OpenSSH\r\n", Kind::foreign_protocol, none},
      {"\x16\x03\x01\x02\x00"sv, Kind::foreign_protocol, none},
      {"EHLO\r\n", Kind::missing_argument, SmtpVerb::ehlo},
      {"HELO \r\n", Kind::missing_argument, SmtpVerb::helo},
      {"EHLO a b\r\n", Kind::syntax, SmtpVerb::ehlo},
      {"EHLO a\x1b[2J\r\n", Kind::syntax, SmtpVerb::ehlo},
      {"EHLO b\xc3\xbc.test\r\n", Kind::non_ascii, SmtpVerb::ehlo},
      {"DATA x\r\n", Kind::unexpected_argument, SmtpVerb::data},
      {"RSET x\r\n", Kind::unexpected_argument, SmtpVerb::rset},
      {"QUIT x\r\n", Kind::unexpected_argument, SmtpVerb::quit},
      {"STARTTLS x\r\n", Kind::unexpected_argument, SmtpVerb::starttls},
      {"VRFY\r\n", Kind::missing_argument, SmtpVerb::vrfy},
      {"VRFY \xc3\xbc\r\n", Kind::non_ascii, SmtpVerb::vrfy},
      {"MAIL\r\n", Kind::syntax, SmtpVerb::mail},
      {"MAIL FROM\r\n", Kind::syntax, SmtpVerb::mail},
      {"MAIL FROM <a@b>\r\n", Kind::syntax, SmtpVerb::mail},
      {"MAIL TO:<a@b>\r\n", Kind::syntax, SmtpVerb::mail},
      {"MAIL FROM:<a@b>SIZE=1\r\n", Kind::syntax, SmtpVerb::mail},
      {"MAIL FROM:<a@b> <c@d>\r\n", Kind::syntax, SmtpVerb::mail},
      {"MAIL FROM:\r\n", Kind::bad_address, SmtpVerb::mail},
      {"MAIL FROM:a@b\r\n", Kind::bad_address, SmtpVerb::mail},
      {"MAIL FROM:<;sleep 66;>\r\n", Kind::bad_address, SmtpVerb::mail},
      {"MAIL FROM:<postmaster>\r\n", Kind::bad_address, SmtpVerb::mail},
      {"RCPT TO:<>\r\n", Kind::bad_address, SmtpVerb::rcpt},
      {"RCPT TO:<v@other.org@local>\r\n", Kind::bad_address, SmtpVerb::rcpt},
      {"RCPT TO:<\xc3\xbc@b>\r\n", Kind::non_ascii, SmtpVerb::rcpt},
      {"MAIL FROM:<\xc3\xbc@b>\r\n", Kind::non_ascii, SmtpVerb::mail},
      {"MAIL FROM:<\xc3\xbc@b> XSMTPUTF8\r\n", Kind::non_ascii, SmtpVerb::mail},
      {"MAIL FROM:<\"\xc3\xbc SMTPUTF8 \"@b>\r\n", Kind::non_ascii, SmtpVerb::mail},
      {"MAIL FROM:<\xff@b> SMTPUTF8\r\n", Kind::non_ascii, SmtpVerb::mail},
      {"MAIL FROM:<a@b> FOO\r\n", Kind::unknown_parameter, SmtpVerb::mail},
      {"MAIL FROM:<a@b> FOO=bar SIZE=1\r\n", Kind::unknown_parameter, SmtpVerb::mail},
      {"MAIL FROM:<a@b> NOTIFY=NEVER\r\n", Kind::unknown_parameter, SmtpVerb::mail},
      {"RCPT TO:<a@b> SIZE=1\r\n", Kind::unknown_parameter, SmtpVerb::rcpt},
      {"MAIL FROM:<a@b> =1\r\n", Kind::syntax, SmtpVerb::mail},
      {"MAIL FROM:<a@b>\tSIZE=1\r\n", Kind::syntax, SmtpVerb::mail},
      {"MAIL FROM:<a@b> -X\r\n", Kind::syntax, SmtpVerb::mail},
  };
  for (const Case& c : cases) expect_fault(c.input, c.kind, c.verb);
}

TEST(SmtpCommand, bad_values_of_mail_parameters) {
  const std::string_view values[] = {"SIZE",
                                     "SIZE=",
                                     "SIZE=-1",
                                     "SIZE=1 SIZE=2",
                                     "SIZE=1 size=1",
                                     "SIZE=99999999999999999999",
                                     "SIZE=000000000000000000001",
                                     "SIZE=0x1",
                                     "SIZE=1=2",
                                     "BODY",
                                     "BODY=",
                                     "BODY=BINARY",
                                     "BODY=8BIT",
                                     "SMTPUTF8=1",
                                     "SMTPUTF8 SMTPUTF8",
                                     "RET=FULL RET=HDRS",
                                     "RET=x",
                                     "ENVID=",
                                     "ENVID=a+0ARCPT",
                                     "ENVID=a+0d",
                                     "ENVID=+",
                                     "ENVID=+4",
                                     "ENVID=+zz",
                                     "AUTH=",
                                     "AUTH=a",
                                     "AUTH=a+0D+0AX",
                                     "AUTH=a@x+0D+0A",
                                     "AUTH=a+00@x",
                                     "AUTH=a+1B@x",
                                     "AUTH=a+C3@x",
                                     "AUTH=<a@b>",
                                     "SIZE=1\x01"};
  for (const std::string_view value : values) {
    expect_fault("MAIL FROM:<a@x> " + std::string(value) + "\r\n", Kind::bad_parameter,
                 SmtpVerb::mail);
  }
  const std::string envid(100, 'e');
  expect_command("MAIL FROM:<a@x> ENVID=" + envid + "\r\n", [](const SmtpCommand&) {});
  expect_fault("MAIL FROM:<a@x> ENVID=" + envid + "e\r\n", Kind::bad_parameter, SmtpVerb::mail);
  expect_fault("MAIL FROM:<a@x> AUTH=" + std::string(3000, 'a') + "@x\r\n", Kind::bad_parameter,
               SmtpVerb::mail);
}

TEST(SmtpCommand, bad_values_of_rcpt_parameters) {
  for (const std::string_view value :
       {"NOTIFY", "NOTIFY=", "NOTIFY=NEVER,FAILURE", "NOTIFY=FAILURE,NEVER", "NOTIFY=x",
        "NOTIFY=SUCCESS,", "NOTIFY=,SUCCESS", "NOTIFY=SUCCESS,SUCCESS", "NOTIFY=DELAY NOTIFY=DELAY",
        "ORCPT=", "ORCPT=a@b", "ORCPT=;a@b", "ORCPT=rfc822;", "ORCPT=rfc822;a+0D+0Ab",
        "ORCPT=rf/c;a", "ORCPT=rfc822;a ORCPT=rfc822;a"}) {
    expect_fault("RCPT TO:<a@x> " + std::string(value) + "\r\n", Kind::bad_parameter,
                 SmtpVerb::rcpt);
  }
  const std::string orcpt = "rfc822;" + std::string(493, 'o');
  expect_command("RCPT TO:<a@x> ORCPT=" + orcpt + "\r\n", [](const SmtpCommand&) {});
  expect_fault("RCPT TO:<a@x> ORCPT=" + orcpt + "o\r\n", Kind::bad_parameter, SmtpVerb::rcpt);
}

TEST(SmtpCommand, a_parameter_that_was_not_offered_is_unknown) {
  const SmtpCommandOptions nothing{.offered = SmtpParameterSet()};
  expect_fault("MAIL FROM:<a@b> SIZE=1\r\n", Kind::unknown_parameter, SmtpVerb::mail, nothing);
  expect_fault("MAIL FROM:<\xc3\xbc@b> SMTPUTF8\r\n", Kind::non_ascii, SmtpVerb::mail, nothing);
  expect_fault("MAIL FROM:<a@b> SMTPUTF8\r\n", Kind::unknown_parameter, SmtpVerb::mail, nothing);
}

TEST(SmtpCommand, lengths_have_kinds) {
  const std::string l65(65, 'l');
  const std::string d256(256, 'd');
  expect_fault("RCPT TO:<" + l65 + "@x>\r\n", Kind::local_part_too_long, SmtpVerb::rcpt);
  expect_fault("RCPT TO:<a@" + d256 + ">\r\n", Kind::domain_too_long, SmtpVerb::rcpt);
  std::string route = "@" + std::string(63, 'r');
  for (int i = 0; i < 3; ++i) route += ",@" + std::string(63, 'r');
  expect_fault("RCPT TO:<" + route + ":a@x>\r\n", Kind::path_too_long, SmtpVerb::rcpt);
  expect_fault("EHLO " + d256 + "\r\n", Kind::domain_too_long, SmtpVerb::ehlo);
  const std::size_t max = limits::smtp_command_octets_max;
  expect_command("NOOP " + std::string(max - 7, 'x') + "\r\n", [](const SmtpCommand&) {});
  expect_fault("NOOP " + std::string(max - 6, 'x') + "\r\n", Kind::too_long);
  expect_fault("NOOP " + std::string(1 << 20, 'x'), Kind::too_long);
}

TEST(SmtpCommand, xtext_encodes_what_it_must) {
  EXPECT_EQ(encode_xtext("a+b=c d\r\n"), "a+2Bb+3Dc+20d+0D+0A");
  EXPECT_EQ(decode_xtext("a+2Bb+3Dc+20d"), "a+b=c d");
  EXPECT_FALSE(is_clean_xtext("a+0D"));
  EXPECT_FALSE(is_clean_xtext("a+2b"));
  EXPECT_FALSE(is_clean_xtext("a b"));
  EXPECT_FALSE(is_clean_xtext("a=b"));
}

TEST(SmtpCommand, verbs_have_names) {
  EXPECT_EQ(name_of(SmtpVerb::mail), "MAIL");
  EXPECT_EQ(name_of(SmtpVerb::xclient), "XCLIENT");
  EXPECT_EQ(name_of(SmtpVerb::unknown), "?");
}

}  // namespace
}  // namespace kurir::wire
