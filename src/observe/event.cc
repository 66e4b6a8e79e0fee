#include "kurir/observe/event.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>

#include "kurir/observe/json_text.hh"

namespace kurir::observe {
namespace {

constexpr std::string_view nil_uuid = "00000000-0000-0000-0000-000000000000";

void append_number(std::string& out, std::int64_t value) {
  std::array<char, 24> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), end);
}

// RFC 3339 has years of four digits: a clock that is out of its mind shows as 1970 or 9999.
WallTime in_range(WallTime time) {
  constexpr std::int64_t micros_max = 253'402'300'799'999'999;
  return {std::clamp<std::int64_t>(time.microseconds, 0, micros_max)};
}

void put_digits(char* out, unsigned value, unsigned count) {
  for (unsigned place = count; place > 0; value /= 10)
    out[--place] = static_cast<char>('0' + value % 10);
}

void append_rfc3339(std::string& out, WallTime time) {
  const std::chrono::sys_seconds instant{Seconds(time.seconds())};
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const auto second = static_cast<unsigned>((instant - day).count());
  std::array text = std::to_array("0000-00-00T00:00:00.000000Z");
  put_digits(&text[0], static_cast<unsigned>(int(date.year())), 4);
  put_digits(&text[5], unsigned(date.month()), 2);
  put_digits(&text[8], unsigned(date.day()), 2);
  put_digits(&text[11], second / 3600, 2);
  put_digits(&text[14], second / 60 % 60, 2);
  put_digits(&text[17], second % 60, 2);
  put_digits(&text[20], static_cast<unsigned>(time.microseconds % 1'000'000), 6);
  out.append(text.data(), text.size() - 1);
}

// The name of a member, one of ours that needs no escape, as it stands in a line: `,"name":`.
class Key {
 public:
  template <std::size_t octets>
  consteval Key(const char (&name)[octets]) : octets_(octets + 3) {
    char* out = text_.data();
    *out++ = ',';
    *out++ = '"';
    out = std::copy_n(name, octets - 1, out);
    *out++ = '"';
    *out = ':';
  }
  constexpr std::string_view first() const { return next().substr(1); }
  constexpr std::string_view next() const { return {text_.data(), octets_}; }

 private:
  std::array<char, 32> text_{};
  std::size_t octets_;
};

// One JSON object, from its first member to close().
class Object {
 public:
  explicit Object(std::string& out) : out_(out) { out_ += '{'; }
  void close() { out_ += '}'; }
  std::string& key(const Key& name) {
    out_ += first_ ? name.first() : name.next();
    first_ = false;
    return out_;
  }
  void text(const Key& name, std::string_view value) { append_json_string(key(name), value); }
  void text_or_null(const Key& name, std::string_view value) {
    if (value.empty()) {
      null(name);
    } else {
      text(name, value);
    }
  }
  void text_if_known(const Key& name, std::string_view value) {
    if (!value.empty()) text(name, value);
  }
  void number(const Key& name, std::int64_t value) { append_number(key(name), value); }
  void null(const Key& name) { key(name) += "null"; }
  // As KumoMTA writes event_time: "2025-09-12T11:08:01.440526Z" (RFC 3339).
  void time(const Key& name, WallTime time) {
    key(name) += '"';
    append_rfc3339(out_, time);
    out_ += '"';
  }
  void time_if_known(const Key& name, WallTime value) {
    if (value.microseconds > 0) time(name, in_range(value));
  }
  void field(const EventField& field) {
    if (!first_) out_ += ',';
    first_ = false;
    append_json_string(out_, field.name);
    out_ += ':';
    append_json_string(out_, field.value);
  }

 private:
  std::string& out_;
  bool first_ = true;
};

struct EnhancedCode {
  std::array<unsigned, 3> parts{};
};

// RFC 3463 2: class "." subject "." detail, the last two of one to three digits. A peer chose the
// text: what is not exactly that is no code.
std::optional<EnhancedCode> parse_enhanced(std::string_view text) {
  EnhancedCode code;
  const char* here = text.data();
  const char* const end = text.data() + text.size();
  for (std::size_t part = 0; part < 3; ++part) {
    if (part > 0 && (here == end || *here++ != '.')) return std::nullopt;
    const auto [after, error] = std::from_chars(here, end, code.parts[part]);
    const std::ptrdiff_t digits_max = part == 0 ? 1 : 3;
    if (error != std::errc() || after - here > digits_max) return std::nullopt;
    here = after;
  }
  if (here != end) return std::nullopt;
  return code;
}

