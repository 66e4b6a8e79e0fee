#include "kurir/store/record_format.hh"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstring>

#include "kurir/base/assert.hh"
#include "kurir/base/hash.hh"
#include "kurir/base/limits.hh"

namespace kurir::store {

static_assert(std::endian::native == std::endian::little, "stored structs are copied as they are");
static_assert(offsetof(RecordHeader, checksum) == 0);
static_assert(offsetof(SegmentHeader, checksum) == 8);

namespace {

constexpr char segment_magic[8] = {'K', 'U', 'R', 'I', 'R', 'S', 'E', 'G'};
constexpr std::size_t checksum_end = offsetof(SegmentHeader, version);

std::uint64_t header_checksum(std::string_view copy) { return checksum(copy.substr(checksum_end)); }

bool all_zero(std::string_view octets) {
  return std::all_of(octets.begin(), octets.end(), [](char octet) { return octet == 0; });
}

Result<SegmentHeaderBlock> read_copy(std::string_view copy) {
  SegmentHeaderBlock block;
  std::memcpy(&block.header, copy.data(), sizeof block.header);
  if (std::memcmp(block.header.magic, segment_magic, sizeof segment_magic) != 0)
    return fail(Errc::corrupt, Origin::log);
  if (block.header.checksum != header_checksum(copy)) return fail(Errc::corrupt, Origin::log);
  if (block.header.version > format_version) return fail(Errc::unsupported, Origin::log);
  if (block.header.older_count > older_segments_max) return fail(Errc::corrupt, Origin::log);
  block.older.resize(block.header.older_count);
  if (!block.older.empty())
    std::memcpy(block.older.data(), copy.data() + sizeof block.header,
                block.older.size() * sizeof(SegmentEnd));
  return block;
}

std::uint64_t record_checksum(std::string_view record, std::uint64_t seed) {
  return checksum(record.substr(sizeof(std::uint64_t)), seed);
}

}  // namespace

std::uint64_t log_id(std::uint64_t instance, StreamKind stream, ShardIndex shard) {
  const std::uint8_t name[] = {static_cast<std::uint8_t>(stream),
                               static_cast<std::uint8_t>(shard.value & 0xff),
                               static_cast<std::uint8_t>(shard.value >> 8)};
  return checksum({reinterpret_cast<const char*>(name), sizeof name}, instance);
}

std::uint64_t record_seed(std::uint64_t log_id, std::uint32_t segment) {
  return checksum({reinterpret_cast<const char*>(&segment), sizeof segment}, log_id);
}

void write_segment_header(std::span<char> block, SegmentHeader header,
                          std::span<const SegmentEnd> older) {
  KURIR_ASSERT(block.size() == block_octets);
  older = older.first(std::min(older.size(), older_segments_max));
  std::memset(block.data(), 0, block.size());
  std::memcpy(header.magic, segment_magic, sizeof segment_magic);
  header.version = format_version;
  header.older_count = static_cast<std::uint16_t>(older.size());
  header.checksum = 0;
  std::memcpy(block.data(), &header, sizeof header);
  if (!older.empty()) std::memcpy(block.data() + sizeof header, older.data(), older.size_bytes());
  header.checksum = header_checksum({block.data(), second_header_at});
  std::memcpy(block.data(), &header, sizeof header);
  std::memcpy(block.data() + second_header_at, block.data(), block_octets - second_header_at);
}

Result<SegmentHeaderBlock> read_segment_header(std::string_view block) {
  if (block.size() < block_octets) return fail(Errc::corrupt, Origin::log);
  block = block.substr(0, block_octets);
  Result<SegmentHeaderBlock> first = read_copy(block.substr(0, second_header_at));
  if (first || first.error().code == Errc::unsupported) return first;
  Result<SegmentHeaderBlock> second = read_copy(block.substr(second_header_at));
  if (second || second.error().code == Errc::unsupported) return second;
  return fail(all_zero(block) ? Errc::not_found : Errc::corrupt, Origin::log);
}

void seal_record(std::span<char> record, std::uint16_t type, std::uint32_t payload_octets,
                 std::uint32_t segment, std::uint64_t sequence, std::uint64_t seed) {
  const std::size_t octets = record_octets(payload_octets);
  KURIR_ASSERT(record.size() >= padded(octets));
  RecordHeader header{.checksum = 0,
                      .magic = record_magic,
                      .type = type,
                      .flags = 0,
                      .payload_octets = payload_octets,
                      .segment = segment,
                      .sequence = sequence};
  std::memcpy(record.data(), &header, sizeof header);
  std::memset(record.data() + octets, 0, padded(octets) - octets);
  header.checksum = record_checksum({record.data(), octets}, seed);
  std::memcpy(record.data(), &header.checksum, sizeof header.checksum);
}

RecordAt read_record(std::string_view octets, std::uint32_t segment, std::uint64_t seed,
                     std::size_t octets_left) {
  RecordAt found{.state = RecordState::bad, .header = {}, .payload = {}};
  if (octets_left < sizeof(RecordHeader)) return found;
  if (octets.size() < sizeof(RecordHeader)) {
    found.state = RecordState::incomplete;
    return found;
  }
  std::memcpy(&found.header, octets.data(), sizeof(RecordHeader));
  if (found.header.magic != record_magic || found.header.segment != segment) return found;
  if (found.header.payload_octets > limits::log_record_payload_max) return found;
  const std::size_t whole = record_octets(found.header.payload_octets);
  if (whole > octets_left) return found;
  if (octets.size() < whole) {
    found.state = RecordState::incomplete;
    return found;
  }
  found.plausible = true;
  if (record_checksum(octets.substr(0, whole), seed) != found.header.checksum) return found;
  found.state = RecordState::valid;
  found.payload = octets.substr(sizeof(RecordHeader), found.header.payload_octets);
  return found;
}

std::string_view stream_name(StreamKind stream) {
  switch (stream) {
    case StreamKind::spool:
      return "spool";
    case StreamKind::mail:
      return "mail";
    case StreamKind::journal:
      return "journal";
  }
  return "unknown";
}

std::string describe(const RecordRef& ref) {
  return fmt::format("shard {}, {} segment {}, offset {}", ref.shard, stream_name(ref.stream),
                     ref.segment, ref.offset);
}

std::string segment_name(StreamKind stream, std::uint32_t segment) {
  return fmt::format("{}-{:08}.seg", stream_name(stream), segment);
}

std::string free_segment_name(StreamKind stream, std::uint32_t segment) {
  return "free-" + segment_name(stream, segment);
}

std::string new_segment_name(StreamKind stream) {
  return fmt::format("new-{}.seg", stream_name(stream));
}

std::optional<SegmentName> parse_segment_name(StreamKind stream, std::string_view name) {
  SegmentName parsed{.segment = 0, .is_free = name.starts_with("free-")};
  if (parsed.is_free) name.remove_prefix(5);
  const std::string_view begin = stream_name(stream);
  if (!name.starts_with(begin) || !name.ends_with(".seg")) return std::nullopt;
  name.remove_prefix(begin.size());
  name.remove_suffix(4);
  if (name.size() < 9 || name[0] != '-') return std::nullopt;
  name.remove_prefix(1);
  // A segment has one name: two files must never be taken for the same one.
  if (name.size() > 8 && name[0] == '0') return std::nullopt;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), parsed.segment);
  if (error != std::errc() || end != name.data() + name.size() || parsed.segment == 0)
    return std::nullopt;
  return parsed;
}

}  // namespace kurir::store
