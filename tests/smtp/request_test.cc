// What a sender asks for with ESMTP parameters is kept with the message, in the queue and on disk.

#include "fixture.hh"
#include "kurir/store/message_record.hh"

namespace kurir::smtp::test {
namespace {

Task<std::string> answer(FakeStream& stream, std::string command) {
  stream.feed(command + "\r\n");
  std::string line = co_await stream.take_line(deadline_in(Seconds(10)));
  while (line.size() > 3 && line[3] == '-')
    line = co_await stream.take_line(deadline_in(Seconds(10)));
  co_return line;
}

Task<void> say(FakeStream& stream, std::string command, std::string expected) {
  const std::string said = co_await answer(stream, command);
  EXPECT_TRUE(said.starts_with(expected)) << command << ": " << said;
}

namespace flag = store::recipient_flag;

Task<void> keep_dsn(House& house) {
  FakeStream& stream = *co_await house.greeted();
  co_await say(stream, "EHLO client.example", "250 ");
  co_await say(stream, "MAIL FROM:<a@b.example> RET=HDRS ENVID=QQ+2B", "250 ");
  co_await say(stream, "RCPT TO:<alice@example.test>", "250 ");
  co_await say(stream, "RCPT TO:<bob@example.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;B+2B@x",
               "250 ");
  co_await say(stream, "DATA", "354 ");
  co_await say(stream, "text\r\n.", "250 ");
  const queue::Envelope& envelope = house.queued().at(0)->envelope;
  EXPECT_EQ(envelope.returned, queue::Returned::headers);
  EXPECT_EQ(envelope.recipients.at(0).notify.bits(), 0);
  EXPECT_EQ(envelope.recipients.at(1).notify.bits(), flag::notify_success | flag::notify_delay);
  EXPECT_EQ(envelope.orcpt_of(0), "");
  EXPECT_EQ(envelope.orcpt_of(1), "rfc822;B+2B@x");
  const std::vector<std::string> records = co_await house.after_a_crash();
  const auto stored = store::decode_message(records.at(0));
  EXPECT_TRUE(stored.has_value());
  if (!stored) co_return;
  EXPECT_EQ(stored->envelope.envid, "QQ+2B");
  EXPECT_EQ(stored->envelope.recipients.at(1).orcpt, "rfc822;B+2B@x");
  EXPECT_TRUE((stored->envelope.flags & store::message_flag::ret_headers) != 0);
}
TEST(SmtpRequest, about_reports_is_kept) { House::run({}, keep_dsn); }

// The octets of all of them are bounded: the record of the message takes only so much.
Task<void> bound_orcpt(House& house) {
  FakeStream& stream = *co_await house.greeted();
  co_await say(stream, "EHLO client.example", "250 ");
  co_await say(stream, "MAIL FROM:<a@b.example>", "250 ");
  const std::string orcpt = " ORCPT=rfc822;" + std::string(493, 'x');
  const std::size_t most = limits::dsn_orcpts_octets_max / 500;
  for (std::size_t number = 0; number < most; ++number)
    co_await say(stream, "RCPT TO:<alice+" + std::to_string(number) + "@example.test>" + orcpt,
                 "250 ");
  co_await say(stream, "RCPT TO:<bob@example.test>" + orcpt, "452 4.5.3 ");
  co_await say(stream, "DATA", "354 ");
  co_await say(stream, "text\r\n.", "250 ");
  EXPECT_EQ(house.queued().at(0)->envelope.recipients.size(), most);
}
TEST(SmtpRequest, orcpt_of_all_recipients_is_bounded) {
  HouseOptions options;
  options.server.recipients_max = 1000;
  House::run(options, bound_orcpt);
}

Task<void> keep_utf8(House& house) {
  FakeStream& stream = *co_await house.greeted();
  co_await say(stream, "EHLO client.example", "250 ");
  co_await say(stream, "MAIL FROM:<\xC3\xBC@b\xC3\xBC\x63her.example> SMTPUTF8 MT-PRIORITY=-2",
               "250 ");
  co_await say(stream, "RCPT TO:<bob@EXAMPLE.test>", "250 ");
  co_await say(stream, "DATA", "354 ");
  co_await say(stream, "text\r\n.", "250 ");
  const queue::Envelope& envelope = house.queued().at(0)->envelope;
  EXPECT_EQ(envelope.reverse_path, "\xC3\xBC@xn--bcher-kva.example");
  EXPECT_TRUE(envelope.is_utf8);
  EXPECT_EQ(envelope.priority, -2);
  EXPECT_EQ(envelope.reception.protocol(), "UTF8SMTP");
  const std::vector<std::string> records = co_await house.after_a_crash();
  const auto stored = store::decode_message(records.at(0));
  EXPECT_TRUE(stored.has_value());
  if (!stored) co_return;
  EXPECT_TRUE((stored->envelope.flags & store::message_flag::smtputf8) != 0);
  EXPECT_EQ(stored->envelope.priority, -2);
}
TEST(SmtpRequest, in_utf8_is_kept_with_its_domain_in_ascii) { House::run({}, keep_utf8); }

// RFC 4865: base64 is of "\0bob@example.test\0" and the password of support/bobs_directory.hh.
Task<void> bad_holds(House& house) {
  FakeStream& stream = *co_await house.greeted();
  co_await say(stream, "EHLO client.example", "250 ");
  for (const std::string parameters :
       {"HOLDFOR=0", "HOLDFOR=01", "HOLDFOR=1234567890", "HOLDFOR=1 HOLDUNTIL=2999-01-01T00:00:00Z",
        "HOLDUNTIL=tomorrow"})
    co_await say(stream, "MAIL FROM:<bob@example.test> " + parameters, "501 5.5.4 ");
}
TEST(SmtpRequest, to_be_held_is_refused_where_it_is_not_written_as_it_must_be) {
  HouseOptions options;
  options.service = Service::submission;
  House::run(options, bad_holds);
}

Task<void> keep_wishes(House& house) {
  FakeStream& stream = *co_await house.greeted();
  co_await say(stream, "EHLO client.example", "250 ");
  co_await say(stream, "MAIL FROM:<a@b.example> REQUIRETLS", "555 5.5.4 ");  // not without TLS
  co_await say(stream, "MAIL FROM:<a@b.example> BY=100;NT", "250 ");
  co_await say(stream, "RCPT TO:<bob@example.test>", "250 ");
  co_await say(stream, "DATA", "354 ");
  co_await say(stream, "TLS-Required: No\r\n\r\ntext\r\n.", "250 ");
  EXPECT_TRUE(house.queued().at(0)->envelope.tls_optional);
  const std::vector<std::string> records = co_await house.after_a_crash();
  const auto stored = store::decode_message(records.at(0));
  EXPECT_TRUE(stored.has_value());
  if (!stored) co_return;
  const store::MessageEnvelope& envelope = stored->envelope;
  EXPECT_TRUE((envelope.flags & store::message_flag::tls_optional) != 0);
  EXPECT_EQ(envelope.deliver_by_flags,
            store::deliver_by_flag::notify | store::deliver_by_flag::trace);
  const std::int64_t left = envelope.deliver_by.microseconds - envelope.received.microseconds;
  EXPECT_NEAR(static_cast<double>(left), 100e6, 10e6);
}
TEST(SmtpRequest, about_time_and_tls_is_kept) { House::run({}, keep_wishes); }

}  // namespace
}  // namespace kurir::smtp::test
