#pragma once
// ContentWriter: content that arrives in pieces (IMAP APPEND) or that no queue is to hold, written
// to the core's mail stream with bounded memory: full extents go ahead, the message record comes
// last. Core-local.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/task.hh"
#include "kurir/store/log.hh"
#include "kurir/store/message_record.hh"
#include "kurir/store/record_ref.hh"

namespace kurir::mailbox {

class ContentWriter {
 public:
  explicit ContentWriter(store::Log& mail) : mail_(mail) {}

  // Takes a copy. Errors: no_space, exhausted, io_failed, timed_out.
  Task<Result<void>> write(std::string_view piece);
  // The message record, durable. It has no recipients: the queue passes it over in recovery.
  Task<Result<store::RecordRef>> finish(WallTime received, std::string_view user);
  // The same with an envelope of the caller's, of which content_octets and extents are filled in.
  // A start that finds recipients in it, and no delivery to them, queues it.
  Task<Result<store::RecordRef>> finish(store::MessageEnvelope envelope);
  std::uint64_t octets() const { return extent_octets_ + gathered_.size(); }

 private:
  store::Log& mail_;
  std::string gathered_;
  std::vector<store::RecordRef> extents_;
  std::uint64_t extent_octets_ = 0;
};

}  // namespace kurir::mailbox
