// Feeds octets to the readers of segment headers and records, and damages records that are right.
#include <string>
#include <vector>

#include "input.hh"
#include "kurir/store/record_format.hh"

namespace kurir::store {
namespace {

constexpr std::uint64_t seed = 7;
constexpr std::uint32_t segment = 3;

std::string sealed(std::string_view payload) {
  std::string record(padded(record_octets(payload.size())), '\xff');
  std::ranges::copy(payload, record.begin() + sizeof(RecordHeader));
  seal_record(record, record_type::message, static_cast<std::uint32_t>(payload.size()), segment, 9,
              seed);
  return record;
}

// Whatever is changed in it (not in its padding, which says nothing), it is not taken for right.
void check_damage(std::string_view payload, std::size_t place, unsigned change) {
  std::string record = sealed(payload);
  const RecordAt good = read_record(record, segment, seed, record.size());
  KURIR_ASSERT(good.state == RecordState::valid);
  KURIR_ASSERT(good.payload == payload);
  KURIR_ASSERT(read_record(record, segment, seed + 1, record.size()).state == RecordState::bad);
  const std::string_view shorter = std::string_view(record).substr(0, record.size() - 8);
  KURIR_ASSERT(read_record(shorter, segment, seed, record.size()).state != RecordState::valid ||
               shorter.size() >= record_octets(payload.size()));
  if (change == 0) return;
  place %= record_octets(payload.size());
  record[place] = static_cast<char>(static_cast<unsigned char>(record[place]) ^ change);
  KURIR_ASSERT(read_record(record, segment, seed, record.size()).state != RecordState::valid);
}

void check_octets(std::string_view input) {
  const RecordAt found = read_record(input, segment, seed, input.size());
  KURIR_ASSERT(found.state != RecordState::valid);
  const auto header = read_segment_header(input);
  if (!header) return;
  KURIR_ASSERT(header->older.size() == header->header.older_count);
}

// Either copy of a header will do; where both are damaged, that is said.
void check_header(std::string_view input) {
  SegmentHeader header{};
  header.stream = static_cast<std::uint8_t>(StreamKind::journal);
  header.segment = segment;
  header.segment_octets = 1 << 20;
  std::vector<SegmentEnd> older(fuzz::take_octet(input) % 8, SegmentEnd{1, 8192});
  std::string block(block_octets, '\0');
  write_segment_header(block, header, older);
  bool first = false, second = false;
  while (input.size() >= 3) {
    const std::size_t place = fuzz::take_two(input) % block_octets;
    const unsigned change = fuzz::take_octet(input);
    block[place] = static_cast<char>(static_cast<unsigned char>(block[place]) ^ change);
    (place < second_header_at ? first : second) |= change != 0;
  }
  const auto read = read_segment_header(block);
  if (first && second) return;
  KURIR_ASSERT(read.has_value());
  KURIR_ASSERT(read->header.segment == segment);
  KURIR_ASSERT(read->older.size() == older.size());
}

void check_name(std::string_view input) {
  for (const auto stream : {StreamKind::journal, StreamKind::mail, StreamKind::spool}) {
    const auto name = parse_segment_name(stream, input);
    if (!name) continue;
    KURIR_ASSERT(input == (name->is_free ? free_segment_name(stream, name->segment)
                                         : segment_name(stream, name->segment)));
  }
}

}  // namespace
}  // namespace kurir::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  std::string_view input = fuzz::text_of(data, size);
  store::check_octets(input);
  store::check_name(input);
  store::check_header(input);
  const std::size_t place = fuzz::take_two(input);
  const unsigned change = fuzz::take_octet(input);
  store::check_damage(input, place, change);
  return 0;
}
