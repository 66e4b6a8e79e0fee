#include "kurir/mailbox/stored_message.hh"

#include <algorithm>

namespace kurir::mailbox {

std::string delivery_prefix(std::string_view reverse_path, std::string_view address) {
  std::string prefix = "Return-Path: <";
  prefix += reverse_path;
  prefix += ">\r\nDelivered-To: ";
  prefix += address;
  prefix += "\r\n";
  return prefix;
}

Task<Result<StoredMessage>> StoredMessage::open(store::Reader& reader, NewMessage entry) {
  Result<store::MessageContent> content =
      co_await store::MessageContent::open(reader, entry.content);
  if (!content) co_return std::unexpected(content.error());
  std::string prefix;
  const store::MessageEnvelope& envelope = content->envelope();
  if (entry.prefix_octets > 0 && entry.ordinal < envelope.recipients.size())
    prefix = delivery_prefix(envelope.reverse_path, envelope.recipients[entry.ordinal].address);
  if (prefix.size() != entry.prefix_octets || prefix.size() + content->size() != entry.size)
    co_return fail(Errc::corrupt, Origin::mailbox);
  co_return StoredMessage(std::move(prefix), std::move(*content));
}

Task<Result<std::string_view>> StoredMessage::view(std::uint64_t offset) {
  if (offset < prefix_.size()) co_return std::string_view(prefix_).substr(offset);
  if (offset >= size()) co_return std::string_view();
  co_return co_await content_.view(offset - prefix_.size());
}

Task<Result<std::string>> StoredMessage::read(std::uint64_t begin, std::uint64_t end) {
  end = std::min(end, size());
  std::string octets;
  if (begin >= end) co_return octets;
  octets.reserve(end - begin);
  while (begin < end) {
    const Result<std::string_view> piece = co_await view(begin);
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return fail(Errc::corrupt, Origin::mailbox);
    octets += piece->substr(0, end - begin);
    begin += std::min<std::uint64_t>(piece->size(), end - begin);
  }
  co_return octets;
}

}  // namespace kurir::mailbox
