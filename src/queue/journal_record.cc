#include "kurir/queue/journal_record.hh"

#include <bit>
#include <cstring>

namespace kurir::queue {
namespace {

static_assert(std::endian::native == std::endian::little, "stored numbers are little-endian");

constexpr std::size_t ended_octets = 24;
constexpr std::size_t put_off_octets = 40;
constexpr std::size_t told_of_delay_octets = 16;
constexpr std::size_t queued_octets = 24;
constexpr std::size_t order_octets = 24;

template <class T>
void put(std::string& into, std::size_t offset, T value) {
  std::memcpy(into.data() + offset, &value, sizeof value);
}

template <class T>
T get(std::string_view from, std::size_t offset) {
  T value{};
  std::memcpy(&value, from.data() + offset, sizeof value);
  return value;
}

}  // namespace

std::string encode(const Queued& record) {
  std::string payload(queued_octets, '\0');
  put(payload, 0, record.id.value);
  put(payload, 8, record.record.segment);
  put(payload, 12, record.record.offset);
  put(payload, 16, record.record.octets);
  put(payload, 20, static_cast<std::uint8_t>(record.record.stream));
  return payload;
}

std::optional<Queued> decode_queued(std::string_view payload) {
  if (payload.size() != queued_octets) return std::nullopt;
  const auto stream = get<std::uint8_t>(payload, 20);
  if (stream > static_cast<std::uint8_t>(store::StreamKind::mail)) return std::nullopt;
  Queued record{.id = QueueId(get<std::uint64_t>(payload, 0)), .record = {}};
  record.record.segment = get<std::uint32_t>(payload, 8);
  record.record.offset = get<std::uint32_t>(payload, 12);
  record.record.octets = get<std::uint32_t>(payload, 16);
  record.record.stream = static_cast<store::StreamKind>(stream);
  if (!record.record.present()) return std::nullopt;
  return record;
}

std::string encode(const SenderToldOfDelay& record) {
  std::string payload(told_of_delay_octets, '\0');
  put(payload, 0, record.id.value);
  put(payload, 8, record.when.microseconds);
  return payload;
}

std::optional<SenderToldOfDelay> decode_told_of_delay(std::string_view payload) {
  if (payload.size() != told_of_delay_octets) return std::nullopt;
  return SenderToldOfDelay{QueueId(get<std::uint64_t>(payload, 0)),
                           {get<std::int64_t>(payload, 8)}};
}

std::string encode(const RecipientEnded& record) {
  std::string payload(ended_octets, '\0');
  put(payload, 0, record.id.value);
  put(payload, 8, record.when.microseconds);
  put(payload, 16, record.ordinal);
  put(payload, 18, static_cast<std::uint8_t>(record.state));
  return payload;
}

std::optional<RecipientEnded> decode_ended(std::string_view payload) {
  if (payload.size() != ended_octets) return std::nullopt;
  RecipientEnded record;
  record.id = QueueId(get<std::uint64_t>(payload, 0));
  record.when = {get<std::int64_t>(payload, 8)};
  record.ordinal = get<std::uint16_t>(payload, 16);
  const auto state = get<std::uint8_t>(payload, 18);
  if (state == 0 || state > static_cast<std::uint8_t>(RecipientState::removed)) return std::nullopt;
  record.state = static_cast<RecipientState>(state);
  return record;
}

std::string encode(const RecipientPutOff& record) {
  const std::string_view reply = record.reply.substr(0, reply_octets_max);
  std::string payload(put_off_octets, '\0');
  put(payload, 0, record.id.value);
  put(payload, 8, record.when.microseconds);
  put(payload, 16, record.next_attempt.microseconds);
  put(payload, 24, record.ordinal);
  put(payload, 26, record.attempts);
  put(payload, 28, static_cast<std::uint32_t>(reply.size()));
  payload += reply;
  return payload;
}

std::optional<RecipientPutOff> decode_put_off(std::string_view payload) {
  if (payload.size() < put_off_octets) return std::nullopt;
  const auto reply_octets = get<std::uint32_t>(payload, 28);
  if (reply_octets > reply_octets_max || payload.size() != put_off_octets + reply_octets)
    return std::nullopt;
  RecipientPutOff record;
  record.id = QueueId(get<std::uint64_t>(payload, 0));
  record.when = {get<std::int64_t>(payload, 8)};
  record.next_attempt = {get<std::int64_t>(payload, 16)};
  record.ordinal = get<std::uint16_t>(payload, 24);
  record.attempts = get<std::uint16_t>(payload, 26);
  record.reply = payload.substr(put_off_octets);
  return record;
}

std::string encode(const AdministratorOrdered& record) {
  const std::string_view reply = record.reply.substr(0, reply_octets_max);
  std::string payload(order_octets, '\0');
  put(payload, 0, record.id.value);
  put(payload, 8, record.when.microseconds);
  put(payload, 16, record.ordinal);
  put(payload, 18, static_cast<std::uint8_t>(record.order));
  put(payload, 20, static_cast<std::uint32_t>(reply.size()));
  payload += reply;
  return payload;
}

std::optional<AdministratorOrdered> decode_order(std::string_view payload) {
  if (payload.size() < order_octets) return std::nullopt;
  const auto reply_octets = get<std::uint32_t>(payload, 20);
  if (reply_octets > reply_octets_max || payload.size() != order_octets + reply_octets)
    return std::nullopt;
  const auto order = get<std::uint8_t>(payload, 18);
  if (order == 0 || order > static_cast<std::uint8_t>(AdministratorOrder::bounce))
    return std::nullopt;
  AdministratorOrdered record;
  record.id = QueueId(get<std::uint64_t>(payload, 0));
  record.when = {get<std::int64_t>(payload, 8)};
  record.ordinal = get<std::uint16_t>(payload, 16);
  record.order = static_cast<AdministratorOrder>(order);
  record.reply = payload.substr(order_octets);
  return record;
}

}  // namespace kurir::queue
