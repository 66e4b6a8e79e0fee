#include "kurir/mailbox/content_writer.hh"

#include <utility>

#include "kurir/base/limits.hh"
#include "kurir/coro/event.hh"

namespace kurir::mailbox {
namespace {
constexpr Nanoseconds room_wait_max =
    Seconds(30);  // for a log that is busy; then the client hears NO
}

Task<Result<void>> ContentWriter::write(std::string_view piece) {
  gathered_ += piece;
  if (gathered_.size() < limits::content_extent_octets) co_return Result<void>();
  const Result<void> room = co_await mail_.room(gathered_.size(), deadline_in(room_wait_max));
  if (!room) co_return room;
  const Result<store::RecordRef> extent =
      mail_.append(store::record_type::content_extent, gathered_);
  if (!extent) co_return std::unexpected(extent.error());
  pins_.add(*extent);
  extents_.push_back(*extent);
  extent_octets_ += gathered_.size();
  gathered_.clear();
  co_return co_await mail_.commit(*extent);
}

Task<Result<store::RecordRef>> ContentWriter::finish(WallTime received, std::string_view user) {
  store::MessageEnvelope envelope;
  envelope.received = received;
  envelope.protocol = "IMAP";
  envelope.user = user;
  co_return co_await finish(std::move(envelope));
}

Task<Result<store::RecordRef>> ContentWriter::finish(store::MessageEnvelope envelope) {
  envelope.content_octets = octets();
  envelope.extents = extents_;
  const std::string head = store::encode_message(envelope, gathered_.size());
  const Result<void> room =
      co_await mail_.room(head.size() + gathered_.size(), deadline_in(room_wait_max));
  if (!room) co_return std::unexpected(room.error());
  const Result<store::RecordRef> record =
      mail_.append(store::record_type::message, {head, gathered_});
  if (!record) co_return record;
  pins_.add(*record);
  const Result<void> committed = co_await mail_.commit(*record);
  if (!committed) co_return std::unexpected(committed.error());
  co_return record;
}

}  // namespace kurir::mailbox
