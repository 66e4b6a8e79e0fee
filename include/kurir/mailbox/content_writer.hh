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

// Content that was written and that nothing points at yet: it stays while this lives. Core-local;
// the log outlives it.
class ContentPins {
 public:
  explicit ContentPins(store::Log& mail) : mail_(mail) {}
  ContentPins(const ContentPins&) = delete;
  ContentPins& operator=(const ContentPins&) = delete;
  ~ContentPins() {
    for (const store::RecordRef& record : records_) mail_.release(record);
  }
  store::Log& mail() { return mail_; }
  void add(const store::RecordRef& record) { records_.push_back(record); }
  // Whether a mailbox points at it is not known: it stays until the next start.
  void keep() { records_.clear(); }

 private:
  store::Log& mail_;
  std::vector<store::RecordRef> records_;
};

class ContentWriter {
 public:
  // The pins live until a mailbox points at the content.
  explicit ContentWriter(ContentPins& pins) : pins_(pins), mail_(pins.mail()) {}

  // Takes a copy. Errors: no_space, exhausted, io_failed, timed_out.
  Task<Result<void>> write(std::string_view piece);
  // The message record, durable. It has no recipients: the queue passes it over in recovery.
  Task<Result<store::RecordRef>> finish(WallTime received, std::string_view user);
  // The same with an envelope of the caller's, of which content_octets and extents are filled in.
  // A start that finds recipients in it, and no delivery to them, queues it.
  Task<Result<store::RecordRef>> finish(store::MessageEnvelope envelope);
  std::uint64_t octets() const { return extent_octets_ + gathered_.size(); }

 private:
  ContentPins& pins_;
  store::Log& mail_;
  std::string gathered_;
  std::vector<store::RecordRef> extents_;
  std::uint64_t extent_octets_ = 0;
};

}  // namespace kurir::mailbox
