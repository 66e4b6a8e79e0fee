#pragma once
// RecordRef: where a record lies on disk. Content is never altered, so any core may read any
// record.

#include <cstdint>

namespace kurir::store {

// Content is separated by how long it will live (design.md).
enum class StreamKind : std::uint8_t {
  spool = 0,    // mail for elsewhere: empties within seconds
  mail = 1,     // mail for local mailboxes: lives for years
  journal = 2,  // changes: delivered, deferred, flag set, expunged
};

struct RecordRef {
  std::uint32_t segment = 0;  // the segment's number in its stream, from 1; 0: no record
  std::uint32_t offset = 0;   // octets from the segment's begin to the record's header
  std::uint32_t octets = 0;   // the whole record, header included, padding not
  std::uint16_t shard = 0;
  StreamKind stream = StreamKind::spool;
  std::uint8_t reserved = 0;  // zero

  bool present() const { return segment != 0; }
  friend bool operator==(const RecordRef&, const RecordRef&) = default;
};
static_assert(sizeof(RecordRef) == 16);

}  // namespace kurir::store