void append_response(Object& line, const Response& response) {
  Object object(line.key("response"));
  object.number("code", response.code);
  const std::optional<EnhancedCode> enhanced = parse_enhanced(response.enhanced);
  if (enhanced) {
    Object code(object.key("enhanced_code"));
    code.number("class", enhanced->parts[0]);
    code.number("subject", enhanced->parts[1]);
    code.number("detail", enhanced->parts[2]);
    code.close();
  } else {
    object.null("enhanced_code");
  }
  if (enhanced || response.enhanced.empty()) {
    object.text("content", response.content);
  } else {
    object.text("content", std::string(response.enhanced).append(" ").append(response.content));
  }
  object.text_or_null("command", response.command);
  object.close();
}

void append_recipients(Object& line, const Event& event) {
  if (event.recipients.size() < 2) {
    line.text("recipient", event.recipients.empty() ? event.recipient : event.recipients.front());
    return;
  }
  std::string& out = line.key("recipient");
  char before = '[';
  for (const std::string_view recipient : event.recipients) {
    out += before;
    append_json_string(out, recipient);
    before = ',';
  }
  out += ']';
}

void append_peer(Object& line, const Event& event) {
  if (event.peer_name.empty() && event.peer_address.empty()) return line.null("peer_address");
  Object peer(line.key("peer_address"));
  peer.text("name", event.peer_name);
  peer.text("addr", event.peer_address);
  peer.close();
}

void append_times(Object& line, const Event& event) {
  const WallTime happened = in_range(event.event_time), created = in_range(event.created);
  line.number("timestamp", happened.seconds());
  line.time("event_time", happened);
  line.number("created", created.seconds());
  line.time("created_time", created);
  line.time_if_known("durable_time", event.durable_time);
  line.time_if_known("first_attempt_time", event.first_attempt_time);
}

void append_fields(Object& line, const Event& event) {
  Object meta(line.key("meta"));
  meta.text_if_known("authn_id", event.user);
  meta.text_if_known("received_from", event.received_from);
  for (const EventField& field : event.meta) meta.field(field);
  meta.close();
  Object headers(line.key("headers"));
  for (const EventField& field : event.headers) headers.field(field);
  headers.close();
}

void append_stages(Object& line, const Event& event) {
  const auto add = [](Object& stages, const Key& name, std::int64_t duration) {
    if (duration >= 0) stages.number(name, duration);
  };
  const bool any = event.receive_us >= 0 || event.commit_us >= 0 || event.queue_us >= 0 ||
                   event.connect_us >= 0 || event.data_us >= 0;
  if (!any) return;
  Object stages(line.key("stage_us"));
  add(stages, "receive", event.receive_us);
  add(stages, "commit", event.commit_us);
  add(stages, "queue", event.queue_us);
  add(stages, "connect", event.connect_us);
  add(stages, "data", event.data_us);
  stages.close();
}

}  // namespace

std::string_view name_of(EventType type) {
  static constexpr std::array<std::string_view, 9> names = {
      "Reception",   "Delivery", "TransientFailure", "Bounce", "Expiration",
      "AdminBounce", "Delayed",  "Rejection",        "Damage"};
  return names[static_cast<std::size_t>(type)];
}

void append_json_line(std::string& out, const Event& event, std::string_view node_id) {
  if (!event.nodeid.empty()) node_id = event.nodeid;
  Object line(out);
  line.text("type", name_of(event.type));
  line.text("id", event.id);
  line.text("sender", event.sender);
  append_recipients(line, event);
  line.text("queue", event.queue);
  line.text("site", event.site);
  line.number("size", static_cast<std::int64_t>(event.size));
  append_response(line, event.response);
  append_peer(line, event);
  append_times(line, event);
  line.number("num_attempts", event.num_attempts);
  line.text("bounce_classification",
            event.bounce_classification.empty() ? "Uncategorized" : event.bounce_classification);
  line.text_or_null("egress_pool", event.egress_pool);
  line.text_or_null("egress_source", event.egress_source);
  line.null("source_address");
  line.null("feedback_report");
  append_fields(line, event);
  line.text_or_null("delivery_protocol", event.delivery_protocol);
  line.text_or_null("reception_protocol", event.reception_protocol);
  line.text("nodeid", node_id.empty() ? nil_uuid : node_id);
  line.text_if_known("tls_cipher", event.tls_cipher);
  line.text_if_known("tls_protocol_version", event.tls_protocol_version);
  line.text_if_known("session_id", event.session_id);
  append_stages(line, event);
  line.number("shard", event.shard);
  line.close();
  out += '\n';
}

}  // namespace kurir::observe
