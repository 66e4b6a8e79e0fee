#include <gtest/gtest.h>

#include "kurir/queue/journal_record.hh"

namespace kurir::queue {
namespace {

Queued sample() {
  Queued record{.id = QueueId(0x0102030405060708), .record = {}};
  record.record.segment = 0x11121314;
  record.record.offset = 0x21222324;
  record.record.octets = 0x31323334;
  record.record.stream = store::StreamKind::mail;
  return record;
}

TEST(QueuedRecord, is_written_as_it_always_was) {
  EXPECT_EQ(encode(sample()), std::string("\x08\x07\x06\x05\x04\x03\x02\x01"
                                          "\x14\x13\x12\x11\x24\x23\x22\x21"
                                          "\x34\x33\x32\x31\x01\x00\x00\x00",
                                          24));
}

TEST(QueuedRecord, is_read_back) {
  const auto read = decode_queued(encode(sample()));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, sample().id);
  EXPECT_EQ(read->record, sample().record);
}

TEST(QueuedRecord, damage_is_no_record) {
  const std::string payload = encode(sample());
  for (std::size_t octets = 0; octets < payload.size(); ++octets)
    EXPECT_FALSE(decode_queued(std::string_view(payload).substr(0, octets))) << octets;
  EXPECT_FALSE(decode_queued(payload + 'x'));
  std::string of_journal = payload;
  of_journal[20] = 2;
  EXPECT_FALSE(decode_queued(of_journal));
  std::string nowhere = payload;
  for (std::size_t at = 8; at < 12; ++at) nowhere[at] = 0;
  EXPECT_FALSE(decode_queued(nowhere)) << "segments are numbered from 1";
}

}  // namespace
}  // namespace kurir::queue
