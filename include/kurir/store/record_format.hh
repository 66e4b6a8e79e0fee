#pragma once
// What lies in a segment, octet by octet. All numbers little-endian. Any core: plain values.
//
//   segment := header block, record*      the records from offset 4096 on, each at a multiple of 8
//   header block := 4096 octets: two copies, at 0 and 2048, of SegmentHeader followed by
//              SegmentEnd[older_count]; zero elsewhere
//   record  := RecordHeader (32 octets), payload, zeros up to a multiple of 8
//
// Version rule: a reader refuses a segment whose version is above its own and reads all below. A
// new record type needs no new version; a changed layout of either header does, and so does a
// changed seed.
//
// The checksum is XXH3-64 of everything in the record after the checksum field (padding not),
// seeded with the log's id and the segment's number. A segment's file is recycled under a higher
// number (numbers are never used twice while octets written under them exist), so what it held
// before never verifies: no epoch field is needed.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/ids.hh"
#include "kurir/base/result.hh"
#include "kurir/store/record_ref.hh"

namespace kurir::store {

// Record types by room. A room that meets a type of its range that it does not know refuses to
// start: it is newer.
namespace record_type {
inline constexpr std::uint16_t mark = 1;  // store: "commits up to here had succeeded"; never shown
inline constexpr std::uint16_t checkpoint_complete = 2;  // store: a checkpoint is whole
inline constexpr std::uint16_t store_last = 15;
inline constexpr std::uint16_t message = 16;         // message_record.hh
inline constexpr std::uint16_t content_extent = 17;  // octets of a message's content, nothing else
// As a message, which was moved here for its segment to be freed: what became of it is known, and
// no start queues it.
inline constexpr std::uint16_t moved_message = 18;
inline constexpr std::uint16_t message_last = 31;
inline constexpr std::uint16_t queue_first = 32;
inline constexpr std::uint16_t queue_last = 63;
inline constexpr std::uint16_t mailbox_first = 64;
inline constexpr std::uint16_t mailbox_last = 127;
}  // namespace record_type

constexpr bool is_message(std::uint16_t type) {
  return type == record_type::message || type == record_type::moved_message;
}

inline constexpr std::uint16_t format_version = 1;
inline constexpr std::size_t block_octets = 4096;  // of O_DIRECT; the header block
inline constexpr std::size_t record_alignment = 8;

struct SegmentHeader {
  char magic[8];                 // "KURIRSEG"
  std::uint64_t checksum;        // XXH3-64 of what follows it up to the copy's end (2048), seed 0
  std::uint16_t version;         // format_version of the writer
  std::uint8_t stream;           // StreamKind
  std::uint8_t flags;            // segment_begins_checkpoint or zero
  std::uint16_t shard;           // ShardIndex
  std::uint16_t older_count;     // SegmentEnds that follow
  std::uint32_t segment;         // this segment's number, from 1
  std::uint32_t segment_octets;  // the file's size
  std::uint64_t log_id;          // log_id() of this stream of this shard of this data directory
  std::uint64_t sequence;        // of this segment's first record
  std::int64_t opened_us;        // wall clock, for people
  std::uint64_t reserved;        // zero
};
static_assert(sizeof(SegmentHeader) == 64);

// How far an older segment is good: what was committed in it when this one was opened. It was not
// written after that, and nothing beyond that end counts, even where it verifies.
struct SegmentEnd {
  std::uint32_t segment;
  std::uint32_t end;  // octets from its begin
};
static_assert(sizeof(SegmentEnd) == 8);

inline constexpr std::uint8_t segment_begins_checkpoint = 1;
inline constexpr std::size_t second_header_at = 2048;
inline constexpr std::size_t older_segments_max = 240;  // the newest are listed
static_assert(sizeof(SegmentHeader) + older_segments_max * sizeof(SegmentEnd) <= second_header_at);

struct RecordHeader {
  std::uint64_t checksum;        // of the 24 octets after it and of the payload; see above
  std::uint32_t magic;           // record_magic
  std::uint16_t type;            // record_type
  std::uint16_t flags;           // zero in version 1
  std::uint32_t payload_octets;  // padding not included
  std::uint32_t segment;         // the segment's number: tells a recycled one at sight
  std::uint64_t sequence;        // consecutive within a segment, growing within a log
};
static_assert(sizeof(RecordHeader) == 32);
inline constexpr std::uint32_t record_magic = 0x3152724b;  // "KrR1"

// Payload of record_type::mark, the first record of every commit but a segment's first: what had
// succeeded when this commit began. Recovery tells damage (before a mark's end) from a torn tail by
// it.
struct MarkPayload {
  std::uint32_t committed_end;  // octets of this segment
  std::uint32_t reserved;       // zero
};
static_assert(sizeof(MarkPayload) == 8);

// Payload of record_type::checkpoint_complete; the owner's own octets follow.
struct CheckpointPayload {
  std::uint32_t begin_segment;  // the segment that begins it (segment_begins_checkpoint)
  std::uint32_t reserved;       // zero
};
static_assert(sizeof(CheckpointPayload) == 8);

constexpr std::size_t padded(std::size_t octets) {
  return (octets + record_alignment - 1) & ~(record_alignment - 1);
}
constexpr std::size_t record_octets(std::size_t payload_octets) {
  return sizeof(RecordHeader) + payload_octets;
}

// The id of a log is known without reading it, so that a damaged header block does not take the
// records with it.
std::uint64_t log_id(std::uint64_t instance, StreamKind stream, ShardIndex shard);
std::uint64_t record_seed(std::uint64_t log_id, std::uint32_t segment);

// Fills the header block (block_octets) with both copies; magic, checksum, version and older_count
// are set here. Lists the first older_segments_max of `older`: newest first.
void write_segment_header(std::span<char> block, SegmentHeader header,
                          std::span<const SegmentEnd> older);
struct SegmentHeaderBlock {
  SegmentHeader header;
  std::vector<SegmentEnd> older;
};
// Either copy. Errors: not_found (all zero: never written), corrupt (neither verifies), unsupported
// (a newer version).
Result<SegmentHeaderBlock> read_segment_header(std::string_view block);

// Completes a record whose payload lies at `record` + 32 already: header, checksum, padding
// (`record` has room for it).
void seal_record(std::span<char> record, std::uint16_t type, std::uint32_t payload_octets,
                 std::uint32_t segment, std::uint64_t sequence, std::uint64_t seed);

enum class RecordState : std::uint8_t { valid, bad, incomplete };
struct RecordAt {
  RecordState state;
  RecordHeader header;       // where valid; where bad and `plausible`, its length can be tried
  std::string_view payload;  // where valid
  bool plausible = false;  // bad: magic, segment and length look right, the checksum does not match
};
// Judges the record at the begin of `octets`; `incomplete`: more octets would decide.
RecordAt read_record(std::string_view octets, std::uint32_t segment, std::uint64_t seed,
                     std::size_t octets_left);

// "shard 0, mail segment 7, offset 4096", for people.
std::string describe(const RecordRef& ref);

// "spool-00000001.seg"; a free file's name keeps the last number it served under
// ("free-spool-00000001.seg").
std::string_view stream_name(StreamKind stream);
std::string segment_name(StreamKind stream, std::uint32_t segment);
std::string free_segment_name(StreamKind stream, std::uint32_t segment);
std::string new_segment_name(StreamKind stream);
struct SegmentName {
  std::uint32_t segment;
  bool is_free;
};
std::optional<SegmentName> parse_segment_name(StreamKind stream, std::string_view name);

}  // namespace kurir::store
