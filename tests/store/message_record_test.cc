#include "kurir/store/message_record.hh"

#include <gtest/gtest.h>

#include "support.hh"

namespace kurir::store {
namespace {

constexpr std::string_view tail = "Subject: tail\r\n\r\nbody\r\n";

MessageEnvelope example() {
  MessageEnvelope envelope;
  envelope.queue_id = QueueId(0x1122334455667788);
  envelope.received = {1'700'000'000'000'000};
  envelope.flags = message_flag::has_8bit | message_flag::smtputf8;
  envelope.content_octets = 100 + 200 + tail.size();
  envelope.reverse_path = "sender@example.test";
  envelope.helo = "client.example.test";
  envelope.peer_address = "192.0.2.1:2525";
  envelope.protocol = "ESMTPSA";
  envelope.user = "";
  envelope.session_id = "s-1";
  envelope.recipients = {
      {"a@example.test", "", recipient_flag::local},
      {"b@elsewhere.test", "rfc822;b+orig@elsewhere.test", recipient_flag::notify_never}};
  for (const std::uint32_t octets : {100U, 200U})
    envelope.extents.push_back({.segment = 5,
                                .offset = 4096 + octets * 8,
                                .octets = static_cast<std::uint32_t>(record_octets(octets)),
                                .shard = 1,
                                .stream = StreamKind::mail});
  return envelope;
}

std::string example_payload() { return encode_message(example(), tail.size()) + std::string(tail); }

TEST(MessageRecord, decodes_to_what_was_encoded) {
  const std::string payload = example_payload();
  const Result<DecodedMessage> decoded = decode_message(payload);
  ASSERT_TRUE(decoded.has_value());
  const MessageEnvelope expected = example();
  const MessageEnvelope& envelope = decoded->envelope;
  EXPECT_EQ(envelope.queue_id, expected.queue_id);
  EXPECT_EQ(envelope.received, expected.received);
  EXPECT_EQ(envelope.flags, expected.flags);
  EXPECT_EQ(envelope.content_octets, expected.content_octets);
  EXPECT_EQ(envelope.reverse_path, expected.reverse_path);
  EXPECT_EQ(envelope.helo, expected.helo);
  EXPECT_EQ(envelope.peer_address, expected.peer_address);
  EXPECT_EQ(envelope.protocol, expected.protocol);
  EXPECT_EQ(envelope.user, expected.user);
  EXPECT_EQ(envelope.session_id, expected.session_id);
  ASSERT_EQ(envelope.recipients.size(), 2U);
  EXPECT_EQ(envelope.recipients[1].address, "b@elsewhere.test");
  EXPECT_EQ(envelope.recipients[1].original_address, "rfc822;b+orig@elsewhere.test");
  EXPECT_EQ(envelope.recipients[0].flags, recipient_flag::local);
  EXPECT_EQ(envelope.extents, expected.extents);
  EXPECT_EQ(decoded->tail, tail);
}

TEST(MessageRecord, an_empty_message_from_nobody_decodes) {
  const Result<DecodedMessage> decoded = decode_message(encode_message({}, 0));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_TRUE(decoded->tail.empty());
  EXPECT_TRUE(decoded->envelope.recipients.empty());
}

TEST(MessageRecord, every_truncation_is_corrupt) {
  const std::string payload = example_payload();
  for (std::size_t octets = 0; octets < payload.size(); ++octets) {
    // Its own allocation, so that a sanitizer sees a read past the end.
    const std::vector<char> cut(payload.begin(),
                                payload.begin() + static_cast<std::ptrdiff_t>(octets));
    EXPECT_FALSE(decode_message({cut.data(), cut.size()}).has_value()) << octets;
  }
  EXPECT_FALSE(decode_message(payload + "x").has_value());
}

// The record's checksum finds what this does not; here it must only not read outside or allocate
// without bound.
TEST(MessageRecord, no_flipped_bit_reads_outside) {
  const std::string payload = example_payload();
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < payload.size() * 8; ++bit) {
    std::vector<char> flipped(payload.begin(), payload.end());
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    if (!decode_message({flipped.data(), flipped.size()})) ++refused;
  }
  EXPECT_GT(refused, 100U);
}

TEST(MessageRecord, counts_that_lie_are_corrupt) {
  const std::string good = example_payload();
  for (const std::size_t field :
       {offsetof(MessageFixed, recipients), offsetof(MessageFixed, extents),
        offsetof(MessageFixed, tail_octets), offsetof(MessageFixed, content_octets)}) {
    for (const std::uint32_t lie : {0xffffffffU, 0x7fffffffU, 1000U}) {
      std::string payload = good;
      payload.replace(field, sizeof lie, reinterpret_cast<const char*>(&lie), sizeof lie);
      EXPECT_EQ(decode_message(payload).error().code, Errc::corrupt) << field << " " << lie;
    }
  }
}

TEST(MessageRecord, a_newer_version_is_refused_as_such) {
  std::string payload = example_payload();
  payload[0] = message_version + 1;
  EXPECT_EQ(decode_message(payload).error().code, Errc::unsupported);
}

TEST(MessageRecord, golden_octets) {
  EXPECT_TRUE(test::golden("message-v1.bin") == example_payload());
}

}  // namespace
}  // namespace kurir::store
