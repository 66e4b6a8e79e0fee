#include "queue_text.hh"

#include "kurir/io/clock.hh"
#include "kurir/observe/json_text.hh"
#include "kurir/queue/deliverer.hh"
#include "kurir/queue/queue_id.hh"

namespace kurir::server {
namespace {

void append_text(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  observe::append_json_string(out, value);
}

void append_number(std::string& out, std::string_view name, std::int64_t value) {
  out += name;
  out += std::to_string(value);
}

void append_recipient(std::string& out, const queue::Message& message,
                      const queue::Recipient& recipient) {
  append_text(out, "{\"address\":", recipient.address);
  if (!recipient.original.empty()) append_text(out, ",\"orig_address\":", recipient.original);
  append_text(out, ",\"state\":", name_of(state_of(message, recipient)));
  append_number(out, ",\"attempts\":", recipient.attempts);
  const std::string_view site = queue::site_of(message, recipient);
  if (!site.empty()) append_text(out, ",\"site\":", site);
  const std::string_view trouble = queue::trouble_of(message, recipient);
  if (!trouble.empty()) append_text(out, ",\"delay_reason\":", trouble);
  const queue::Job* job = queue::job_of(message, recipient);
  if (trouble.empty() && job != nullptr && !job->in_flight)
    append_text(out, ",\"waits_for\":", job->deliverer.explain(*job));
  out += '}';
}

}  // namespace

std::int64_t wall_seconds(Instant when) {
  if (when == no_deadline) return -1;
  const auto ahead = std::chrono::duration_cast<std::chrono::microseconds>(when - io::now());
  return WallTime{io::wall_now().microseconds + ahead.count()}.seconds();
}

void append_message(std::string& out, const queue::Message& message) {
  append_text(out, "{\"queue_name\":", name_of(message.state()));
  append_text(out, ",\"queue_id\":", queue::text_of(message.id));
  append_number(out, ",\"arrival_time\":", message.envelope.received.seconds());
  append_number(out, ",\"message_size\":", static_cast<std::int64_t>(message.content_octets));
  append_text(out, ",\"sender\":", message.envelope.reverse_path);
  const Instant next = message.is_held ? no_deadline : message.next_attempt();
  if (next != no_deadline) append_number(out, ",\"next_attempt\":", wall_seconds(next));
  if (!message.envelope.reception.user().empty())
    append_text(out, ",\"user\":", message.envelope.reception.user());
  out += ",\"recipients\":[";
  bool is_first = true;
  for (const queue::Recipient& recipient : message.envelope.recipients) {
    if (!recipient.is_open()) continue;
    if (!std::exchange(is_first, false)) out += ',';
    append_recipient(out, message, recipient);
  }
  out += "]}";
}

}  // namespace kurir::server
