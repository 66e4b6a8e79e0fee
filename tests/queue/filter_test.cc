#include "kurir/queue/filter.hh"

#include <gtest/gtest.h>

#include "kurir/queue/queue_id.hh"
#include "kurir/queue/tally.hh"

namespace kurir::queue {
namespace {

int nowhere = 0;  // messages only keep the reference to their queue
constexpr WallTime now{1'000'000'000'000'000};

TEST(Pattern, a_star_is_any_octets_and_letters_have_no_case) {
  const struct {
    std::string_view pattern, text;
    bool matches;
  } rows[] = {{"", "", true},
              {"", "a", false},
              {"*", "", true},
              {"*", "anything", true},
              {"a.test", "A.Test", true},
              {"a.test", "b.a.test", false},
              {"*.a.test", "b.a.test", true},
              {"*.a.test", "a.test", false},
              {"*@a.test", "x@a.test", true},
              {"x*z", "xyz", true},
              {"x*z", "xz", true},
              {"x*z", "xyzy", false},
              {"x**z", "xabz", true},
              {"*a*b*", "__a__b__", true},
              {"*a*b*", "__b__a__", false},
              {"*ab", "aab", true},
              {"*aab", "aaaaab", true},
              {"a*", "", false}};
  for (const auto& row : rows)
    EXPECT_EQ(matches_pattern(row.pattern, row.text), row.matches)
        << row.pattern << " on " << row.text;
}

// Two recipients: one scheduled, one in flight; two minutes old.
struct Sample {
  Message message;
  Sample() : message(*reinterpret_cast<Queue*>(&nowhere), nullptr) {
    message.id = QueueId(77);
    message.envelope.reverse_path = "News@Sender.test";
    message.envelope.received = {now.microseconds - 120'000'000};
    message.is_durable = true;
    message.envelope.recipients.resize(2);
    first().address = "bob@far.test";
    first().original = "info@here.test";
    second().address = "eve@other.test";
    second().is_in_flight = true;
  }
  Recipient& first() { return message.envelope.recipients[0]; }
  Recipient& second() { return message.envelope.recipients[1]; }
};

Filter parsed(const FilterText& text) {
  const auto filter = Filter::parse(text);
  EXPECT_TRUE(filter) << filter.error();
  return filter.value_or(Filter());
}

TEST(Filter, every_condition_must_hold) {
  Sample sample;
  Tally tally;
  for (Recipient& recipient : sample.message.envelope.recipients)
    tally.update(sample.message, recipient);
  Tally::set_site(sample.second(), "mx.other.test");
  const std::string id = text_of(QueueId(77)), other_id = text_of(QueueId(78));
  const struct {
    FilterText text;
    bool first, second;
  } rows[] = {
      {{.everything = true}, true, true},
      {{.domain = "far.test"}, true, false},
      {{.domain = "FAR.*"}, true, false},
      {{.domain = "nowhere.test"}, false, false},
      {{.site = "mx.other.test"}, false, true},
      {{.site = "*"}, true, true},
      {{.sender = "news@sender.test"}, true, true},
      {{.sender = "<news@sender.test>"}, true, true},
      {{.sender = "*@sender.test"}, true, true},
      {{.sender = "bob@far.test"}, false, false},
      {{.sender = "<>"}, false, false},
      {{.recipient = "bob@far.test"}, true, false},
      {{.recipient = "INFO@here.test"}, true, false},
      {{.recipient = "*"}, true, true},
      {{.state = "scheduled"}, true, false},
      {{.state = "in-flight"}, false, true},
      {{.state = "In Flight"}, false, true},
      {{.state = "in_flight"}, false, true},
      {{.state = "held"}, false, false},
      {{.older_than = std::chrono::seconds(119)}, true, true},
      {{.older_than = std::chrono::seconds(120)}, false, false},
      {{.ids = {id}}, true, true},
      {{.ids = {other_id, id, id}}, true, true},
      {{.ids = {other_id}}, false, false},
      {{.domain = "far.test", .ids = {id}}, true, false},
      {{.domain = "far.test", .state = "in-flight"}, false, false},
      {{.domain = "other.test", .sender = "news@*", .state = "in-flight"}, false, true},
  };
  for (const auto& row : rows) {
    const Filter filter = parsed(row.text);
    SCOPED_TRACE(&row - rows);
    EXPECT_EQ(filter.matches(sample.message, sample.first(), now), row.first);
    EXPECT_EQ(filter.matches(sample.message, sample.second(), now), row.second);
    EXPECT_EQ(filter.matches(sample.message, now), row.first || row.second);
  }
}

TEST(Filter, recipients_that_ended_are_not_meant) {
  Sample sample;
  const Filter filter = parsed({.everything = true});
  sample.first().state = RecipientState::delivered;
  EXPECT_FALSE(filter.matches(sample.message, sample.first(), now));
  EXPECT_TRUE(filter.matches(sample.message, now));
  sample.second().state = RecipientState::bounced;
  EXPECT_FALSE(filter.matches(sample.message, now));
  sample.second().awaits_report = true;  // its sender is still to be told
  EXPECT_TRUE(filter.matches(sample.message, sample.second(), now));
}

TEST(Filter, the_null_sender_is_written_with_brackets) {
  Sample sample;
  sample.message.envelope.reverse_path = "";
  EXPECT_TRUE(parsed({.sender = "<>"}).matches(sample.message, now));
  EXPECT_FALSE(parsed({.sender = "a@b.test"}).matches(sample.message, now));
}

TEST(Filter, a_held_message_has_only_held_recipients_but_those_in_flight) {
  Sample sample;
  sample.message.is_held = true;
  const Filter held = parsed({.state = "held"});
  EXPECT_TRUE(held.matches(sample.message, sample.first(), now));
  EXPECT_FALSE(held.matches(sample.message, sample.second(), now));
}

TEST(Filter, what_is_no_filter_is_said) {
  const struct {
    FilterText text;
    std::string_view error;
  } rows[] = {{{.state = "late"}, "'late' is no state"},
              {{.ids = {"x!"}}, "'x!' is no queue id"},
              {{.domain = "a.test", .everything = true}, "either everything"}};
  for (const auto& row : rows) {
    const auto filter = Filter::parse(row.text);
    ASSERT_FALSE(filter);
    EXPECT_NE(filter.error().find(row.error), std::string::npos) << filter.error();
  }
}

TEST(Filter, an_empty_one_is_known) {
  EXPECT_TRUE(parsed({}).is_empty());
  EXPECT_TRUE(parsed({.everything = true}).is_empty());
  EXPECT_TRUE(parsed({.everything = true}).means_everything());
  EXPECT_FALSE(parsed({.site = "x"}).is_empty());
  EXPECT_FALSE(parsed({.older_than = Seconds(1)}).is_empty());
}

}  // namespace
}  // namespace kurir::queue
