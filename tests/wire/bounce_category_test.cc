#include "kurir/wire/bounce_category.hh"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace kurir::wire {
namespace {

using enum BounceCategory;

BounceCategory category_of(std::string_view lines) {
  const auto reply = parse_smtp_reply(lines);
  EXPECT_TRUE(reply.is_match()) << lines;
  return bounce_category(reply.value().code, reply.value().status, reply.value().lines);
}

struct Row {
  std::string_view reply;
  BounceCategory category;
};

// In the manner of what large and small servers answer.
constexpr Row rows[] = {
    {"550-5.1.1 The email account that you tried to reach does not exist. Please try\r\n"
     "550-5.1.1 double-checking the recipient's email address for typos\r\n"
     "550 5.1.1 https://support.mail.test/?p=NoSuchUser a1b2 - smtp\r\n",
     bad_mailbox},
    {"550 5.1.1 <x@y.test>: Recipient address rejected: User unknown in virtual mailbox table\r\n",
     bad_mailbox},
    {"550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).\r\n", bad_mailbox},
    {"550 No such user here\r\n", bad_mailbox},
    {"550 no mailbox here by that name\r\n", bad_mailbox},
    {"554 delivery error: dd This user doesn't have a y.test account (x@y.test) [0]\r\n",
     bad_mailbox},
    {"553 sorry, that address is not in my list of allowed recipients\r\n", bad_mailbox},
    {"550 5.1.1 Blocked\r\n", bad_mailbox},
    {"551 Please try another@place.test\r\n", bad_mailbox},
    {"550 5.2.0 strange\r\n", bad_mailbox},
    {"550-5.1.1 User\r\n550 5.1.1 unknown\r\n", bad_mailbox},
    {"550 5.2.1 The email account that you tried to reach is inactive.\r\n", inactive_mailbox},
    {"550 5.2.1 The email account that you tried to reach is over quota\r\n", quota_issues},
    {"554 30 Sorry, your message cannot be delivered. This mailbox is disabled (554.30).\r\n",
     inactive_mailbox},
    {"550 Account has been suspended\r\n", inactive_mailbox},
    {"525 5.7.13 Not now\r\n", inactive_mailbox},
    {"452-4.2.2 The recipient's inbox is out of storage space and inactive.\r\n"
     "452 4.2.2 https://support.mail.test/?p=OverQuotaTemp\r\n",
     quota_issues},
    {"552 5.2.2 <x@y.test>: Quota exceeded (mailbox for user is full)\r\n", quota_issues},
    {"452 4.3.1 Insufficient system storage\r\n", quota_issues},
    {"552 Requested mail action aborted\r\n", quota_issues},
    {"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org\r\n",
     spam_related},
    {"550-5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your\r\n"
     "550 5.7.1 provider since part of their network is on our block list (S3140).\r\n",
     spam_related},
    {"550-5.7.1 Our system has detected that this message is likely unsolicited mail.\r\n"
     "550 5.7.1 To reduce the amount of it, this message has been blocked.\r\n",
     spam_related},
    {"550 5.7.606 Access denied, banned sending IP [192.0.2.1]\r\n", spam_related},
    {"421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints\r\n",
     spam_related},
    {"554 Message looks like SPAM\r\n", spam_related},
    {"550 Blocked\r\n", spam_related},
    {"554 5.7.1 The message was rejected: it contains a virus (Eicar-Test)\r\n", virus_related},
    {"550 This message contains malware\r\n", virus_related},
    {"550-5.7.26 This mail has been blocked because the sender is unauthenticated.\r\n"
     "550-5.7.26 Authentication results:\r\n550 5.7.26 DKIM = did not pass\r\n",
     policy_related},
    {"550 5.7.23 The message was rejected because of an SPF violation\r\n", policy_related},
    {"550 5.7.509 Access denied, sending domain x.test does not pass DMARC verification\r\n",
     policy_related},
    {"450 4.7.1 <x@y.test>: Recipient is greylisted, see http://postgrey.test/\r\n",
     policy_related},
    {"450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents\r\n",
     policy_related},
    {"421 4.7.0 mx.y.test Error: too many connections from 192.0.2.1\r\n", policy_related},
    {"450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]\r\n", policy_related},
    {"550 5.7.1 Rejected by policy\r\n", policy_related},
    {"550 5.7.1 No\r\n", policy_related},
    {"530 5.7.0 Must issue a STARTTLS command first\r\n", policy_related},
    {"452 4.5.3 Too many recipients\r\n", policy_related},
    {"554 5.7.1 <x@y.test>: Relay access denied\r\n", relaying_issues},
    {"550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain\r\n", relaying_issues},
    {"550 relay not permitted\r\n", relaying_issues},
    {"553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\r\n", relaying_issues},
    {"535 5.7.8 Error\r\n", relaying_issues},
    {"530 Authenticate first\r\n", relaying_issues},
    {"550 5.1.8 <a@x.test>: Sender address rejected: Domain not found\r\n", invalid_sender},
    {"553 5.1.8 Strange\r\n", invalid_sender},
    {"550 Sender verify failed\r\n", invalid_sender},
    {"550 5.1.2 Host unknown (Name server: y.test: host not found)\r\n", bad_domain},
    {"556 5.1.10 Recipient address has null MX\r\n", bad_domain},
    {"521 y.test does not accept mail\r\n", bad_domain},
    {"521 No\r\n", bad_domain},
    {"552 5.3.4 Message size exceeds fixed limit\r\n", content_related},
    {"554 5.6.0 Reject, id=1 - BAD_HEADER\r\n", content_related},
    {"550 5.7.0 Attachment type not allowed\r\n", content_related},
    {"550 5.7.1 Messages missing a valid Message-ID header are not accepted (RFC 5322)\r\n",
     content_related},
    {"554 5.4.6 Too many hops\r\n", routing_errors},
    {"554 5.4.0 Error: too many hops\r\n", routing_errors},
    {"550 Unrouteable address\r\n", routing_errors},
    {"451 4.4.3 Temporary server error\r\n", routing_errors},
    {"503 5.5.1 Bad sequence of commands\r\n", protocol_errors},
    {"502 Command not implemented\r\n", protocol_errors},
    {"555 Unsupported option\r\n", protocol_errors},
    {"421 4.4.2 mx.y.test Error: timeout exceeded\r\n", bad_connection},
    {"421 Service not available, closing transmission channel\r\n", bad_connection},
    {"421\r\n", bad_connection},
    {"451 4.3.0 Aborted\r\n", bad_configuration},
    {"550 5.3.5 Host misconfigured\r\n", bad_configuration},
    {"451 Local error in processing\r\n", bad_configuration},
    {"554 5.4.7 Too late\r\n", message_expired},
    {"550 retry timeout exceeded\r\n", message_expired},
    {"550 5.4.1 Gone fishing\r\n", no_answer_from_host},
    {"550 Nope\r\n", other},
    {"554 5.0.0 Transaction failed\r\n", other},
};

TEST(BounceCategory, of_replies) {
  for (const Row& row : rows)
    EXPECT_EQ(name_of(category_of(row.reply)), name_of(row.category)) << row.reply;
  std::set<BounceCategory> covered;
  for (const Row& row : rows) covered.insert(row.category);
  EXPECT_EQ(covered.size(), 17u);
}

TEST(BounceCategory, of_failures_without_a_reply) {
  struct Case {
    EnhancedStatus status;
    std::string_view text;
    BounceCategory category;
  };
  const Case cases[] = {
      {{4, 4, 1}, "connect to mx.y.test[192.0.2.1]:25: Connection refused", no_answer_from_host},
      {{4, 4, 2}, "lost connection with mx.y.test while sending MAIL FROM", bad_connection},
      {{4, 4, 3}, "name server failure", routing_errors},
      {{5, 1, 2}, "", bad_domain},
      {{5, 1, 10}, "", bad_domain},
      {{5, 4, 6}, "", routing_errors},
      {{4, 4, 7}, "", message_expired},
      {{}, "", other},
      {{5, 999, 999}, "", other},
  };
  for (const Case& c : cases)
    EXPECT_EQ(name_of(bounce_category(0, c.status, c.text)), name_of(c.category)) << c.text;
}

TEST(BounceCategory, words_count_from_their_start_in_any_case_and_spacing) {
  EXPECT_EQ(bounce_category(550, {}, "USER__UNKNOWN"), bad_mailbox);
  EXPECT_EQ(bounce_category(550, {}, "superuser unknownable"), bad_mailbox);  // vaguely: "unknown"
  EXPECT_EQ(bounce_category(550, {}, "antivirus"), other);
  EXPECT_EQ(bounce_category(550, {}, "\xff\x01virus\0"), virus_related);
  EXPECT_EQ(bounce_category(550, {}, "550 5.1.1"), other);
}

TEST(BounceCategory, reads_a_bounded_part_of_any_text) {
  const std::string endless = std::string(100'000, 'x') + " virus";
  EXPECT_EQ(bounce_category(550, {}, endless), other);
  std::string words;
  while (words.size() < 100'000) words += "mailbox m unknown u ";
  EXPECT_EQ(bounce_category(550, {}, words), bad_mailbox);
}

TEST(BounceCategory, statuses_have_their_registered_names) {
  EXPECT_EQ(registered_name({5, 1, 1}), "Bad destination mailbox address");
  EXPECT_EQ(registered_name({4, 2, 2}), "Mailbox full");
  EXPECT_EQ(registered_name({5, 7, 26}), "Multiple authentication checks failed");
  EXPECT_EQ(registered_name({2, 0, 0}), "Other undefined Status");
  EXPECT_EQ(registered_name({5, 7, 606}), "");
  EXPECT_EQ(registered_name({}), "");
}

}  // namespace
}  // namespace kurir::wire
