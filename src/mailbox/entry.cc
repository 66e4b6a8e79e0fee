#include "kurir/mailbox/entry.hh"

namespace kurir::mailbox {
namespace {

constexpr unsigned segment_bits = 30;
constexpr std::uint64_t segment_mask = (std::uint64_t{1} << segment_bits) - 1;

}  // namespace

std::uint64_t Entry::place_of(store::RecordRef content) {
  KURIR_ASSERT(content.segment <= segment_mask);
  return static_cast<std::uint64_t>(content.stream) << (32 + segment_bits) |
         static_cast<std::uint64_t>(content.segment) << 32 | content.offset;
}

Entry::Entry(const NewMessage& message)
    : flags_(message.flags),
      modseq_(message.modseq.value),
      place_(place_of(message.content)),
      internal_date_(message.internal_date),
      origin_(message.origin),
      uid_(message.uid),
      size_(message.size),
      content_octets_(message.content.octets),
      content_shard_(message.content.shard),
      ordinal_(message.ordinal),
      prefix_octets_(message.prefix_octets) {}

store::RecordRef Entry::content() const {
  const std::uint64_t place = place_.load(std::memory_order_acquire);
  store::RecordRef content;
  content.segment = static_cast<std::uint32_t>(place >> 32 & segment_mask);
  content.offset = static_cast<std::uint32_t>(place);
  content.octets = content_octets_;
  content.shard = content_shard_;
  content.stream = static_cast<store::StreamKind>(place >> (32 + segment_bits));
  return content;
}

void Entry::move_content(store::RecordRef to) {
  KURIR_ASSERT(to.octets == content_octets_);
  KURIR_ASSERT(to.shard == content_shard_);
  place_.store(place_of(to), std::memory_order_release);
}

NewMessage Entry::describe() const {
  return {.uid = uid_,
          .flags = flags(),
          .modseq = modseq(),
          .internal_date = internal_date_,
          .content = content(),
          .origin = origin_,
          .size = size_,
          .ordinal = ordinal_,
          .prefix_octets = prefix_octets_};
}

}  // namespace kurir::mailbox
