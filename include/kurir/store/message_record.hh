#pragma once
// The message record (record_type::message): one accepted message: its envelope, where its content
// lies, and the end of the content itself. Little-endian, no padding between fields. Any core:
// pure, but for MessageContent (core-local).
//
//   payload  := fixed strings recipient* extent* [extras] tail
//   fixed    := MessageFixed, 48 octets, below
//   strings  := reverse_path helo peer_address protocol user session_id
//               each: u16 octets, then the octets
//   recipient:= u32 flags, string address, string original_address
//   extent   := RecordRef, 16 octets: a record of type content_extent, whose whole payload is
//               content
//   extras   := u32 octets of the fields, then field*; only in version 2
//   field    := u16 tag (extra_field), u16 octets, the value; a tag that is not known is skipped
//   tail     := the content's last octets, up to the payload's end
//   content  := the extents' payloads in order, then the tail; CRLF line ends (but for a
//               BINARYMIME message's), no dot-stuffing
//
// Version rule: a reader refuses a version above its own. New flags bits and new fields need none.
// Version 1 is written where there are no extras: what most messages are stays as it was.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/base/ids.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/task.hh"
#include "kurir/store/reader.hh"
#include "kurir/store/record_ref.hh"

namespace kurir::store {

namespace message_flag {
inline constexpr std::uint32_t has_8bit = 1;       // an octet above 127 in the content
inline constexpr std::uint32_t has_dot_line = 2;   // a line begins with a dot: sending must stuff
inline constexpr std::uint32_t smtputf8 = 4;       // MAIL FROM said SMTPUTF8 (RFC 6531)
inline constexpr std::uint32_t body_8bitmime = 8;  // MAIL FROM said BODY=8BITMIME (RFC 6152)
inline constexpr std::uint32_t require_tls = 16;   // RFC 8689
inline constexpr std::uint32_t received_by_tls = 32;
inline constexpr std::uint32_t is_bounce = 64;       // made here: a delivery status notification
inline constexpr std::uint32_t ret_headers = 128;    // DSN RET=HDRS (RFC 3461 4.3)
inline constexpr std::uint32_t ret_full = 256;       // DSN RET=FULL
inline constexpr std::uint32_t is_binary = 512;      // BODY=BINARYMIME (RFC 3030)
inline constexpr std::uint32_t tls_optional = 1024;  // "TLS-Required: No" (RFC 8689 3)
}  // namespace message_flag

namespace recipient_flag {
inline constexpr std::uint32_t notify_never = 1;  // RFC 3461 4.1
inline constexpr std::uint32_t notify_success = 2;
inline constexpr std::uint32_t notify_failure = 4;
inline constexpr std::uint32_t notify_delay = 8;
inline constexpr std::uint32_t local = 16;  // its domain was local when it was accepted
}  // namespace recipient_flag

// Values are little-endian.
namespace extra_field {
inline constexpr std::uint16_t envid = 1;  // RFC 3461 4.4: xtext, as given
inline constexpr std::uint16_t orcpt =
    2;  // RFC 3461 4.2: u32 ordinal of the recipient, then type;xtext, as given
inline constexpr std::uint16_t priority = 3;    // RFC 6710: i8
inline constexpr std::uint16_t hold_until = 4;  // RFC 4865: i64 microseconds since 1970
inline constexpr std::uint16_t deliver_by = 5;  // RFC 2852: i64 microseconds, u8 deliver_by_flag
}  // namespace extra_field

namespace deliver_by_flag {
inline constexpr std::uint8_t notify = 1;  // by-mode N, else R
inline constexpr std::uint8_t trace = 2;   // by-trace T
}  // namespace deliver_by_flag

inline constexpr std::uint16_t message_version = 2;

struct MessageFixed {
  std::uint16_t version;         // message_version of the writer
  std::uint16_t reserved;        // zero
  std::uint32_t flags;           // message_flag
  std::uint64_t queue_id;        // QueueId
  std::int64_t received_us;      // wall clock
  std::uint64_t content_octets;  // of the whole content
  std::uint32_t recipients;      // how many
  std::uint32_t extents;         // how many
  std::uint32_t tail_octets;     // of content in this record
  std::uint32_t reserved_too;    // zero
};
static_assert(sizeof(MessageFixed) == 48);

struct MessageRecipient {
  std::string_view address;           // as it is to be delivered: local-part@domain, no brackets
  std::string_view original_address;  // as the client gave it, where that differs; else empty
  std::uint32_t flags = 0;            // recipient_flag
  std::string_view orcpt = {};        // RFC 3461 4.2: type;xtext, as given; empty: not
};

// An envelope in views: whoever encodes owns what they show; decoded ones show into the payload.
struct MessageEnvelope {
  QueueId queue_id;
  WallTime received;
  std::uint32_t flags = 0;
  std::uint64_t content_octets = 0;  // encode_message() asserts: at least the tail's
  std::string_view reverse_path;     // without brackets; empty: the null reverse path
  std::string_view helo;
  std::string_view peer_address;  // SocketAddress::text(); empty: made here
  std::string_view protocol;      // "ESMTP", "ESMTPSA", ... (RFC 3848)
  std::string_view user;          // authenticated as; empty: not
  std::string_view session_id;
  std::vector<MessageRecipient> recipients;
  std::vector<RecordRef> extents;
  std::string_view envid = {};  // RFC 3461 4.4, as given; empty: not
  std::int8_t priority = 0;     // RFC 6710
  WallTime hold_until = {};     // RFC 4865; 0: none
  WallTime deliver_by = {};     // RFC 2852; 0: none
  std::uint8_t deliver_by_flags = 0;
};

// The payload up to the tail; the tail's octets (`tail_octets` of them) follow as further parts of
// Log::append(). A string above 65,535 octets is a bug of the caller's.
std::string encode_message(const MessageEnvelope& envelope, std::size_t tail_octets);

struct DecodedMessage {
  MessageEnvelope envelope;  // views into the payload
  std::string_view tail;     // the same
};
// Errors: corrupt, unsupported (a newer version).
Result<DecodedMessage> decode_message(std::string_view payload);

// Where a message's extents lie, from the begin of its payload. nullopt: more of it is needed. Not
// verified: for whoever does not read them.
std::optional<std::vector<RecordRef>> extents_in(std::string_view payload_begin);

// The payload of a message record whose extents lie elsewhere now: as many as it has, each as long
// as the one in its place.
std::string with_extents(std::string_view payload, std::span<const RecordRef> extents);

// An accepted message, ready to be read. Core-local; holds the record in memory, and one extent at
// a time. What it gives was verified against its checksum. Move-only; the Reader outlives it.
class MessageContent {
 public:
  // Errors: as Reader::read()'s; corrupt, too, where an extent is known to be damaged: a client to
  // whom all of the content is promised would lose its connection in the middle of it.
  static Task<Result<MessageContent>> open(Reader& reader, RecordRef ref);
  MessageContent(MessageContent&&) = default;
  MessageContent& operator=(MessageContent&&) = delete;

  const MessageEnvelope& envelope() const { return message_.envelope; }
  std::uint64_t size() const { return message_.envelope.content_octets; }
  // Where all of the content is in the record: it, without a wait. Else empty.
  std::string_view whole() const;
  // Copies content from `offset` on until `into` is full or the content ends; gives the count.
  Task<Result<std::size_t>> read(std::uint64_t offset, std::span<char> into);
  // The piece of content that holds `offset`, from there to the piece's end: no copy. Valid until
  // the next read() or view() and while this lives. Empty at the end.
  Task<Result<std::string_view>> view(std::uint64_t offset);

 private:
  MessageContent(Reader& reader, Reader::Use use, Record record, DecodedMessage message);
  Reader* reader_;
  Reader::Use use_;
  Record record_;
  DecodedMessage message_;
  std::vector<std::uint64_t> extent_begins_;  // in the content; one more: the tail's
  Record extent_;                             // the one read last
  std::size_t extent_index_;                  // which one that is; extents.size(): none
};

}  // namespace kurir::store
