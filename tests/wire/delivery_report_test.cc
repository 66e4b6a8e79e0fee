#include "kurir/wire/delivery_report.hh"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "kurir/base/limits.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/date.hh"
#include "kurir/wire/header.hh"
#include "kurir/wire/mime.hh"
#include "kurir/wire/transfer_encoding.hh"
#include "report_check.hh"

namespace kurir::wire {
namespace {

using namespace std::literals;

constexpr WallTime at(std::int64_t seconds) {
  return {1'770'000'000'000'000 + seconds * 1'000'000};
}

constexpr std::string_view original =
    "Received: from client.test\r\n\tby mail.kurir.test; Mon, 02 Feb 2026 02:40:00 +0000\r\n"
    "From: Alice <alice@kurir.test>\r\n"
    "To: bob@remote.test\r\n"
    "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= from here\r\n"
    "Message-ID: <one@kurir.test>\r\n"
    "\r\n"
    "Body, not returned.\r\n";

const ReportedRecipient failed_recipient{
    .address = "bob@remote.test",
    .original = "rfc822;bob+list@other.test",
    .action = ReportAction::failed,
    .status = {5, 1, 1},
    .remote_name = "mx1.remote.test",
    .remote_ip = "192.0.2.25",
    .remote_reply =
        "550-5.1.1 The account that you tried to reach does not exist. Please try\r\n"
        "550-5.1.1 double-checking the address.\r\n"
        "550 5.1.1  https://help.remote.test/NoSuchUser abc123\r\n",
    .last_attempt = at(60),
};
const ReportedRecipient unreachable_recipient{
    .address = "carol@nowhere.test",
    .action = ReportAction::failed,
    .status = {5, 1, 10},
    .explanation = "The domain nowhere.test accepts no mail (null MX)",
    .last_attempt = at(61),
};
const ReportedRecipient delayed_recipient{
    .address = "dave@slow.test",
    .action = ReportAction::delayed,
    .status = {4, 4, 1},
    .explanation = "connect to mx.slow.test[192.0.2.7]:25: connection timed out",
    .last_attempt = at(62),
    .tried_until = at(432'000),
};
const ReportedRecipient delivered_recipient{
    .address = "erin@fine.test",
    .action = ReportAction::delivered,
    .remote_name = "mx.fine.test",
    .remote_reply = "250 2.0.0 Ok: queued as 4F2A\r\n",
};

DeliveryReport report_for(std::span<const ReportedRecipient> recipients) {
  return {.hostname = "mail.kurir.test",
          .report_id = "0123456789abcdef.report",
          .sender = "alice@kurir.test",
          .now = at(100),
          .arrived = at(0),
          .received_from = "client.test",
          .envelope_id = "QQ314159",
          .recipients = recipients,
          .original = original};
}

bool is(const MimePart* part, std::string_view type, std::string_view subtype) {
  return part->is_type(type) && equals_ignoring_case(part->subtype, subtype);
}

// The report taken apart again by our own parser.
struct ReadReport {
  std::string message;
  MimeStructure structure;

  explicit ReadReport(std::string composed)
      : message(std::move(composed)), structure(parse_mime(message)) {}

  std::string_view header() const {
    return std::string_view(message).substr(0, header_octets(message));
  }
  std::string field(std::string_view name) const {
    const auto found = find_field(header(), name);
    return found ? unfold(found->value) : "(none)";
  }
  std::vector<const MimePart*> parts() const {
    std::vector<const MimePart*> found;
    for (const MimePart& part : structure.parts) {
      if (part.depth == 1) found.push_back(&part);
    }
    return found;
  }
  std::string content(std::size_t index) const {
    const MimePart& part = *parts().at(index);
    TransferDecoder decoder(transfer_encoding(part.encoding));
    std::string decoded;
    decoder.decode(part.body.of(message), decoded);
    decoder.finish(decoded);
    return decoded;
  }
  // The groups of fields in message/delivery-status: the message's, then the recipients'.
  std::vector<std::string> groups() const {
    std::vector<std::string> found(1);
    std::string status = content(1);
    for (std::size_t begin = 0; begin < status.size();) {
      const std::size_t end = status.find("\r\n", begin) + 2;
      if (end == begin + 2) {
        found.emplace_back();
      } else {
        found.back() += status.substr(begin, end - begin);
      }
      begin = end;
    }
    return found;
  }
};

void expect_well_formed(const ReadReport& report, std::size_t recipients) {
  EXPECT_EQ(test::fault_of_report(report.message, recipients), "");
  EXPECT_EQ(report.message.find_first_of("\x1b\x7f\x07"sv), std::string::npos);
}

std::string octets_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(DeliveryReport, is_the_golden_file) {
  const std::filesystem::path folder = KURIR_GOLDEN_REPORT;
  const std::vector<ReportedRecipient> failed = {failed_recipient, unreachable_recipient};
  const std::vector<ReportedRecipient> mixed = {delivered_recipient, delayed_recipient};
  DeliveryReport full = report_for(failed);
  full.return_full = true;
  const std::pair<std::string_view, DeliveryReport> cases[] = {
      {"failed.eml", report_for(failed)},
      {"failed_full.eml", full},
      {"delayed_and_delivered.eml", report_for(mixed)},
  };
  for (const auto& [name, report] : cases) {
    const std::string composed = compose_delivery_report(report);
    EXPECT_EQ(composed, octets_of(folder / name)) << name;
    expect_well_formed(ReadReport(composed), 2);
  }
}

TEST(DeliveryReport, says_who_it_is_from_and_that_no_machine_should_answer) {
  const ReadReport report(compose_delivery_report(report_for({&failed_recipient, 1})));
  EXPECT_EQ(report.field("From"), "Mail Delivery System <MAILER-DAEMON@mail.kurir.test>");
  EXPECT_EQ(report.field("To"), "<alice@kurir.test>");
  EXPECT_EQ(report.field("Auto-Submitted"), "auto-replied");
  EXPECT_EQ(report.field("MIME-Version"), "1.0");
  EXPECT_EQ(report.field("Message-ID"), "<0123456789abcdef.report@mail.kurir.test>");
  EXPECT_EQ(report.field("In-Reply-To"), "<one@kurir.test>");
  EXPECT_EQ(parse_mail_date(report.field("Date"))->utc_seconds, at(100).seconds());
  const MimeParameter* type = report.structure.parts[0].parameter("report-type");
  ASSERT_NE(type, nullptr);
  EXPECT_EQ(type->value, "delivery-status");
}

TEST(DeliveryReport, has_the_fields_of_rfc_3464) {
  const std::vector<ReportedRecipient> recipients = {failed_recipient, unreachable_recipient,
                                                     delayed_recipient, delivered_recipient};
  const ReadReport report(compose_delivery_report(report_for(recipients)));
  struct Row {
    std::size_t group;
    std::string_view name, value;
  };
  const Row rows[] = {
      {0, "Original-Envelope-Id", "QQ314159"},
      {0, "Reporting-MTA", "dns; mail.kurir.test"},
      {0, "Received-From-MTA", "dns; client.test"},
      {0, "Arrival-Date", "Mon, 02 Feb 2026 02:40:00 +0000"},
      {1, "Original-Recipient", "rfc822; bob+list@other.test"},
      {1, "Final-Recipient", "rfc822; bob@remote.test"},
      {1, "Action", "failed"},
      {1, "Status", "5.1.1"},
      {1, "Remote-MTA", "dns; mx1.remote.test"},
      {1, "Diagnostic-Code",
       "smtp; 550-5.1.1 The account that you tried to reach does not exist. Please try 550-5.1.1 "
       "double-checking the address. 550 5.1.1 https://help.remote.test/NoSuchUser abc123"},
      {1, "Last-Attempt-Date", "Mon, 02 Feb 2026 02:41:00 +0000"},
      {1, "Will-Retry-Until", ""},
      {2, "Original-Recipient", ""},
      {2, "Remote-MTA", ""},
      {2, "Diagnostic-Code", "X-Kurir; The domain nowhere.test accepts no mail (null MX)"},
      {3, "Action", "delayed"},
      {3, "Status", "4.4.1"},
      {3, "Will-Retry-Until", "Sat, 07 Feb 2026 02:40:00 +0000"},
      {4, "Action", "delivered"},
      {4, "Status", "2.0.0"},
      {4, "Diagnostic-Code", "smtp; 250 2.0.0 Ok: queued as 4F2A"},
  };
  const std::vector<std::string> groups = report.groups();
  ASSERT_EQ(groups.size(), 5u);
  for (const Row& row : rows) {
    const auto field = find_field(groups[row.group], row.name);
    EXPECT_EQ(field ? unfold(field->value) : "", row.value) << row.group << " " << row.name;
  }
}

TEST(DeliveryReport, tells_people_what_happened) {
  const std::vector<ReportedRecipient> recipients = {failed_recipient, delayed_recipient};
  const std::string text = ReadReport(compose_delivery_report(report_for(recipients))).content(0);
  for (const std::string_view piece :
       {"could not be delivered"sv, "  bob@remote.test\r\n"sv,
        "The mail server does not know this address."sv,
        "mx1.remote.test [192.0.2.25] said:\r\n      550-5.1.1 The account"sv,
        "has not been delivered yet"sv, "Tried until Sat, 07 Feb 2026 02:40:00 +0000"sv,
        "The message \"Gr\xC3\xBC\xC3\x9F"
        "e from here\""sv}) {
    EXPECT_TRUE(text.contains(piece)) << piece << "\nnot in\n" << text;
  }
}

TEST(DeliveryReport, returns_the_header_and_never_the_body) {
  const ReadReport report(compose_delivery_report(report_for({&failed_recipient, 1})));
  EXPECT_TRUE(is(report.parts()[2], "text", "rfc822-headers"));
  EXPECT_EQ(report.content(2), original.substr(0, header_octets(original) - 2));
  EXPECT_FALSE(report.message.contains("not returned"));
}

TEST(DeliveryReport, returns_all_where_it_is_asked_to_small_and_sendable) {
  struct Row {
    std::string name, original;
    bool whole, eight_bit;
  };
  const std::string head = "Subject: x\r\n\r\n";
  const Row rows[] = {
      {"plain", head + "text\r\n", true, false},
      {"no line end", head + "text", true, false},
      {"8-bit body", head + "caf\xC3\xA9\r\n", true, true},
      {"8-bit header", "Subject: caf\xC3\xA9\r\n\r\ntext\r\n", false, false},
      {"long line", head + std::string(999, 'x') + "\r\n", false, false},
      {"longest line", head + std::string(998, 'x') + "\r\n", true, false},
      {"bare LF", head + "a\nb\r\n", false, false},
      {"bare CR", head + "a\rb\r\n", false, false},
      {"NUL", head + "a\0b\r\n"s, false, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    DeliveryReport request = report_for({&failed_recipient, 1});
    request.original = row.original;
    request.return_full = true;
    const ReadReport report(compose_delivery_report(request));
    expect_well_formed(report, 1);
    EXPECT_EQ(is(report.parts()[2], "message", "rfc822"), row.whole);
    EXPECT_EQ(report.field("Content-Transfer-Encoding"), row.eight_bit ? "8bit" : "(none)");
    EXPECT_EQ(has_eight_bit(report.message), row.eight_bit);
    if (row.whole) EXPECT_EQ(report.parts()[2]->body.of(report.message), row.original);
  }
  std::string large = head;
  while (large.size() <= limits::report_original_octets_max) large += "a line of the message\r\n";
  DeliveryReport request = report_for({&failed_recipient, 1});
  request.original = large;
  request.return_full = true;
  const ReadReport report(compose_delivery_report(request));
  EXPECT_EQ(report.content(2), "Subject: x\r\n");
}

TEST(DeliveryReport, a_large_header_is_returned_up_to_its_bound) {
  std::string header;
  for (int i = 0; i < 1000; ++i) header += "X-Number: " + std::string(90, 'n') + "\r\n";
  header.insert(0, "X-Huge: " + std::string(60'000, 'h') + "\r\nSubject: small\r\n");
  DeliveryReport request = report_for({&failed_recipient, 1});
  request.original = header;
  const ReadReport report(compose_delivery_report(request));
  expect_well_formed(report, 1);
  const std::string returned = report.content(2);
  EXPECT_TRUE(returned.starts_with("Subject: small\r\nX-Number: nnn"));
  EXPECT_LE(returned.size(), limits::report_original_octets_max);
  EXPECT_GT(returned.size(), limits::report_original_octets_max - 200);
}

// Whatever servers, senders and clients say, it stays text within its field or line.
TEST(DeliveryReport, nothing_from_elsewhere_breaks_out_of_its_place) {
  constexpr std::string_view nasty[] = {
      "550 a\r\n\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; x@y\r\n"sv,
      "550 a\rb\nRCPT TO:<x@y>\r\n.\r\n"sv,
      "550 \x1b[2J\x07\0\x7f\xff\xfe\r\n"sv,
      "550-\r\n550-   \r\n550 \t\r\n"sv,
      "550 --=_kurir-report-1_\r\n--=_kurir-report-1_--\r\n"sv,
      "\r\n--=_kurir-report-2_--\r\n\r\n--=_kurir-report-3_\r\nType: text/html\r\n\r\n"sv,
      "From: evil@x\r\nBcc: all@x\r\n\r\n"sv,
      "\xC3\xA9t\xC3\xA9@\xC3\xA9t\xC3\xA9.test"sv,
      "a\xC3"sv,
      "=?utf-8?Q?=0D=0AX-Evil:=20yes?="sv,
      "<<>>;\"\\()"sv,
      ";;;"sv,
      " "sv,
  };
  const std::string long_word(70'000, 'w');
  std::vector<std::string> texts(std::begin(nasty), std::end(nasty));
  texts.push_back(long_word);
  for (const std::string& text : texts) {
    SCOPED_TRACE(text.substr(0, 60));
    ReportedRecipient recipient = delayed_recipient;
    recipient.address = recipient.original = recipient.remote_name = recipient.remote_ip = text;
    recipient.remote_reply = recipient.explanation = text;
    ReportedRecipient unanswered = recipient;
    unanswered.remote_reply = {};
    const std::vector<ReportedRecipient> recipients = {recipient, unanswered, failed_recipient};
    DeliveryReport request = report_for(recipients);
    request.received_from = request.envelope_id = request.sender = text;
    const std::string nasty_original =
        "Subject: " + text + "\r\nMessage-ID: " + text + "\r\n\r\n" + text;
    request.original = nasty_original;
    for (const bool full : {false, true}) {
      request.return_full = full;
      const ReadReport report(compose_delivery_report(request));
      expect_well_formed(report, 3);
      EXPECT_EQ(count_fields(report.header(), "From"), 1u);
      EXPECT_EQ(count_fields(report.header(), "Bcc"), 0u);
      EXPECT_EQ(count_fields(report.header(), "X-Evil"), 0u);
      for (const std::string& group : report.groups()) {
        EXPECT_LE(count_fields(group, "Action"), 1u);
        EXPECT_LE(count_fields(group, "Final-Recipient"), 1u);
      }
    }
  }
}

TEST(DeliveryReport, its_boundary_is_in_no_part) {
  std::string header;
  for (const int number : {1, 2, 3, 5, 1, 40, 4}) {
    header += "X-A: b\r\n--=_kurir-report-" + std::to_string(number) + "_\r\n";
  }
  DeliveryReport request = report_for({&failed_recipient, 1});
  request.original = header;
  const ReadReport report(compose_delivery_report(request));
  expect_well_formed(report, 1);
  EXPECT_EQ(report.structure.parts[0].parameter("boundary")->value, "=_kurir-report-6_");
  EXPECT_EQ(report.content(2), header);
}

TEST(DeliveryReport, addresses_beyond_ascii_are_told_as_rfc_6533_says) {
  ReportedRecipient recipient = failed_recipient;
  recipient.address =
      "gr\xC3\xBC\xC3\x9F"
      "e@\xE4\xBE\x8B.test";
  recipient.original = "utf-8;\xF0\x9F\x93\xAC@x.test";
  DeliveryReport request = report_for({&recipient, 1});
  request.sender = "\xC3\xA9t\xC3\xA9@kurir.test";
  const ReadReport report(compose_delivery_report(request));
  const std::string group = report.groups().at(1);
  EXPECT_EQ(unfold(find_field(group, "Final-Recipient")->value),
            "utf-8; gr\\x{fc}\\x{df}e@\\x{4f8b}.test");
  EXPECT_EQ(unfold(find_field(group, "Original-Recipient")->value), "utf-8; \\x{1f4ec}@x.test");
  EXPECT_EQ(report.field("To"), "<\xC3\xA9t\xC3\xA9@kurir.test>");
  EXPECT_TRUE(report.content(0).contains(recipient.address));
}

}  // namespace
}  // namespace kurir::wire
