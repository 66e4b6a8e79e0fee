#include "kurir/store/message_record.hh"

#include <cstring>
#include <limits>

#include "kurir/base/assert.hh"

namespace kurir::store {
namespace {

template <class T>
void put(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_string(std::string& out, std::string_view text) {
  KURIR_ASSERT(text.size() <= std::numeric_limits<std::uint16_t>::max());
  put(out, static_cast<std::uint16_t>(text.size()));
  out += text;
}

// Takes values off the front; once something was missing, everything is.
class Taker {
 public:
  explicit Taker(std::string_view rest) : rest_(rest) {}

  template <class T>
  T take() {
    T value{};
    const std::string_view octets = take_octets(sizeof(T));
    if (octets.size() == sizeof(T)) std::memcpy(&value, octets.data(), sizeof(T));
    return value;
  }
  std::string_view take_octets(std::size_t count) {
    if (count > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view octets = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return octets;
  }
  std::string_view take_string() { return take_octets(take<std::uint16_t>()); }
  bool failed() const { return failed_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

constexpr std::size_t recipient_octets_min = sizeof(std::uint32_t) + 2 * sizeof(std::uint16_t);

bool counts_fit(const MessageFixed& fixed, std::size_t octets) {
  return fixed.recipients <= octets / recipient_octets_min &&
         fixed.extents <= octets / sizeof(RecordRef) && fixed.tail_octets <= octets;
}

// The extents' payloads and the tail make up the content, no more and no less.
bool content_adds_up(const MessageFixed& fixed, const std::vector<RecordRef>& extents) {
  std::uint64_t octets = fixed.tail_octets;
  for (const RecordRef& extent : extents) {
    if (extent.octets <= sizeof(RecordHeader)) return false;
    octets += extent.octets - sizeof(RecordHeader);
  }
  return octets == fixed.content_octets;
}

void put_field(std::string& out, std::uint16_t tag, std::string_view value) {
  put(out, tag);
  put_string(out, value);
}

// What most messages have nothing of; empty then.
std::string fields_of(const MessageEnvelope& envelope) {
  std::string out;
  if (!envelope.envid.empty()) put_field(out, extra_field::envid, envelope.envid);
  for (std::uint32_t ordinal = 0; ordinal < envelope.recipients.size(); ++ordinal) {
    if (envelope.recipients[ordinal].orcpt.empty()) continue;
    std::string value;
    put(value, ordinal);
    put_field(out, extra_field::orcpt, value.append(envelope.recipients[ordinal].orcpt));
  }
  if (envelope.priority != 0) {
    std::string value;
    put(value, envelope.priority);
    put_field(out, extra_field::priority, value);
  }
  if (envelope.hold_until.microseconds != 0) {
    std::string value;
    put(value, envelope.hold_until.microseconds);
    put_field(out, extra_field::hold_until, value);
  }
  if (envelope.deliver_by.microseconds != 0) {
    std::string value;
    put(value, envelope.deliver_by.microseconds);
    put(value, envelope.deliver_by_flags);
    put_field(out, extra_field::deliver_by, value);
  }
  return out;
}

// False: not what a writer of ours would have written.
bool take_field(MessageEnvelope& envelope, std::uint16_t tag, std::string_view value) {
  Taker taker(value);
  switch (tag) {
    case extra_field::envid:
      envelope.envid = value;
      return true;
    case extra_field::orcpt: {
      const auto ordinal = taker.take<std::uint32_t>();
      if (taker.failed() || ordinal >= envelope.recipients.size()) return false;
      envelope.recipients[ordinal].orcpt = taker.rest();
      return true;
    }
    case extra_field::priority:
      envelope.priority = taker.take<std::int8_t>();
      break;
    case extra_field::hold_until:
      envelope.hold_until = {taker.take<std::int64_t>()};
      break;
    case extra_field::deliver_by:
      envelope.deliver_by = {taker.take<std::int64_t>()};
      envelope.deliver_by_flags = taker.take<std::uint8_t>();
      break;
    default:
      return true;
  }
  return !taker.failed() && taker.rest().empty();
}

bool take_extras(MessageEnvelope& envelope, Taker& from) {
  const auto octets = from.take<std::uint32_t>();
  Taker fields(from.take_octets(octets));
  while (!fields.rest().empty()) {
    const auto tag = fields.take<std::uint16_t>();
    const std::string_view value = fields.take_string();
    if (fields.failed() || !take_field(envelope, tag, value)) return false;
  }
  return !from.failed();
}

}  // namespace

std::string encode_message(const MessageEnvelope& envelope, std::size_t tail_octets) {
  const std::string fields = fields_of(envelope);
  const std::uint16_t version = fields.empty() ? 1 : message_version;
  const MessageFixed fixed{.version = version,
                           .reserved = 0,
                           .flags = envelope.flags,
                           .queue_id = envelope.queue_id.value,
                           .received_us = envelope.received.microseconds,
                           .content_octets = envelope.content_octets,
                           .recipients = static_cast<std::uint32_t>(envelope.recipients.size()),
                           .extents = static_cast<std::uint32_t>(envelope.extents.size()),
                           .tail_octets = static_cast<std::uint32_t>(tail_octets),
                           .reserved_too = 0};
  KURIR_ASSERT(content_adds_up(fixed, envelope.extents));
  std::string out;
  out.reserve(sizeof fixed + 512 + 64 * envelope.recipients.size() +
              sizeof(RecordRef) * envelope.extents.size());
  put(out, fixed);
  for (const std::string_view text : {envelope.reverse_path, envelope.helo, envelope.peer_address,
                                      envelope.protocol, envelope.user, envelope.session_id})
    put_string(out, text);
  for (const MessageRecipient& recipient : envelope.recipients) {
    put(out, recipient.flags);
    put_string(out, recipient.address);
    put_string(out, recipient.original_address);
  }
  for (const RecordRef& extent : envelope.extents) put(out, extent);
  if (fields.empty()) return out;
  put(out, static_cast<std::uint32_t>(fields.size()));
  return out += fields;
}

Result<DecodedMessage> decode_message(std::string_view payload) {
  Taker taker(payload);
  const auto fixed = taker.take<MessageFixed>();
  if (taker.failed()) return fail(Errc::corrupt, Origin::log);
  if (fixed.version > message_version) return fail(Errc::unsupported, Origin::log);
  if (!counts_fit(fixed, taker.rest().size())) return fail(Errc::corrupt, Origin::log);
  DecodedMessage message;
  MessageEnvelope& envelope = message.envelope;
  envelope.queue_id = QueueId(fixed.queue_id);
  envelope.received = {fixed.received_us};
  envelope.flags = fixed.flags;
  envelope.content_octets = fixed.content_octets;
  for (std::string_view* text : {&envelope.reverse_path, &envelope.helo, &envelope.peer_address,
                                 &envelope.protocol, &envelope.user, &envelope.session_id})
    *text = taker.take_string();
  envelope.recipients.resize(fixed.recipients);
  for (MessageRecipient& recipient : envelope.recipients) {
    recipient.flags = taker.take<std::uint32_t>();
    recipient.address = taker.take_string();
    recipient.original_address = taker.take_string();
  }
  envelope.extents.resize(fixed.extents);
  for (RecordRef& extent : envelope.extents) extent = taker.take<RecordRef>();
  const bool has_extras = fixed.version >= 2;
  if (has_extras && !take_extras(envelope, taker)) return fail(Errc::corrupt, Origin::log);
  message.tail = taker.rest();
  const bool whole = !taker.failed() && message.tail.size() == fixed.tail_octets &&
                     content_adds_up(fixed, envelope.extents);
  if (!whole) return fail(Errc::corrupt, Origin::log);
  return message;
}

namespace {

// What stands before the extents.
MessageFixed take_to_extents(Taker& taker) {
  const auto fixed = taker.take<MessageFixed>();
  constexpr unsigned strings = 6, strings_of_recipient = 2;
  for (unsigned n = 0; n < strings; ++n) taker.take_string();
  for (std::uint32_t n = 0; n < fixed.recipients && !taker.failed(); ++n) {
    taker.take<std::uint32_t>();
    for (unsigned text = 0; text < strings_of_recipient; ++text) taker.take_string();
  }
  return fixed;
}

}  // namespace

std::optional<std::vector<RecordRef>> extents_in(std::string_view payload_begin) {
  Taker taker(payload_begin);
  const MessageFixed fixed = take_to_extents(taker);
  if (taker.failed() || fixed.extents > taker.rest().size() / sizeof(RecordRef))
    return std::nullopt;
  std::vector<RecordRef> extents(fixed.extents);
  for (RecordRef& extent : extents) extent = taker.take<RecordRef>();
  return extents;
}

std::string with_extents(std::string_view payload, std::span<const RecordRef> extents) {
  Taker taker(payload);
  const MessageFixed fixed = take_to_extents(taker);
  KURIR_ASSERT(!taker.failed() && fixed.extents == extents.size());
  const std::size_t at = payload.size() - taker.rest().size();
  KURIR_ASSERT(taker.rest().size() >= extents.size_bytes());
  std::string changed(payload);
  for (std::size_t n = 0; n < extents.size(); ++n)
    std::memcpy(changed.data() + at + n * sizeof(RecordRef), &extents[n], sizeof(RecordRef));
  return changed;
}

}  // namespace kurir::store
