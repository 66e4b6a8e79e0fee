#include "kurir/store/checkpoint_writer.hh"

#include <algorithm>

#include "kurir/base/limits.hh"
#include "kurir/coro/event.hh"

namespace kurir::store {

// Logs of tests are small.
std::size_t CheckpointWriter::record_octets() const {
  return std::min(limits::checkpoint_record_octets, journal_.record_payload_max() / 4);
}

std::size_t CheckpointWriter::wanted() const {
  return std::min(record_octets() + limits::checkpoint_room_octets, journal_.record_payload_max());
}

Task<Result<void>> CheckpointWriter::room() {
  if (octets_ - octets_at_yield_ >= record_octets()) {
    octets_at_yield_ = octets_;
    co_await yield_turn();
  }
  co_return co_await journal_.room(wanted(), no_deadline);
}

Result<void> CheckpointWriter::append(std::uint16_t type, std::string_view payload) {
  const Result<RecordRef> record = journal_.append(type, payload);
  if (!record) return std::unexpected(record.error());
  octets_ += record->octets;
  return {};
}

Task<Result<void>> CheckpointWriter::append_when_roomy(std::uint16_t type,
                                                       std::string_view payload) {
  const Result<void> roomy = co_await room();
  if (!roomy) co_return roomy;
  co_return append(type, payload);
}

}  // namespace kurir::store
