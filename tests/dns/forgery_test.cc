// Replies that somebody else made up (RFC 5452, threats.md H1).

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <random>
#include <set>

#include "resolver_fixture.hh"

namespace kurir::dns {
namespace {

using namespace test;

constexpr std::uint8_t true_address = 5, forged_address = 66;

// Each wrong in one thing only.
std::vector<std::string> forgeries_of(const std::string& query) {
  const std::string forged = reply_to(query, a(forged_address));
  const auto with = [&](std::size_t at, int mask) {
    std::string changed = forged;
    changed[at] = static_cast<char>(changed[at] ^ mask);
    return changed;
  };
  const std::size_t type_at = 12 + question_of(query).size() - 3;
  return {with(0, 1),       with(1, 1),           with(2, 0x80), with(2, 0x08),        with(13, 1),
          with(type_at, 2), with(type_at + 2, 2), with(5, 2),    forged.substr(0, 11), ""};
}

Task<void> expect_the_true_one(Resolver& resolver, std::string name) {
  const Answer answer = co_await ask(resolver, name);
  EXPECT_EQ(answer.status, Status::found) << text_of(answer.trouble);
  for (const Record& record : answer.records)
    EXPECT_EQ(std::get<io::SocketAddress>(record).octets()[3], true_address);
}

void from_a_stranger(const Question& question, const std::string& packet) {
  const int stranger = ::socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(question.from_port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::sendto(stranger, packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to),
           sizeof to);
  ::close(stranger);
}

TEST(Forgery, the_true_answer_is_used_though_others_come_first) {
  FakeServer server([](const Question& q, const FakeServer::Send& send) {
    from_a_stranger(q, reply_to(q.packet, a(forged_address)));
    for (const std::string& forged : forgeries_of(q.packet)) send(forged);
    send(reply_to(q.packet, a(true_address)));
  });
  with_resolver(options_for({server.address()}), [](Resolver& resolver) -> Task<void> {
    co_await expect_the_true_one(resolver, "mail.forged.example");
    EXPECT_EQ(resolver.figures().disbelieved, 10U);
    EXPECT_EQ(resolver.figures().over_tcp, 0U);
  });
  EXPECT_EQ(server.count(), 1U);
}

// 10,000 guesses a second for 0.2 seconds, each with a random id and the name as it is written
// down, from the right address to the right port; then the truth.
void flood(const Question& question, const FakeServer::Send& send) {
  std::minstd_rand chance(question.id());
  std::string plain = question.packet;
  for (std::size_t at = 12; plain[at] != 0; ++at)
    if (plain[at] >= 'A' && plain[at] <= 'Z') plain[at] = static_cast<char>(plain[at] + 32);
  auto next = std::chrono::steady_clock::now();
  for (int burst = 0; burst < 200; ++burst) {
    for (int i = 0; i < 10; ++i) {
      std::string forged = reply_to(plain, a(forged_address));
      forged.replace(0, 2, u16(static_cast<unsigned>(chance() >> 8)));
      send(forged);
    }
    next += std::chrono::milliseconds(1);
    std::this_thread::sleep_until(next);  // the flood's pace
  }
  send(reply_to(question.packet, a(true_address)));
}

TEST(Forgery, none_of_ten_thousand_a_second_is_believed) {
  FakeServer server(&flood, FakeServer::Tcp::no);
  ResolverOptions options = options_for({server.address()});
  options.first_timeout = Seconds(9);  // a busy machine is not asked again
  with_resolver(options, [](Resolver& resolver) -> Task<void> {
    for (int i = 0; i < 5; ++i)
      co_await expect_the_true_one(resolver, "mail" + std::to_string(i) + ".forged.example");
    EXPECT_GT(resolver.figures().disbelieved, 5000U);
  });
  EXPECT_EQ(server.count(), 5U);
}

TEST(Forgery, guesses_make_it_turn_to_tcp) {
  FakeServer server([](const Question& q, const FakeServer::Send& send) {
    if (q.over_tcp) return send(reply_to(q.packet, a(true_address)));
    for (int i = 0; i < 10; ++i)
      for (const std::string& forged : forgeries_of(q.packet)) send(forged);
  });
  with_resolver(options_for({server.address()}), [](Resolver& resolver) -> Task<void> {
    co_await expect_the_true_one(resolver, "mail.forged.example");
    EXPECT_EQ(resolver.figures().disbelieved, limits::dns_disbelieved_max);
    EXPECT_EQ(resolver.figures().over_tcp, 1U);
  });
}

TEST(Forgery, a_guess_with_the_right_id_fails_by_the_case_of_the_name) {
  FakeServer server(
      [](const Question& q, const FakeServer::Send& send) {
        std::string wrong = reply_to(q.packet, a(forged_address));
        wrong[0] = static_cast<char>(wrong[0] ^ 1);
        send(wrong);
        std::string folded = q.packet;
        for (std::size_t at = 12; folded[at] != 0; ++at)
          if (folded[at] >= 'A' && folded[at] <= 'Z')
            folded[at] = static_cast<char>(folded[at] + 32);
        send(reply_to(folded, a(forged_address)));
        send(reply_to(q.packet, a(true_address)));
      },
      FakeServer::Tcp::no);
  with_resolver(options_for({server.address()}), [](Resolver& resolver) -> Task<void> {
    co_await expect_the_true_one(resolver, "a-long-name-of-many-letters.example");
    EXPECT_EQ(resolver.figures().disbelieved, 2U);
  });
  EXPECT_EQ(server.count(), 1U);
}

// Chi-square of 16 cells; 60 is passed once in ten million times by chance.
template <class CellOf>
void expect_even(const std::vector<Question>& questions, CellOf cell_of) {
  std::array<double, 16> cells{};
  for (const Question& question : questions) ++cells[cell_of(question) & 15U];
  const double expected = static_cast<double>(questions.size()) / 16;
  double distance = 0;
  for (const double cell : cells) distance += (cell - expected) * (cell - expected) / expected;
  EXPECT_LT(distance, 60);
}

TEST(Forgery, ids_ports_and_case_cannot_be_guessed) {
  FakeServer server([](const Question& q, const FakeServer::Send& send) {
    send(reply_to(q.packet, a(true_address)));
  });
  constexpr int asked = 2000;
  with_resolver(options_for({server.address()}), [](Resolver& resolver) -> Task<void> {
    for (int i = 0; i < asked; ++i)
      co_await expect_the_true_one(resolver, "mail.example.n" + std::to_string(i));
  });
  const std::vector<Question> questions = server.heard();
  ASSERT_EQ(questions.size(), std::size_t{asked});
  expect_even(questions, [](const Question& q) { return q.id(); });
  expect_even(questions, [](const Question& q) { return unsigned{q.id()} >> 12; });
  // The kernel gives odd ports and even ones to different uses.
  expect_even(questions, [](const Question& q) { return unsigned{q.from_port} >> 1; });
  expect_even(questions, [](const Question& q) {
    unsigned bits = 0;
    for (const std::size_t at : {13, 14, 15, 16}) bits = bits * 2 + (q.packet[at] < 'a' ? 1 : 0);
    return bits;
  });
  std::set<std::uint16_t> ports;
  for (const Question& question : questions) ports.insert(question.from_port);
  EXPECT_GT(ports.size(), 1500U);
}

}  // namespace
}  // namespace kurir::dns
