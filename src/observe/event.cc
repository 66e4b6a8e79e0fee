#include "kurir/observe/event.hh"

#include <array>

#include "kurir/observe/json_text.hh"

namespace kurir::observe {
namespace {

class Line {
 public:
  explicit Line(std::string& out) : out_(out) {}
  void text(std::string_view name, std::string_view value) {
    key(name);
    append_json_string(out_, value);
  }
  void text_if(std::string_view name, std::string_view value) {
    if (!value.empty()) text(name, value);
  }
  void number(std::string_view name, std::int64_t value) {
    key(name);
    out_ += std::to_string(value);
  }
  void key(std::string_view name) {
    out_ += first_ ? "{\"" : ",\"";
    first_ = false;
    out_ += name;
    out_ += "\":";
  }
  std::string& raw() { return out_; }

 private:
  std::string& out_;
  bool first_ = true;
};

// Seconds with their microseconds, as KumoMTA's event_time has fractions.
void append_seconds(std::string& out, WallTime time) {
  std::string fraction = std::to_string(time.microseconds % 1'000'000);
  fraction.insert(0, 6 - fraction.size(), '0');
  out += std::to_string(time.seconds());
  out += '.';
  out += fraction;
}

void append_enhanced(std::string& out, std::string_view enhanced) {
  const std::size_t first = enhanced.find('.');
  const std::size_t second = first == std::string_view::npos ? first : enhanced.find('.', first + 1);
  if (second == std::string_view::npos) {
    out += "null";
    return;
  }
  out += "{\"class\":";
  out += enhanced.substr(0, first);
  out += ",\"subject\":";
  out += enhanced.substr(first + 1, second - first - 1);
  out += ",\"detail\":";
  out += enhanced.substr(second + 1);
  out += '}';
}

void append_response(Line& line, const Response& response) {
  line.key("response");
  std::string& out = line.raw();
  out += "{\"code\":";
  out += std::to_string(response.code);
  out += ",\"enhanced_code\":";
  append_enhanced(out, response.enhanced);
  out += ",\"content\":";
  append_json_string(out, response.content);
  out += ",\"command\":";
  if (response.command.empty()) out += "null";
  if (!response.command.empty()) append_json_string(out, response.command);
  out += '}';
}

void append_stages(Line& line, const Event& event) {
  if (event.receive_us < 0 && event.commit_us < 0 && event.queue_us < 0) return;
  line.key("stage_us");
  Line stages(line.raw());
  if (event.receive_us >= 0) stages.number("receive", event.receive_us);
  if (event.commit_us >= 0) stages.number("commit", event.commit_us);
  if (event.queue_us >= 0) stages.number("queue", event.queue_us);
  line.raw() += '}';
}

}  // namespace

std::string_view name_of(EventType type) {
  static constexpr std::array<std::string_view, 8> names = {"Reception",  "Delivery",    "TransientFailure", "Bounce",
                                                            "Expiration", "AdminBounce", "Delayed",          "Rejection"};
  return names[static_cast<std::size_t>(type)];
}

void append_json_line(std::string& out, const Event& event) {
  Line line(out);
  line.text("type", name_of(event.type));
  line.text("id", event.id);
  line.text("sender", event.sender);
  line.text("recipient", event.recipient);
  line.text_if("queue", event.queue);
  line.text_if("site", event.site);
  line.number("size", static_cast<std::int64_t>(event.size));
  append_response(line, event.response);
  line.key("peer_address");
  Line peer(out);
  peer.text("name", event.peer_name);
  peer.text("addr", event.peer_address);
  out += '}';
  line.number("timestamp", event.event_time.seconds());
  line.key("event_time");
  append_seconds(out, event.event_time);
  line.number("created", event.created.seconds());
  line.key("created_time");
  append_seconds(out, event.created);
  line.number("num_attempts", event.num_attempts);
  line.text_if("reception_protocol", event.reception_protocol);
  line.text_if("delivery_protocol", event.delivery_protocol);
  line.text_if("authn_id", event.user);
  append_stages(line, event);
  line.number("shard", event.shard);
  out += "}\n";
}

}  // namespace kurir::observe
