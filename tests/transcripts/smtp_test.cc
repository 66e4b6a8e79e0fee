// Each transcript of SMTP, cut and ended in every place: what was acknowledged is in the queue, and
// nothing else is.

#include <set>

#include "smtp/fixture.hh"
#include "support/transcript.hh"

namespace kurir::smtp::test {
namespace {

// These are about commands that do not wait for replies: cut, they do.
bool is_about_cuts(const std::string& name) {
  return name == "pipelining_before_ehlo" || name == "pipelining_not_offered" ||
         name == "early_talker" || name == "pipeconnect_early" || name == "tls_injection";
}

// The messages since `known`, as their senders would know them.
std::string queue_beyond(House& house, std::size_t known) {
  std::string state;
  std::size_t place = 0;
  house.queue().for_each([&](const queue::Message& message) {
    if (place++ < known) return;
    state += "<" + std::string(message.envelope.reverse_path) + ">";
    for (const queue::Recipient& recipient : message.envelope.recipients)
      state += " <" + std::string(recipient.address) + ">";
    state += " " + std::to_string(message.content_octets) + "\n";
  });
  return state;
}

// An LMTP server acknowledges a message to each recipient, with the same name.
std::size_t acknowledged_in(std::string_view said) {
  constexpr std::string_view before = " queued as ";
  std::set<std::string_view> names;
  for (std::size_t at = said.find(before); at != said.npos; at = said.find(before, at + 1))
    names.insert(said.substr(at, said.find("\r\n", at) - at));
  return names.size();
}

std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

class Player {
 public:
  kurir::test::Stage<House> stage() {
    return {.begin = [this](House& house) { return begin(house); },
            .state = [this](House& house) { return state(house); }};
  }

 private:
  Task<void> begin(House& house) {
    known_ = house.queue().size();
    co_return;
  }
  // A 250 for content stands before every look at the queue: both are of the same moment.
  Task<std::string> state(House& house) { co_return queue_beyond(house, known_); }
  std::size_t known_ = 0;
};

class SmtpTranscript : public testing::TestWithParam<std::string> {};

TEST_P(SmtpTranscript, goes_as_written_however_it_is_cut) {
  const auto chat =
      kurir::test::read_chat(std::string(KURIR_GOLDEN) + "/smtp/" + GetParam() + ".chat");
  const HouseOptions options = chat_options(GetParam());
  Player player;
  House::run(options, [&](House& house) {
    return kurir::test::replay_in_all_ways(
        house, player.stage(), chat,
        {.places_max = 1000, .cut_is_told = is_about_cuts(GetParam())});
  });
}

// Acknowledged is stored, and stored is acknowledged, after each octet that a client sends.
Task<void> acknowledges_what_it_stores(House& house, std::vector<kurir::test::ChatLine> chat) {
  Player player;
  const auto stage = player.stage();
  kurir::test::Replay<House> slow(house, stage, chat, {.octets_at_once = 1});
  const kurir::test::Replayed replayed = co_await slow.run(true);
  for (const kurir::test::Moment& moment : replayed.moments) {
    const std::size_t acknowledged = acknowledged_in(moment.said.front());
    EXPECT_EQ(count_of(moment.state, "\n"), acknowledged);
  }
  const std::vector<std::string> found = co_await house.after_a_crash();
  EXPECT_EQ(found.size(), acknowledged_in(replayed.last.said.front()));
}
TEST_P(SmtpTranscript, acknowledges_what_it_stores_octet_by_octet) {
  const auto chat =
      kurir::test::read_chat(std::string(KURIR_GOLDEN) + "/smtp/" + GetParam() + ".chat");
  if (is_about_cuts(GetParam())) return;
  const HouseOptions options = chat_options(GetParam());
  House::run(options, [&](House& house) { return acknowledges_what_it_stores(house, chat); });
}

INSTANTIATE_TEST_SUITE_P(Golden, SmtpTranscript,
                         testing::ValuesIn(kurir::test::transcripts("smtp")),
                         [](const auto& chat) { return chat.param; });

}  // namespace
}  // namespace kurir::smtp::test
