#pragma once
// What the queue writes to the shard's journal: a recipient reached an end, was put off, or its
// sender was told that it takes long, an administrator gave an order.
// Little-endian, lengths checked. Version rule: a record type's layout never changes; a new layout
// is a new type number (queue has 32 to 63).
//
//   recipient ended (32), 24 octets          recipient put off (33), 40 octets + reply
//     0  u64 queue id                           0  u64 queue id
//     8  i64 when, microseconds since 1970      8  i64 when
//    16  u16 ordinal of the recipient          16  i64 next attempt, microseconds since 1970
//    18  u8  RecipientState                    24  u16 ordinal
//    19  u8[5] zero                            26  u16 attempts so far
//                                              28  u32 octets of the reply (at most 1024)
//                                              32  u8[8] zero, then the reply
//   delivered, which the sender is yet to be told (37): as 32
//   sender told of the delay (36), 16 octets
//     0  u64 queue id                           8  i64 when
//   administrator's order (35), 24 octets + reply
//     0  u64 queue id                           8  i64 when
//    16  u16 ordinal of the recipient that is to bounce; 0xffff: the order is for all of them
//    18  u8  AdministratorOrder                19  u8 zero
//    20  u32 octets of the reply (at most 1024), then the reply: what the bounce says; else empty
//   queued (34), 24 octets: a message of before a checkpoint that is not through
//     0  u64 queue id
//     8  u32 segment, 12 u32 offset, 16 u32 octets: of the message's record in this shard
//    20  u8  StreamKind                        21  u8[3] zero
//
// Pure. Any core.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kurir/base/clock.hh"
#include "kurir/base/ids.hh"
#include "kurir/queue/message.hh"

namespace kurir::queue {

inline constexpr std::uint16_t record_recipient_ended = 32;
inline constexpr std::uint16_t record_recipient_put_off = 33;
inline constexpr std::uint16_t record_queued = 34;
inline constexpr std::uint16_t record_administrator_order = 35;
inline constexpr std::uint16_t record_sender_told_of_delay = 36;
inline constexpr std::uint16_t record_success_to_report = 37;
inline constexpr std::size_t reply_octets_max = 1024;

struct RecipientEnded {
  QueueId id;
  WallTime when;
  std::uint16_t ordinal = 0;
  RecipientState state = RecipientState::waiting;
};

struct RecipientPutOff {
  QueueId id;
  WallTime when, next_attempt;
  std::uint16_t ordinal = 0, attempts = 0;
  std::string_view reply;
};

// What must outlast a restart. A removal is a recipient that ended.
enum class AdministratorOrder : std::uint8_t {
  hold = 1,
  release = 2,
  retry = 3,   // what waits is due now
  bounce = 4,  // the recipient failed; it ends when its sender has been told
};

struct AdministratorOrdered {
  static constexpr std::uint16_t all_recipients = 0xffff;
  QueueId id;
  WallTime when;
  std::uint16_t ordinal = all_recipients;
  AdministratorOrder order = AdministratorOrder::hold;
  std::string_view reply = {};
};

struct SenderToldOfDelay {
  QueueId id;
  WallTime when;
};

struct Queued {
  QueueId id;
  store::RecordRef record;  // its shard is the journal's, which is not written
};

std::string encode(const Queued& record);
std::string encode(const SenderToldOfDelay& record);
std::string encode(const AdministratorOrdered& record);
std::string encode(const RecipientEnded& record);
std::string encode(const RecipientPutOff& record);
std::optional<Queued> decode_queued(std::string_view payload);
std::optional<SenderToldOfDelay> decode_told_of_delay(std::string_view payload);
std::optional<RecipientEnded> decode_ended(std::string_view payload);
// The reply of these two views the payload.
std::optional<RecipientPutOff> decode_put_off(std::string_view payload);
std::optional<AdministratorOrdered> decode_order(std::string_view payload);

}  // namespace kurir::queue
