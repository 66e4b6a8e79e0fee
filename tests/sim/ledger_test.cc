// The judge itself: each promise that is broken is seen, and what is allowed is let pass.

#include "ledger.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kurir::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string user = "u1@kurir.test", away = "r1@d0.test", bad = "bad1@d0.test";
const std::string content = "Subject: x\r\nX-Sim-Id: m1\r\n\r\nbody\r\n";

class LedgerTest : public testing::Test {
 protected:
  void send(std::vector<std::string> recipients, Fate fate = Fate::acknowledged) {
    SentMail& mail = ledger_.sent.emplace_back();
    mail.id = "m1";
    mail.sender = user;
    mail.content = content;
    mail.recipients = std::move(recipients);
    mail.fate = fate;
  }
  void put(const std::vector<std::string>& contents) {
    std::vector<Ledger::Seen> messages;
    for (const std::string& one : contents)
      messages.push_back({1, static_cast<std::uint32_t>(messages.size() + 1), one});
    ledger_.see_all(user, std::move(messages));
  }
  TakenMail& take(const std::string& recipient, Seconds when, bool is_certain) {
    TakenMail* taken = ledger_.take("Received: x\r\n" + content, {recipient}, Instant(when));
    taken->is_certain = is_certain;
    return *taken;
  }
  static std::string report(const std::string& recipient) {
    return "Content-Type: multipart/report; boundary=x\r\n\r\nFinal-Recipient: rfc822;" +
           recipient + "\r\nAction: failed\r\n\r\nX-Sim-Id: m1\r\n";
  }
  const std::vector<std::string>& judged() {
    ledger_.check();
    return ledger_.violations;
  }
  Ledger ledger_;
};

TEST_F(LedgerTest, mail_that_has_arrived_once_is_well) {
  send({user, away});
  put({"Return-Path: <x>\r\n" + content});
  take(away, Seconds(1), true);
  EXPECT_THAT(ledger_.missing(), IsEmpty());
  EXPECT_THAT(judged(), IsEmpty());
}

TEST_F(LedgerTest, acknowledged_mail_that_is_nowhere_is_lost) {
  send({user, away});
  put({});
  EXPECT_THAT(ledger_.missing(), ElementsAre("m1 for " + user, "m1 for " + away));
  EXPECT_THAT(judged(), ElementsAre(HasSubstr("LOST"), HasSubstr("LOST")));
}

TEST_F(LedgerTest, a_flipped_bit_costs_one_message_at_most) {
  send({user, away});
  put({});
  ledger_.damages_max = 1;
  EXPECT_THAT(ledger_.missing(), IsEmpty());
  EXPECT_THAT(judged(), IsEmpty());
  send({user});
  ledger_.sent.back().id = "m2";
  EXPECT_THAT(judged(), ElementsAre(HasSubstr("LOST")));
}

TEST_F(LedgerTest, mail_whose_reply_was_not_heard_may_be_anywhere_once) {
  send({user}, Fate::unknown);
  put({});
  EXPECT_THAT(judged(), IsEmpty());
  put({content});
  EXPECT_THAT(judged(), IsEmpty());
  put({content, content});
  EXPECT_THAT(judged(), ElementsAre(HasSubstr("delivered 2 times")));
}

TEST_F(LedgerTest, refused_mail_must_not_appear) {
  send({user, away}, Fate::refused);
  put({content});
  take(away, Seconds(1), true);
  EXPECT_THAT(judged(),
              ElementsAre(HasSubstr("refused, yet delivered"), HasSubstr("refused, yet sent on")));
}

TEST_F(LedgerTest, altered_invented_and_misdirected_mail_is_seen) {
  send({away});
  put({content, "X-Sim-Id: m1\r\n\r\nanother body\r\n", "X-Sim-Id: m9\r\n\r\n"});
  take(away, Seconds(1), true);
  const std::vector<std::string> violations = judged();
  EXPECT_THAT(violations, testing::Contains(HasSubstr("altered")));
  EXPECT_THAT(violations, testing::Contains(HasSubstr("nobody sent")));
  EXPECT_THAT(violations, testing::Contains(HasSubstr("never asked for")));
}

TEST_F(LedgerTest, what_was_deleted_stays_away) {
  send({user});
  ledger_.deleted(user, "m1", Ledger::Deletion::asked);
  put({content});
  EXPECT_THAT(judged(), IsEmpty());
  ledger_.deleted(user, "m1", Ledger::Deletion::done);
  EXPECT_THAT(judged(), ElementsAre(HasSubstr("deleted, yet there")));
}

TEST_F(LedgerTest, a_uid_is_one_message_for_ever) {
  ledger_.see_uid(user, "INBOX", 1, 5, "m1");
  ledger_.see_uid(user, "INBOX", 2, 5, "m2");
  ledger_.see_uid(user, "INBOX", 1, 5, "m1");
  EXPECT_THAT(ledger_.violations, IsEmpty());
  ledger_.see_uid(user, "INBOX", 1, 5, "m2");
  EXPECT_THAT(ledger_.violations, ElementsAre(HasSubstr("uid 5")));
}

TEST_F(LedgerTest, a_repeated_delivery_wants_a_crash_or_a_lost_reply) {
  send({away});
  TakenMail& first = take(away, Seconds(10), true);
  take(away, Seconds(100), true);
  ledger_.check();
  EXPECT_THAT(ledger_.violations, ElementsAre(HasSubstr("sent 2 times")));
  ledger_.violations.clear();
  ledger_.crashes = {Instant(Seconds(50))};  // long after the first
  EXPECT_THAT(judged(), ElementsAre(HasSubstr("sent 2 times")));
  ledger_.violations.clear();
  ledger_.crashes = {Instant(Seconds(11))};
  EXPECT_THAT(judged(), IsEmpty());
  ledger_.crashes.clear();
  first.is_certain = false;
  EXPECT_THAT(judged(), IsEmpty());
}

TEST_F(LedgerTest, returned_mail_wants_a_reason_and_no_delivery) {
  send({away, bad});
  put({report(bad)});
  take(away, Seconds(1), true);
  EXPECT_THAT(judged(), IsEmpty());
  put({report(bad), report(bad)});
  EXPECT_THAT(judged(), ElementsAre(HasSubstr("returned 2 times")));
  ledger_.violations.clear();
  put({report(bad), report(away)});
  EXPECT_THAT(judged(),
              ElementsAre(HasSubstr("without a reason"), HasSubstr("delivered, and returned too")));
}

}  // namespace
}  // namespace kurir::sim
