#include "kurir/dns/resolver.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "resolver_fixture.hh"

namespace kurir::dns {
namespace {

using namespace test;

// Every address is 127.0.0.5.
void say_five(const Question& question, const FakeServer::Send& send) {
  send(reply_to(question.packet, a(5)));
}

void stay_silent(const Question&, const FakeServer::Send&) {}

Task<void> expect_found(Resolver& resolver, std::string name) {
  const Answer answer = co_await ask(resolver, name);
  EXPECT_EQ(answer.status, Status::found) << text_of(answer.trouble);
  EXPECT_EQ(answer.records.size(), 1U);
  if (answer.records.size() == 1)
    EXPECT_EQ(std::get<io::SocketAddress>(answer.records[0]).host(), "127.0.0.5");
}

Task<void> expect_trouble(Resolver& resolver, std::string name, Trouble trouble) {
  const Answer answer = co_await ask(resolver, name);
  EXPECT_EQ(answer.status, Status::try_later);
  EXPECT_EQ(answer.trouble, trouble) << text_of(answer.trouble);
  EXPECT_TRUE(answer.records.empty());
}

Task<void> typed(Resolver& resolver) {
  const Instant now = Executor::current().now();
  const MxAnswer mail = co_await resolver.lookup_mx("Example.ORG.", soon());
  EXPECT_EQ(mail.status, Status::found);
  EXPECT_THAT(mail.exchanges,
              testing::ElementsAre(Mx{5, "first.example"}, Mx{10, "second.example"}));
  EXPECT_FALSE(mail.is_null());
  EXPECT_TRUE(mail.authentic);
  EXPECT_GE(mail.valid_until, now + Seconds(200));
  EXPECT_LE(mail.valid_until, now + Seconds(220));

  const AddressAnswer addresses = co_await resolver.lookup_addresses("first.example", soon());
  EXPECT_EQ(addresses.status, Status::found);
  EXPECT_EQ(addresses.trouble, Trouble::none);
  EXPECT_EQ(addresses.ipv4.size(), 2U);
  EXPECT_EQ(addresses.ipv6.size(), 1U);

  const TxtAnswer texts = co_await resolver.lookup_txt("example.org", soon());
  EXPECT_THAT(texts.texts, testing::ElementsAre("v=spf1 -all"));
  const auto address = io::SocketAddress::parse("127.1.2.3:25");
  const PtrAnswer names = co_await resolver.lookup_ptr(*address, soon());
  EXPECT_THAT(names.names, testing::ElementsAre("3.2.1.127.in-addr.arpa.host.example"));
  const auto six = io::SocketAddress::parse("[2001:db8::1f]:25");
  const PtrAnswer six_names = co_await resolver.lookup_ptr(*six, soon());
  EXPECT_THAT(
      six_names.names,
      testing::ElementsAre("f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
                           "ip6.arpa.host.example"));
  const TlsaAnswer keys = co_await resolver.lookup_tlsa("first.example", 25, soon());
  EXPECT_THAT(keys.associations, testing::ElementsAre(Tlsa{3, 1, 1, "_25._tcp.first.example"}));

  for (const char* text : {"", "a..b", "a b", "127.0.0.1"}) {
    const AddressAnswer none = co_await resolver.lookup_addresses(text, soon());
    EXPECT_EQ(none.status, Status::no_such_name) << text;
  }
}

void say_types(const Question& q, const FakeServer::Send& send) {
  const auto say = [&](const std::string& records, unsigned count) {
    send(reply_to(q.packet, response | authentic, Sections{.answer = records, .answers = count}));
  };
  switch (q.type) {
    case RecordType::mx:
      return say(mx(10, "second.example") + mx(5, "First.example", 210), 2);
    case RecordType::a:
      return say(a(1) + a(2), 2);
    case RecordType::aaaa:
      return say(aaaa(1), 1);
    case RecordType::txt:
      return say(txt("v=spf1 -all"), 1);
    case RecordType::ptr:
      return say(record(to_question, q.type, 60, wire_name(q.name + ".host.example")), 1);
    case RecordType::tlsa:
      return say(record(to_question, q.type, 60, "\3\1\1" + q.name), 1);
    default:
      return;
  }
}

TEST(Resolver, looks_up_in_types) {
  FakeServer server(&say_types);
  with_resolver(options_for({server.address()}), &typed);
  EXPECT_EQ(server.count(), 7U);
}

TEST(Resolver, says_what_is_permanent_and_what_is_not) {
  FakeServer server([](const Question& q, const FakeServer::Send& send) {
    if (q.name == "nothing.example") return send(denial(q.packet, 0));
    if (q.name == "unknown.example") return send(denial(q.packet, 3));
    if (q.name == "failed.example") return send(reply_to(q.packet, response | 2));
    if (q.name == "refused.example") return send(reply_to(q.packet, response | 5));
    if (q.name == "broken.example") return send(reply_to(q.packet, "rubbish"));
    if (q.name == "six.example" && q.type == RecordType::aaaa)
      return send(reply_to(q.packet, aaaa(1)));
    if (q.name == "six.example") return send(reply_to(q.packet, response | 2));
    if (q.name == "none.example") return send(reply_to(q.packet, mx(0, "")));
  });
  with_resolver(options_for({server.address()}), [](Resolver& resolver) -> Task<void> {
    const Answer nothing = co_await ask(resolver, "nothing.example");
    EXPECT_EQ(nothing.status, Status::no_data);
    const Answer unknown = co_await ask(resolver, "unknown.example");
    EXPECT_EQ(unknown.status, Status::no_such_name);
    co_await expect_trouble(resolver, "failed.example", Trouble::server_failed);
    co_await expect_trouble(resolver, "refused.example", Trouble::refused);
    co_await expect_trouble(resolver, "broken.example", Trouble::malformed);
    const AddressAnswer denied = co_await resolver.lookup_addresses("unknown.example", soon());
    EXPECT_EQ(denied.status, Status::no_such_name);
    const AddressAnswer later = co_await resolver.lookup_addresses("failed.example", soon());
    EXPECT_EQ(later.status, Status::try_later);
    const AddressAnswer half = co_await resolver.lookup_addresses("six.example", soon());
    EXPECT_EQ(half.status, Status::found);
    EXPECT_EQ(half.trouble, Trouble::server_failed);
    EXPECT_LE(half.valid_until, deadline_in(Seconds(5)));
    const MxAnswer null_mx = co_await resolver.lookup_mx("none.example", soon());
    EXPECT_TRUE(null_mx.is_null());
  });
}

TEST(Resolver, asks_once_what_many_wait_for_and_remembers) {
  FakeServer server(&say_five);
  with_resolver(options_for({server.address()}), [](Resolver& resolver) -> Task<void> {
    Scope scope;
    for (int i = 0; i < 50; ++i) scope.start(expect_found(resolver, "many.example"));
    co_await scope.join();
    EXPECT_EQ(resolver.figures().joined, 49U);
    co_await expect_found(resolver, "MANY.example.");
    EXPECT_EQ(resolver.figures().from_cache, 1U);
    EXPECT_EQ(resolver.cached(), 1U);
  });
  EXPECT_EQ(server.count(), 1U);
}

TEST(Resolver, failures_are_remembered_too) {
  FakeServer server([](const Question& q, const FakeServer::Send& send) {
    send(reply_to(q.packet, response | 2));
  });
  with_resolver(options_for({server.address()}), [](Resolver& resolver) -> Task<void> {
    for (int i = 0; i < 10; ++i)
      co_await expect_trouble(resolver, "failed.example", Trouble::server_failed);
  });
  EXPECT_EQ(server.count(), 1U);
}

TEST(Resolver, time_to_live_ends) {
  FakeServer server(
      [](const Question& q, const FakeServer::Send& send) { send(reply_to(q.packet, a(5, 0))); });
  ResolverOptions options = options_for({server.address()});
  options.cache.ttl_min = Milliseconds(20);
  with_resolver(options, [&](Resolver& resolver) -> Task<void> {
    const Deadline patience = soon();
    while (server.count() < 2 && Executor::current().now() < patience) {
      co_await expect_found(resolver, "short.example");
      co_await yield_turn();
    }
    EXPECT_GT(resolver.figures().from_cache, 1U);
  });
  EXPECT_EQ(server.count(), 2U);
}

TEST(Resolver, what_is_asked_often_is_asked_anew_before_its_end) {
  FakeServer server(&say_five);
  ResolverOptions options = options_for({server.address()});
  options.cache.refresh_part = 1;  // any time is near the end
  with_resolver(options, [&](Resolver& resolver) -> Task<void> {
    co_await expect_found(resolver, "hot.example");
    co_await expect_found(resolver, "hot.example");
    EXPECT_EQ(resolver.figures().refreshed, 0U);
    co_await expect_found(resolver, "hot.example");
    EXPECT_EQ(resolver.figures().refreshed, 1U);
    EXPECT_EQ(resolver.figures().from_cache, 2U) << "nobody waits for it";
    const Deadline patience = soon();
    while (server.count() < 2 && Executor::current().now() < patience) co_await yield_turn();
  });
  EXPECT_EQ(server.count(), 2U);
}

TEST(Resolver, aliases_are_asked_for_to_their_end) {
  FakeServer server([](const Question& q, const FakeServer::Send& send) {
    if (q.name == "end.example") return send(reply_to(q.packet, a(5, 100)));
    if (q.name == "loop.example") return send(reply_to(q.packet, cname("loop2.example")));
    if (q.name == "loop2.example") return send(reply_to(q.packet, cname("loop.example")));
    send(reply_to(q.packet, cname(q.name == "one.example" ? "two.example" : "end.example")));
  });
  with_resolver(options_for({server.address()}), [](Resolver& resolver) -> Task<void> {
    const Answer answer = co_await ask(resolver, "one.example");
    EXPECT_EQ(answer.status, Status::found);
    EXPECT_EQ(answer.name.text(), "end.example");
    EXPECT_LE(answer.valid_until, deadline_in(Seconds(100)));
    co_await expect_trouble(resolver, "loop.example", Trouble::alias_loop);
  });
  EXPECT_EQ(server.count(), 3 + limits::dns_aliases_max + 1);
}

TEST(Resolver, long_answers_come_over_tcp) {
  const std::string text(60 * 1024, 't');
  FakeServer server([&](const Question& q, const FakeServer::Send& send) {
    if (!q.over_tcp) return send(reply_to(q.packet, response | truncated));
    send(reply_to(q.packet, txt(text)));
  });
  with_resolver(options_for({server.address()}), [&](Resolver& resolver) -> Task<void> {
    const TxtAnswer answer = co_await resolver.lookup_txt("long.example", soon());
    EXPECT_EQ(answer.status, Status::found);
    EXPECT_THAT(answer.texts, testing::ElementsAre(text));
    EXPECT_EQ(resolver.figures().over_tcp, 1U);
  });
  EXPECT_EQ(server.count(), 2U);
}

TEST(Resolver, a_truncated_answer_without_tcp_is_none) {
  FakeServer server(
      [&](const Question& q, const FakeServer::Send& send) {
        send(reply_to(q.packet, response | truncated, Sections{.answer = a(6), .answers = 1}));
      },
      FakeServer::Tcp::no);
  with_resolver(options_for({server.address()}), [](Resolver& resolver) -> Task<void> {
    co_await expect_trouble(resolver, "long.example", Trouble::unreachable);
  });
}

// What goes wrong over TCP, by name.
void misbehave(const Question& q, const FakeServer::Send& send) {
  if (!q.over_tcp) return send(reply_to(q.packet, response | truncated));
  if (q.name == "closed.example") return;
  if (q.name == "empty.example") return send("");
  if (q.name == "again.example") return send(reply_to(q.packet, response | truncated));
  std::string forged = reply_to(q.packet, a(6));
  forged[0] ^= 1;
  send(forged);
}

TEST(Resolver, what_goes_wrong_over_tcp_is_tried_later) {
  FakeServer server(&misbehave);
  with_resolver(options_for({server.address()}), [](Resolver& resolver) -> Task<void> {
    co_await expect_trouble(resolver, "closed.example", Trouble::unreachable);
    co_await expect_trouble(resolver, "empty.example", Trouble::malformed);
    co_await expect_trouble(resolver, "again.example", Trouble::malformed);
    co_await expect_trouble(resolver, "forged.example", Trouble::malformed);
  });
}

TEST(Resolver, servers_without_edns_are_asked_without_it) {
  FakeServer server([](const Question& q, const FakeServer::Send& send) {
    if (q.extended) return send(reply_to(q.packet, response | 1));
    say_five(q, send);
  });
  with_resolver(options_for({server.address()}), [](Resolver& resolver) -> Task<void> {
    co_await expect_found(resolver, "one.example");
    co_await expect_found(resolver, "two.example");
  });
  EXPECT_EQ(server.count(), 3U) << "it is remembered";
}

// Says every name in lower case.
void fold(const Question& q, const FakeServer::Send& send) {
  std::string folded = q.packet;
  for (std::size_t at = 12; folded[at] != 0; ++at)
    if (folded[at] >= 'A' && folded[at] <= 'Z') folded[at] = static_cast<char>(folded[at] + 32);
  send(reply_to(folded, a(5)));
}

TEST(Resolver, servers_that_fold_case_are_asked_over_tcp_once) {
  for (const auto tcp : {FakeServer::Tcp::yes, FakeServer::Tcp::no}) {
    FakeServer server(&fold, tcp);
    with_resolver(options_for({server.address()}), [](Resolver& resolver) -> Task<void> {
      co_await expect_found(resolver, "a-long-name-of-many-letters.example");
      co_await expect_found(resolver, "another-long-name-of-many-letters.example");
      EXPECT_EQ(resolver.figures().over_tcp, 1U);
    });
    EXPECT_EQ(server.count(), 3U);
  }
}

TEST(Resolver, the_next_server_answers_where_one_does_not) {
  FakeServer silent(&stay_silent);
  FakeServer failing([](const Question& q, const FakeServer::Send& send) {
    send(reply_to(q.packet, response | 2));
  });
  FakeServer good(&say_five);
  ResolverOptions options = options_for({silent.address(), failing.address(), good.address()});
  options.first_timeout = Milliseconds(20);
  with_resolver(options, [](Resolver& resolver) -> Task<void> {
    for (int i = 0; i < 10; ++i)
      co_await expect_found(resolver, "n" + std::to_string(i) + ".example");
  });
  EXPECT_EQ(silent.count(), 1U) << "it is asked last from then on";
  EXPECT_EQ(failing.count(), 10U) << "a failure may be the name's own";
  EXPECT_EQ(good.count(), 10U);
}

TEST(Resolver, silence_is_met_with_growing_patience_up_to_the_timeout) {
  FakeServer silent(&stay_silent);
  ResolverOptions options = options_for({silent.address()});
  options.timeout = Milliseconds(300);
  options.first_timeout = Milliseconds(20);
  with_resolver(options, [](Resolver& resolver) -> Task<void> {
    const Instant began = Executor::current().now();
    co_await expect_trouble(resolver, "silent.example", Trouble::timed_out);
    EXPECT_GE(Executor::current().now() - began, Milliseconds(300));
    EXPECT_LT(Executor::current().now() - began, Seconds(5));
  });
  EXPECT_GE(silent.count(), 3U);
  EXPECT_LE(silent.count(), 4U);  // 20 + 40 + 80 + 160 ms
}

TEST(Resolver, nobody_there_is_told_at_once) {
  io::SocketAddress nowhere;
  {
    FakeServer gone(&stay_silent);
    nowhere = gone.address();
  }
  with_resolver(options_for({nowhere}), [](Resolver& resolver) -> Task<void> {
    co_await expect_trouble(resolver, "name.example", Trouble::unreachable);
  });
}

TEST(Resolver, a_deadline_ends_the_wait_and_not_the_question) {
  FakeServer server([](const Question& q, const FakeServer::Send& send) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // it is slow, that is the case
    say_five(q, send);
  });
  with_resolver(options_for({server.address()}), [](Resolver& resolver) -> Task<void> {
    const Answer late = co_await resolver.query(*Name::parse("slow.example"), RecordType::a,
                                                deadline_in(Milliseconds(5)));
    EXPECT_EQ(late.status, Status::try_later);
    EXPECT_EQ(late.trouble, Trouble::timed_out);
    co_await expect_found(resolver, "slow.example");
  });
  EXPECT_EQ(server.count(), 1U);
}

TEST(Resolver, more_questions_than_sockets_take_turns) {
  FakeServer server(&say_five);
  ResolverOptions options = options_for({server.address()});
  options.exchanges_max = 2;
  with_resolver(options, [](Resolver& resolver) -> Task<void> {
    Scope scope;
    for (int i = 0; i < 200; ++i)
      scope.start(expect_found(resolver, "n" + std::to_string(i) + ".example"));
    co_await scope.join();
  });
  EXPECT_EQ(server.count(), 200U);
}

TEST(Resolver, no_descriptor_left_is_ours_and_not_remembered) {
  FakeServer server(&say_five);
  with_resolver(options_for({server.address()}), [](Resolver& resolver) -> Task<void> {
    rlimit before{};
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none{0, before.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    co_await expect_trouble(resolver, "name.example", Trouble::exhausted);
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    co_await expect_found(resolver, "name.example");
  });
}

Task<void> wait_for_stop(Resolver& resolver, std::string name) {
  co_await expect_trouble(resolver, name, Trouble::stopped);
}

Task<void> stopping(const ResolverOptions& options) {
  Resolver resolver(options);
  Scope scope;
  for (int i = 0; i < 5; ++i)
    scope.start(wait_for_stop(resolver, "n" + std::to_string(i) + ".example"));
  for (int i = 0; i < 10; ++i) co_await yield_turn();
  const Instant began = Executor::current().now();
  co_await resolver.stop();
  co_await scope.join();
  EXPECT_LT(Executor::current().now() - began, Seconds(1));
  const Answer after = co_await ask(resolver, "late.example");
  EXPECT_EQ(after.trouble, Trouble::stopped);
}

TEST(Resolver, stopping_ends_what_is_under_way) {
  FakeServer silent(&stay_silent);
  ResolverOptions options = options_for({silent.address()});
  options.exchanges_max = 3;  // some wait for a socket
  kurir::test::on_cores(1, [&](CoreIndex) { return stopping(options); });
}

}  // namespace
}  // namespace kurir::dns
