#include <gtest/gtest.h>

#include "kurir/queue/administration.hh"
#include "kurir/queue/journal_record.hh"

namespace kurir::queue {
namespace {

AdministratorOrdered sample() {
  return {
      QueueId(0x0102030405060708), {0x1122334455667788}, 0x0a0b, AdministratorOrder::bounce, "554"};
}

TEST(AdministratorOrder, is_written_as_it_always_was) {
  EXPECT_EQ(encode(sample()), std::string("\x08\x07\x06\x05\x04\x03\x02\x01"
                                          "\x88\x77\x66\x55\x44\x33\x22\x11"
                                          "\x0b\x0a\x04\x00\x03\x00\x00\x00"
                                          "554",
                                          27));
}

TEST(AdministratorOrder, is_read_back) {
  const std::string payload = encode(sample());
  const auto read = decode_order(payload);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, sample().id);
  EXPECT_EQ(read->when, sample().when);
  EXPECT_EQ(read->ordinal, sample().ordinal);
  EXPECT_EQ(read->order, sample().order);
  EXPECT_EQ(read->reply, "554");
  AdministratorOrdered wordy = sample();
  const std::string reply(reply_octets_max + 1, 'x');
  wordy.reply = reply;
  EXPECT_EQ(decode_order(encode(wordy)).has_value(), true);
}

TEST(AdministratorOrder, damage_is_no_order) {
  const std::string payload = encode(sample());
  for (std::size_t octets = 0; octets < payload.size(); ++octets)
    EXPECT_FALSE(decode_order(std::string_view(payload).substr(0, octets))) << octets;
  EXPECT_FALSE(decode_order(payload + 'x'));
  for (const char order : {'\0', '\5', '\xff'}) {
    std::string other = payload;
    other[18] = order;
    EXPECT_FALSE(decode_order(other));
  }
  std::string endless = payload;
  endless[23] = '\x7f';
  EXPECT_FALSE(decode_order(endless));
}

TEST(AdministratorKind, has_a_name) {
  EXPECT_EQ(parse_administrator_kind("release"), AdministratorCommand::Kind::release);
  EXPECT_EQ(parse_administrator_kind("remove"), AdministratorCommand::Kind::remove);
  EXPECT_EQ(parse_administrator_kind("Remove"), std::nullopt);
}

}  // namespace
}  // namespace kurir::queue
