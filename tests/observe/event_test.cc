#include "kurir/observe/event.hh"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace kurir::observe {
namespace {

using Json = nlohmann::json;

std::string line_of(const Event& event) {
  std::string line;
  append_json_line(line, event);
  return line;
}

// Exactly one line, and JSON.
Json parsed(const Event& event) {
  const std::string line = line_of(event);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  return Json::parse(line, nullptr, false);
}

constexpr WallTime september{1'757'675'281'440'526};

TEST(Event, a_delivery_has_kumomta_s_fields) {
  const EventField meta[] = {{"tenant", "t\"1"}};
  const EventField headers[] = {{"Subject", "hi\n2026 status=sent"}, {"X-Job", "7"}};
  Event event;
  event.type = EventType::delivery;
  event.id = "1d98076abbbc11ed";
  event.sender = "user@sender.example";
  event.recipient = "bob@example.test";
  event.queue = "campaign:tenant@example.test";
  event.site = "source2->mx.example.test.";
  event.size = 1047;
  event.response = {250, "2.0.0", "OK ids=8a", "."};
  event.peer_name = "mx.example.test.";
  event.peer_address = "192.0.2.1";
  event.event_time = september;
  event.created = {1'757'675'280'000'007};
  event.durable_time = {1'757'675'280'004'000};
  event.first_attempt_time = {1'757'675'281'000'000};
  event.num_attempts = 2;
  event.egress_pool = "pool0";
  event.egress_source = "source2";
  event.user = "alice@example.test";
  event.received_from = "192.0.2.7:4711";
  event.meta = meta;
  event.headers = headers;
  event.delivery_protocol = "ESMTP";
  event.reception_protocol = "ESMTPA";
  event.nodeid = "557f3ad4-2c8c-11ee-976e-782d7e12e173";
  event.tls_cipher = "TLS_AES_256_GCM_SHA384";
  event.tls_protocol_version = "TLSv1.3";
  event.session_id = "9bcd689e-23d9-41b7-a015-63a1382f8b57";
  event.shard = 3;
  event.receive_us = 10;
  event.commit_us = 0;
  event.queue_us = 20;
  event.data_us = 30;
  EXPECT_EQ(parsed(event), Json::parse(R"({
    "type": "Delivery", "id": "1d98076abbbc11ed", "sender": "user@sender.example",
    "recipient": "bob@example.test", "queue": "campaign:tenant@example.test",
    "site": "source2->mx.example.test.", "size": 1047,
    "response": {"code": 250, "enhanced_code": {"class": 2, "subject": 0, "detail": 0},
                 "content": "OK ids=8a", "command": "."},
    "peer_address": {"name": "mx.example.test.", "addr": "192.0.2.1"},
    "timestamp": 1757675281, "event_time": "2025-09-12T11:08:01.440526Z",
    "created": 1757675280, "created_time": "2025-09-12T11:08:00.000007Z",
    "durable_time": "2025-09-12T11:08:00.004000Z",
    "first_attempt_time": "2025-09-12T11:08:01.000000Z",
    "num_attempts": 2, "bounce_classification": "Uncategorized",
    "egress_pool": "pool0", "egress_source": "source2", "source_address": null,
    "feedback_report": null, "meta": {
      "authn_id": "alice@example.test", "received_from": "192.0.2.7:4711", "tenant": "t\"1"},
    "headers": {"Subject": "hi\n2026 status=sent", "X-Job": "7"},
    "delivery_protocol": "ESMTP", "reception_protocol": "ESMTPA",
    "nodeid": "557f3ad4-2c8c-11ee-976e-782d7e12e173",
    "tls_cipher": "TLS_AES_256_GCM_SHA384", "tls_protocol_version": "TLSv1.3",
    "session_id": "9bcd689e-23d9-41b7-a015-63a1382f8b57",
    "stage_us": {"receive": 10, "commit": 0, "queue": 20, "data": 30}, "shard": 3})"));
}

TEST(Event, what_is_not_known_is_null_or_left_out_as_kumomta_does) {
  EXPECT_EQ(parsed(Event{}), Json::parse(R"({
    "type": "Reception", "id": "", "sender": "", "recipient": "", "queue": "", "site": "",
    "size": 0, "response": {"code": 0, "enhanced_code": null, "content": "", "command": null},
    "peer_address": null, "timestamp": 0, "event_time": "1970-01-01T00:00:00.000000Z",
    "created": 0, "created_time": "1970-01-01T00:00:00.000000Z", "num_attempts": 0,
    "bounce_classification": "Uncategorized", "egress_pool": null, "egress_source": null,
    "source_address": null, "feedback_report": null, "meta": {}, "headers": {},
    "delivery_protocol": null, "reception_protocol": null,
    "nodeid": "00000000-0000-0000-0000-000000000000", "shard": 0})"));
}

TEST(Event, types_have_kumomta_s_names) {
  const std::pair<EventType, std::string_view> rows[] = {
      {EventType::reception, "Reception"},   {EventType::delivery, "Delivery"},
      {EventType::bounce, "Bounce"},         {EventType::transient_failure, "TransientFailure"},
      {EventType::expiration, "Expiration"}, {EventType::admin_bounce, "AdminBounce"},
      {EventType::delayed, "Delayed"},       {EventType::rejection, "Rejection"},
      {EventType::damage, "Damage"}};
  for (const auto& [type, name] : rows) {
    Event event;
    event.type = type;
    EXPECT_EQ(parsed(event)["type"], name);
  }
}

TEST(Event, one_recipient_is_a_string_several_are_an_array) {
  const std::string_view addresses[] = {"a@x", "b\"@y", "c@z"};
  Event event;
  event.recipients = std::span(addresses).first(1);
  EXPECT_EQ(parsed(event)["recipient"], "a@x");
  event.recipients = addresses;
  EXPECT_EQ(parsed(event)["recipient"], Json({"a@x", "b\"@y", "c@z"}));
}

// A peer chose these: nothing of them may become structure.
TEST(Event, only_three_numbers_are_an_enhanced_code) {
  const struct {
    std::string_view enhanced;
    bool is_code;
  } rows[] = {{"5.1.1", true},   {"4.999.999", true}, {"5.1", false},    {"5.1.1.1", false},
              {"55.1.1", false}, {"5.1.1000", false}, {"5.-1.1", false}, {"5..1", false},
              {"5.1.", false},   {".1.1", false},     {"5.1.1 ", false}, {"5.1.1},\"x\":{", false},
              {"a.b.c", false},  {"5.1.0x1", false},  {"+5.1.1", false}, {"...", false}};
  for (const auto& row : rows) {
    Event event;
    event.response = {550, row.enhanced, "no", ""};
    const Json response = parsed(event)["response"];
    EXPECT_EQ(response["enhanced_code"].is_object(), row.is_code) << row.enhanced;
    const std::string kept = std::string(row.enhanced) + " no";
    EXPECT_EQ(response["content"], row.is_code ? "no" : kept);
  }
}

TEST(Event, times_of_a_mad_clock_are_still_times) {
  const std::pair<std::int64_t, std::string_view> rows[] = {
      {-1, "1970-01-01T00:00:00.000000Z"},
      {INT64_MIN, "1970-01-01T00:00:00.000000Z"},
      {INT64_MAX, "9999-12-31T23:59:59.999999Z"},
      {951'782'400'000'000, "2000-02-29T00:00:00.000000Z"},
      {4'102'444'799'999'999, "2099-12-31T23:59:59.999999Z"}};
  for (const auto& [micros, text] : rows) {
    Event event;
    event.event_time = event.durable_time = {micros};
    const Json line = parsed(event);
    EXPECT_EQ(line["event_time"], text);
    if (micros > 0) EXPECT_EQ(line["durable_time"], text);
  }
}

TEST(Event, hostile_text_in_every_field_is_one_bounded_line) {
  const std::string hostile = "\x1b[2J\n\"},{\xFF\xE2\x80\xAE" + std::string(64 << 10, 'A');
  const std::string_view addresses[] = {hostile, hostile};
  const EventField fields[] = {{hostile, hostile}};
  Event event;
  event.id = event.sender = event.queue = event.site = hostile;
  event.recipients = addresses;
  event.response = {550, hostile, hostile, hostile};
  event.peer_name = event.peer_address = hostile;
  event.bounce_classification = event.egress_pool = event.egress_source = event.user = hostile;
  event.meta = event.headers = fields;
  event.reception_protocol = event.delivery_protocol = event.nodeid = hostile;
  event.tls_cipher = event.tls_protocol_version = event.session_id = hostile;
  const Json line = parsed(event);
  ASSERT_TRUE(line.is_object());
  EXPECT_LT(line_of(event).size(), 30U * 1100);
  EXPECT_EQ(line["sender"].get<std::string>().find("\x1b[2J\n\"},{\xEF\xBF\xBD"), 0U);
  for (const char octet : line_of(event).substr(0, line_of(event).size() - 1))
    EXPECT_GE(static_cast<unsigned char>(octet), 0x20);
}

}  // namespace
}  // namespace kurir::observe
