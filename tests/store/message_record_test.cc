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

// With something of each kind that version 2 added.
MessageEnvelope example_with_extras() {
  MessageEnvelope envelope = example();
  envelope.envid = "QQ+2B314";
  envelope.recipients[1].orcpt = "rfc822;B+2Borig@elsewhere.test";
  envelope.priority = -4;
  envelope.hold_until = {1'700'000'100'000'000};
  envelope.deliver_by = {1'700'000'200'000'000};
  envelope.deliver_by_flags = deliver_by_flag::notify | deliver_by_flag::trace;
  return envelope;
}

std::string payload_with_extras() {
  return encode_message(example_with_extras(), tail.size()) + std::string(tail);
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

TEST(MessageRecord, decodes_to_the_extras_that_were_encoded) {
  const std::string payload = payload_with_extras();
  const Result<DecodedMessage> decoded = decode_message(payload);
  ASSERT_TRUE(decoded.has_value());
  const MessageEnvelope& envelope = decoded->envelope;
  EXPECT_EQ(envelope.envid, "QQ+2B314");
  EXPECT_EQ(envelope.recipients[0].orcpt, "");
  EXPECT_EQ(envelope.recipients[1].orcpt, "rfc822;B+2Borig@elsewhere.test");
  EXPECT_EQ(envelope.priority, -4);
  EXPECT_EQ(envelope.hold_until, (WallTime{1'700'000'100'000'000}));
  EXPECT_EQ(envelope.deliver_by, (WallTime{1'700'000'200'000'000}));
  EXPECT_EQ(envelope.deliver_by_flags, deliver_by_flag::notify | deliver_by_flag::trace);
  EXPECT_EQ(envelope.extents, example().extents);
  EXPECT_EQ(decoded->tail, tail);
}

// Replaces the extras of the example, which has none but these.
std::string payload_with_field(std::uint16_t tag, std::string_view value) {
  MessageEnvelope envelope = example();
  envelope.envid = std::string_view("????????????????").substr(0, value.size());
  std::string payload = encode_message(envelope, tail.size()) + std::string(tail);
  const std::size_t at = payload.find("????");
  payload.replace(at - 4, sizeof tag, reinterpret_cast<const char*>(&tag), sizeof tag);
  payload.replace(at, value.size(), value);
  return payload;
}

TEST(MessageRecord, skips_a_field_that_it_does_not_know) {
  const std::string payload = payload_with_field(999, "anything");
  const Result<DecodedMessage> decoded = decode_message(payload);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->envelope.envid, "");
  EXPECT_EQ(decoded->tail, tail);
}

TEST(MessageRecord, refuses_fields_that_no_writer_writes) {
  EXPECT_FALSE(decode_message(payload_with_field(extra_field::priority, "1234")).has_value());
  EXPECT_FALSE(decode_message(payload_with_field(extra_field::hold_until, "1234567")).has_value());
  EXPECT_FALSE(decode_message(payload_with_field(extra_field::deliver_by, "12345678")).has_value());
  using namespace std::string_view_literals;
  EXPECT_FALSE(decode_message(payload_with_field(extra_field::orcpt, "\2\0\0\0a"sv)).has_value());
  EXPECT_TRUE(decode_message(payload_with_field(extra_field::orcpt, "\1\0\0\0a"sv)).has_value());
}

TEST(MessageRecord, an_empty_message_from_nobody_decodes) {
  const Result<DecodedMessage> decoded = decode_message(encode_message({}, 0));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_TRUE(decoded->tail.empty());
  EXPECT_TRUE(decoded->envelope.recipients.empty());
}

TEST(MessageRecord, extents_are_found_in_its_begin_and_changed_there) {
  const MessageEnvelope envelope = example_with_extras();
  const std::string payload = encode_message(envelope, tail.size()).append(tail);
  std::vector<RecordRef> moved = envelope.extents;
  ASSERT_FALSE(moved.empty());
  std::size_t octets = 0;
  while (!extents_in(std::string_view(payload).substr(0, octets))) ++octets;
  EXPECT_LT(octets, payload.size());
  EXPECT_EQ(*extents_in(std::string_view(payload).substr(0, octets)), envelope.extents);
  for (RecordRef& extent : moved) extent.segment += 100;
  const std::string changed = with_extents(payload, moved);
  EXPECT_EQ(changed.size(), payload.size());
  const Result<DecodedMessage> decoded = decode_message(changed);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->envelope.extents, moved);
  EXPECT_EQ(decoded->envelope.reverse_path, envelope.reverse_path);
  EXPECT_EQ(decoded->envelope.envid, envelope.envid);
  EXPECT_EQ(decoded->tail, tail);
  EXPECT_EQ(with_extents(changed, envelope.extents), payload);
}

TEST(MessageRecord, every_truncation_is_corrupt) {
  for (const std::string& payload : {example_payload(), payload_with_extras()}) {
    for (std::size_t octets = 0; octets < payload.size(); ++octets) {
      // Its own allocation, so that a sanitizer sees a read past the end.
      const std::vector<char> cut(payload.begin(),
                                  payload.begin() + static_cast<std::ptrdiff_t>(octets));
      EXPECT_FALSE(decode_message({cut.data(), cut.size()}).has_value()) << octets;
    }
    EXPECT_FALSE(decode_message(payload + "x").has_value());
  }
}

// The record's checksum finds what this does not; here it must only not read outside or allocate
// without bound.
TEST(MessageRecord, no_flipped_bit_reads_outside) {
  const std::string payload = payload_with_extras();
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
  EXPECT_TRUE(test::golden("message-v2.bin") == payload_with_extras());
}

}  // namespace
}  // namespace kurir::store
