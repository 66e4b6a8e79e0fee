// Random operations on a queue, from a seed, beside a naive model: who is still to get what, what
// the tally counts, what a walk meets, what an order does, what a restart brings back.

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "fixture.hh"
#include "support/time_travel.hh"

namespace kurir::queue::test {
namespace {

using Order = AdministratorCommand::Kind;
using Addresses = std::multiset<std::string>;

constexpr std::array domains = {"x.test", "y.test", "z.example"};

// The model: the recipients of each message that have not ended.
class Story {
 public:
  explicit Story(unsigned seed) : random_(seed) {}

  Task<void> act(House& house) {
    house_ = &house;
    for (int step = 0; step < 60 && !testing::Test::HasFailure(); ++step) {
      co_await step_once();
      compare();
      compare_walk();
    }
    while (!flying_.empty()) land();
    for (int turn = 0; turn < 40; ++turn) co_await yield_turn();
    compare();
    const Result<void> synced = co_await house.queue->sync_outcomes();
    EXPECT_TRUE(synced.has_value());
    seen_ = house.seen();
  }
  Task<void> look(House& house) {
    house_ = &house;
    EXPECT_EQ(house.seen(), seen_);
    compare();
    co_return;
  }

 private:
  unsigned upto(std::size_t count) { return static_cast<unsigned>(random_() % count); }

  Task<void> step_once() {
    switch (upto(8)) {
      case 0:
      case 1:
      case 2: {
        std::vector<std::string> recipients;
        const unsigned count = 1 + upto(4);
        for (unsigned n = 0; n < count; ++n)
          recipients.push_back(std::string(1, static_cast<char>('a' + n)) + "@" +
                               domains[upto(domains.size())]);
        const std::string sender = upto(3) == 0 ? "" : "s" + std::to_string(upto(2)) + "@t.test";
        const QueueId id = co_await house_->add(recipients, sender);
        live_[id.value] = Addresses(recipients.begin(), recipients.end());
        break;
      }
      case 3:
        if (!house_->holds.jobs.empty()) take_up();
        break;
      case 4:
      case 5:
        if (!flying_.empty()) land();
        break;
      case 6:
        co_await kurir::test::travel(std::chrono::minutes(7 * (1 + upto(20))));
        break;
      case 7:
        co_await give_order();
        break;
    }
    for (int turn = 0; turn < 5; ++turn) co_await yield_turn();  // senders are told
  }

  void take_up() {
    const QueueId id = house_->holds.jobs[upto(house_->holds.jobs.size())]->message.id;
    flying_.push_back(&house_->take_up(id));
  }
  void land() {
    const std::size_t at = upto(flying_.size());
    Job& job = *flying_[at];
    flying_.erase(flying_.begin() + static_cast<std::ptrdiff_t>(at));
    for (const std::uint16_t ordinal : job.ordinals) {
      const Outcome outcomes[] = {delivered, put_off, put_off, bounced};
      const Outcome& outcome = outcomes[upto(4)];
      if (outcome.state != RecipientState::waiting) end(job.message, ordinal);
      house_->queue->settle(job.message, ordinal, outcome);
    }
    house_->queue->finish(job);
  }
  void end(const Message& message, std::size_t ordinal) {
    Addresses& open = live_[message.id.value];
    const auto place = open.find(std::string(message.envelope.recipients[ordinal].address));
    KURIR_ASSERT(place != open.end());
    open.erase(place);
    if (open.empty()) live_.erase(message.id.value);
  }

  FilterText random_filter() {
    FilterText text;
    if (upto(2) == 0) text.domain = upto(2) == 0 ? "*.test" : domains[upto(domains.size())];
    if (upto(3) == 0) text.sender = upto(2) == 0 ? "<>" : "s1@*";
    if (upto(3) == 0) text.state = name_of(message_states[upto(message_states.size())]);
    if (upto(4) == 0) text.recipient = "b@*";
    if (upto(4) == 0) text.older_than = std::chrono::minutes(60);
    if (upto(4) == 0) {
      house_->queue->for_each([&](const Message& message) {
        if (upto(2) == 0) text.ids.push_back(text_of(message.id));
      });
    }
    return text;
  }
  // Written anew, without patterns: what these filters say.
  static bool is_meant(const FilterText& text, const Message& message, const Recipient& recipient) {
    const std::string_view at = std::string_view(recipient.address).substr(2);
    const std::string sender(message.envelope.reverse_path);
    if (!recipient.is_open()) return false;
    if (text.domain == "*.test" ? !at.ends_with(".test")
                                : !text.domain.empty() && at != text.domain)
      return false;
    if (text.sender == "<>" && !sender.empty()) return false;
    if (text.sender == "s1@*" && !sender.starts_with("s1@")) return false;
    if (!text.state.empty() && name_of(state_of(message, recipient)) != text.state) return false;
    if (!text.recipient.empty() && recipient.address.view()[0] != 'b') return false;
    if (text.older_than && io::wall_now().microseconds - message.envelope.received.microseconds <=
                               std::chrono::microseconds(std::chrono::minutes(60)).count())
      return false;
    return text.ids.empty() || std::ranges::count(text.ids, text_of(message.id)) > 0;
  }

