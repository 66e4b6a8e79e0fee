#pragma once
// CheckpointWriter: what appends the records of a checkpoint to the journal, so that whoever
// appends ordinary ones meanwhile finds room and the core its turns. Core-local; the log outlives
// it.

#include <cstdint>
#include <string_view>

#include "kurir/base/result.hh"
#include "kurir/coro/task.hh"
#include "kurir/store/log.hh"

namespace kurir::store {

class CheckpointWriter {
 public:
  explicit CheckpointWriter(Log& journal) : journal_(journal) {}

  // Octets that a payload should have at most; one that cannot be cut may have more.
  std::size_t record_octets() const;
  // Waits until append() takes payloads of at most record_octets() together, with room left for
  // others. Errors: as Log::room()'s.
  Task<Result<void>> room();
  // Never waits. Errors: as Log::append()'s.
  Result<void> append(std::uint16_t type, std::string_view payload);
  // room() and append(), where others may append in between.
  Task<Result<void>> append_when_roomy(std::uint16_t type, std::string_view payload);

  std::uint64_t octets() const { return octets_; }  // of the payloads appended

 private:
  std::size_t wanted() const;

  Log& journal_;
  std::uint64_t octets_ = 0, octets_at_yield_ = 0;
};

}  // namespace kurir::store
