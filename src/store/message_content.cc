#include <algorithm>
#include <cstring>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/store/message_record.hh"

namespace kurir::store {

MessageContent::MessageContent(Reader& reader, Reader::Use use, Record record,
                               DecodedMessage message)
    : reader_(&reader),
      use_(std::move(use)),
      record_(std::move(record)),
      message_(std::move(message)) {
  const std::vector<RecordRef>& extents = message_.envelope.extents;
  std::uint64_t begin = 0;
  for (const RecordRef& extent : extents) {
    extent_begins_.push_back(begin);
    begin += extent.octets - sizeof(RecordHeader);
  }
  extent_begins_.push_back(begin);
  extent_index_ = extents.size();
}

Task<Result<MessageContent>> MessageContent::open(Reader& reader, RecordRef ref) {
  Reader::Use use(reader);
  Result<Record> record = co_await reader.read(ref);
  if (!record) co_return std::unexpected(record.error());
  if (!is_message(record->type())) co_return fail(Errc::corrupt, Origin::log);
  Result<DecodedMessage> message = decode_message(record->payload());
  if (!message) co_return std::unexpected(message.error());
  const auto is_damaged = [&reader](const RecordRef& ref) { return reader.is_known_damaged(ref); };
  if (std::ranges::any_of(message->envelope.extents, is_damaged))
    co_return fail(Errc::corrupt, Origin::log);
  co_return MessageContent(reader, std::move(use), std::move(*record), std::move(*message));
}

std::string_view MessageContent::whole() const {
  return message_.envelope.extents.empty() ? message_.tail : std::string_view();
}

Task<Result<std::string_view>> MessageContent::view(std::uint64_t offset) {
  if (offset >= size()) co_return std::string_view();
  const auto after = std::upper_bound(extent_begins_.begin(), extent_begins_.end(), offset);
  const auto index = static_cast<std::size_t>(after - extent_begins_.begin()) - 1;
  const std::uint64_t within = offset - extent_begins_[index];
  if (index == message_.envelope.extents.size()) co_return message_.tail.substr(within);
  if (index != extent_index_) {
    Result<Record> extent = co_await reader_->read(message_.envelope.extents[index]);
    if (!extent) co_return std::unexpected(extent.error());
    if (extent->type() != record_type::content_extent) co_return fail(Errc::corrupt, Origin::log);
    extent_ = std::move(*extent);
    extent_index_ = index;
  }
  co_return extent_.payload().substr(within);
}

Task<Result<std::size_t>> MessageContent::read(std::uint64_t offset, std::span<char> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const Result<std::string_view> piece = co_await view(offset + done);
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) break;
    const std::size_t count = std::min(piece->size(), into.size() - done);
    std::memcpy(into.data() + done, piece->data(), count);
    done += count;
  }
  co_return done;
}

}  // namespace kurir::store