  // What it should do, by the description in administration.hh.
  struct Expected {
    Administered counts;
    std::vector<std::pair<std::uint64_t, std::string>> ends;  // id, address
  };
  Expected expect(Order kind, const FilterText& text) const {
    Expected expected;
    house_->queue->for_each([&](const Message& message) {
      std::uint64_t recipients = 0;
      for (const Recipient& recipient : message.envelope.recipients) {
        if (!is_meant(text, message, recipient)) continue;
        const bool is_of_message = kind == Order::hold || kind == Order::release;
        if (kind == Order::hold && message.is_held) continue;
        if (kind == Order::release && !message.is_held) continue;
        if (kind == Order::retry && message.is_held) continue;
        if (!is_of_message && recipient.is_in_flight) {
          ++expected.counts.busy;
          continue;
        }
        ++recipients;
        if (kind == Order::bounce || kind == Order::remove)
          expected.ends.emplace_back(message.id.value, recipient.address);
      }
      expected.counts.recipients += recipients;
      expected.counts.messages += recipients > 0 ? 1 : 0;
    });
    return expected;
  }
  Task<void> give_order() {
    const FilterText text = random_filter();
    AdministratorCommand command;
    command.kind = static_cast<Order>(upto(5));
    const auto filter = Filter::parse(text);
    KURIR_ASSERT(filter.has_value());
    const Expected expected = expect(command.kind, text);
    for (const bool is_dry_run : {true, false}) {
      command.is_dry_run = is_dry_run;
      Administered all;
      Walk walk(*house_->queue, *filter);
      while (!walk.done()) {
        const auto done = co_await house_->queue->administrate(walk, command);
        KURIR_ASSERT(done.has_value());
        all += *done;
      }
      EXPECT_EQ(all.messages, expected.counts.messages);
      EXPECT_EQ(all.recipients, expected.counts.recipients);
      EXPECT_EQ(all.busy, expected.counts.busy);
      if (is_dry_run) compare();
    }
    for (const auto& [id, address] : expected.ends) {
      Addresses& open = live_[id];
      open.erase(open.find(address));
      if (open.empty()) live_.erase(id);
    }
  }

  void compare() const {
    std::map<std::uint64_t, Addresses> live;
    std::map<std::string, std::array<std::uint32_t, 4>, std::less<>> counts;
    std::map<std::string, std::map<std::uint32_t, std::uint32_t>, std::less<>> minutes;
    std::uint64_t octets = 0;
    house_->queue->for_each([&](const Message& message) {
      octets += message.content_octets;
      for (const Recipient& recipient : message.envelope.recipients) {
        if (!recipient.is_open()) continue;
        live[message.id.value].insert(std::string(recipient.address));
        const std::string domain(recipient.address.view().substr(2));
        ++counts[domain][static_cast<std::size_t>(state_of(message, recipient))];
        ++minutes[domain][static_cast<std::uint32_t>(message.envelope.received.seconds() / 60)];
      }
    });
    EXPECT_EQ(live, live_) << "nothing lost, nothing invented";
    const Tally& tally = house_->queue->tally();
    EXPECT_EQ(tally.messages(), live_.size());
    EXPECT_EQ(tally.octets(), octets);
    for (const auto& [name, domain] : tally.domains()) {
      const std::array<std::uint32_t, 4> expected = counts[name];
      EXPECT_EQ(domain.by_state, expected) << name;
      std::map<std::uint32_t, std::uint32_t> arrivals;
      for (const auto& each : domain.arrivals.minutes()) arrivals[each.number] = each.count;
      EXPECT_EQ(arrivals, minutes[name]) << name;
      counts.erase(name);
    }
    EXPECT_TRUE(counts.empty()) << "a domain is not counted";
  }
  void compare_walk() {
    const FilterText text = random_filter();
    const auto filter = Filter::parse(text);
    KURIR_ASSERT(filter.has_value());
    std::vector<std::uint64_t> met, expected;
    Walk walk(*house_->queue, *filter);
    while (!walk.done()) {
      walk.begin_slice();
      while (const Message* message = walk.next()) met.push_back(message->id.value);
    }
    house_->queue->for_each([&](const Message& message) {
      if (std::ranges::any_of(message.envelope.recipients, [&](const Recipient& recipient) {
            return is_meant(text, message, recipient);
          }))
        expected.push_back(message.id.value);
    });
    EXPECT_EQ(met, expected);
  }

  std::mt19937 random_;
  House* house_ = nullptr;
  std::map<std::uint64_t, Addresses> live_;
  std::vector<Job*> flying_;
  std::map<std::uint64_t, std::string> seen_;
};

class QueueModel : public testing::TestWithParam<unsigned> {};

TEST_P(QueueModel, agrees_after_every_operation_and_restart) {
  kurir::test::begin_time();
  QueueOptions options;
  options.max_age = std::chrono::days(365);
  Story story(GetParam());
  const auto act = [&](House& house) { return story.act(house); };
  const auto look = [&](House& house) { return story.look(house); };
  with_queue(options, {act, look, act, look});
}
INSTANTIATE_TEST_SUITE_P(Seeds, QueueModel, testing::Range(1U, 6U));

}  // namespace
}  // namespace kurir::queue::test
