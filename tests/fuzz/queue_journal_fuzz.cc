// Feeds octets to the readers of what the queue and its messages leave on disk, and to the queue's
// recovery. Input: type u8 (of a journal record, or a message's), octets u16, payload; and so on.
#include <string>

#include "input.hh"
#include "kurir/queue/queue.hh"
#include "kurir/store/message_record.hh"
#include "on_a_core.hh"

namespace kurir::queue {
namespace {

// As long, and the same when it is read again: fields that are always zero are not looked at.
template <class Decode>
void check_record(Decode decode, std::string_view payload) {
  const auto record = decode(payload);
  if (!record) return;
  const std::string written = encode(*record);
  KURIR_ASSERT(written.size() == payload.size());
  const auto again = decode(written);
  KURIR_ASSERT(again.has_value());
  KURIR_ASSERT(encode(*again) == written);
}

void check_change(std::uint16_t type, std::string_view payload) {
  if (type == record_recipient_ended) check_record(&decode_ended, payload);
  if (type == record_recipient_put_off) check_record(&decode_put_off, payload);
  if (type == record_queued) check_record(&decode_queued, payload);
  if (type == record_administrator_order) check_record(&decode_order, payload);
  if (type == record_sender_told_of_delay) check_record(&decode_told_of_delay, payload);
}

void check_message(std::string_view payload) {
  const Result<store::DecodedMessage> message = store::decode_message(payload);
  if (!message) return;
  const std::string head = store::encode_message(message->envelope, message->tail.size());
  // Flags and fields that this version does not know are not kept.
  KURIR_ASSERT(head.size() + message->tail.size() == payload.size());
  const std::string again = head + std::string(message->tail);
  const Result<store::DecodedMessage> twice = store::decode_message(again);
  KURIR_ASSERT(twice.has_value());
  KURIR_ASSERT(twice->envelope.recipients.size() == message->envelope.recipients.size());
  KURIR_ASSERT(twice->envelope.extents == message->envelope.extents);
  KURIR_ASSERT(twice->tail == message->tail);
}

// A new queue for each input, which recovers and is not started.
struct Deal {
  Task<void> operator()(std::string_view input) {
    Queue queue({}, ShardIndex(0), 1, no_logs, events, counters);
    std::uint32_t number = 0;
    while (!input.empty()) {
      const auto type = static_cast<std::uint16_t>(fuzz::take_octet(input));
      const std::size_t octets = fuzz::take_two(input);
      const std::string_view payload = input.substr(0, octets);
      input.remove_prefix(payload.size());
      recover(queue, type, payload, ++number);
    }
    queue.for_each([](const Message& message) {
      KURIR_ASSERT(message.has_waiting() || message.has_report_due());
    });
    (void)queue.queued_before({});
    co_return;
  }
  static void recover(Queue& queue, std::uint16_t type, std::string_view payload,
                      std::uint32_t number) {
    check_change(type, payload);
    if (type != store::record_type::message) return queue.recover_change(type, payload);
    check_message(payload);
    const auto message = store::decode_message(payload);
    // A message's id is its own: no two records have it.
    if (message && queue.find(message->envelope.queue_id) != nullptr) return;
    store::RecordRef ref;
    ref.segment = 1;
    ref.offset = 4096 + 8 * number;
    queue.recover_message(ref, payload);
  }

  observe::EventSink sink{"none"};
  observe::Counters counters;
  observe::EventLog events{sink, &counters};
  const ShardLogs no_logs;
};

Task<void> live(fuzz::InputGate& gate) {
  Deal deal;
  co_await fuzz::serve(gate, 10'000, deal);
  co_await deal.events.stop();
}

}  // namespace
}  // namespace kurir::queue

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  static fuzz::CoreThread thread([](fuzz::InputGate& gate) {
    kurir::test::on_cores(1, [&](CoreIndex) { return queue::live(gate); });
  });
  thread.pass(fuzz::text_of(data, size));
  return 0;
}
