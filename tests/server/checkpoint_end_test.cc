#include "kurir/server/checkpoint_end.hh"

#include <gtest/gtest.h>

namespace kurir::server {
namespace {

CheckpointEnd sample() {
  return {.positions = {.mail = {0x01020304, 0x11121314}, .spool = {0x21222324, 0x31323334}},
          .octets = 0x4142434445464748};
}

TEST(CheckpointEnd, is_written_as_it_always_was) {
  EXPECT_EQ(encode(sample()), std::string("\x01\x00\x00\x00\x00\x00\x00\x00"
                                          "\x04\x03\x02\x01\x14\x13\x12\x11"
                                          "\x24\x23\x22\x21\x34\x33\x32\x31"
                                          "\x48\x47\x46\x45\x44\x43\x42\x41",
                                          32));
}

TEST(CheckpointEnd, is_read_back) {
  const Result<CheckpointEnd> read = decode_checkpoint_end(encode(sample()));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->positions.mail.segment, 0x01020304U);
  EXPECT_EQ(read->positions.mail.offset, 0x11121314U);
  EXPECT_EQ(read->positions.spool.segment, 0x21222324U);
  EXPECT_EQ(read->positions.spool.offset, 0x31323334U);
  EXPECT_EQ(read->octets, 0x4142434445464748U);
}

TEST(CheckpointEnd, of_another_length_is_damage) {
  const std::string payload = encode(sample());
  for (std::size_t octets = 0; octets < payload.size(); ++octets) {
    const auto read = decode_checkpoint_end(std::string_view(payload).substr(0, octets));
    ASSERT_FALSE(read.has_value()) << octets;
    EXPECT_EQ(read.error().code, Errc::corrupt);
  }
  EXPECT_FALSE(decode_checkpoint_end(payload + 'x').has_value());
}

TEST(CheckpointEnd, with_octets_that_are_never_written_is_damage) {
  std::string payload = encode(sample());
  payload[7] = 1;
  const auto read = decode_checkpoint_end(payload);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Errc::corrupt);
}

TEST(CheckpointEnd, of_a_newer_version_is_refused) {
  std::string payload = encode(sample()) + "more";
  payload[0] = 2;
  const auto read = decode_checkpoint_end(payload);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Errc::unsupported);
}

}  // namespace
}  // namespace kurir::server
