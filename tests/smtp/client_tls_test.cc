// STARTTLS of the client's session: hosts that offer it, do not, fail at it, or say more in
// plaintext than they should (threats.md B2).

#include <gtest/gtest.h>

#include <chrono>

#include "kurir/coro/scope.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/line_reader.hh"
#include "kurir/smtp/client_session.hh"
#include "kurir/tls/tls_stream.hh"
#include "support/on_cores.hh"
#include "support/stream_pair.hh"

namespace kurir::smtp::test {
namespace {

using kurir::test::PipeEnd;
using Use = ClientTls::Use;

constexpr Nanoseconds soon = Seconds(20);
constexpr std::string_view host_name = "mx.next.test";

tls::Certificate host_certificate() {
  static const Result<tls::Certificate> made = tls::make_self_signed(
      std::string(host_name), {std::chrono::duration_cast<std::chrono::microseconds>(
                                   std::chrono::system_clock::now().time_since_epoch())
                                   .count()});
  KURIR_ASSERT(made.has_value());
  return *made;
}

// How a host behaves, and what it was told.
struct Host {
  std::string offered = "250-mx.next.test\r\n250 STARTTLS\r\n";
  std::string answer = "220 go\r\n";            // to STARTTLS
  std::string instead;                          // of a handshake
  std::string within = "250 mx.next.test\r\n";  // to EHLO over TLS
  std::vector<std::string> heard;               // over TLS with a "*"

  Task<std::string> hear(io::Stream& stream) {
    io::LineReader lines(stream, 4096);
    std::string_view line;
    while (lines.next(4096, line) != io::LineReader::Found::line) {
      const Result<void> filled = co_await stream.fill(deadline_in(soon));
      if (!filled) co_return std::string();
    }
    std::string verb = (stream.is_encrypted() ? "*" : "") + std::string(line.substr(0, 4));
    lines.done();
    heard.push_back(verb);
    co_return verb;
  }
  Task<void> answer_all(io::Stream& stream, std::string hello) {
    for (;;) {
      const std::string verb = co_await hear(stream);
      if (verb.empty()) co_return;
      std::string said = "250 ok\r\n";
      if (verb.ends_with("EHLO")) said = hello;
      if (verb.ends_with("STAR")) said = answer;
      static_cast<void>(co_await stream.write(said, deadline_in(soon)));
      if (verb == "STAR" && answer.starts_with("220")) co_return;
    }
  }
  Task<void> serve(PipeEnd& end) {
    static_cast<void>(co_await end.write("220 mx.next.test\r\n", deadline_in(soon)));
    co_await answer_all(end, offered);
    if (!instead.empty()) static_cast<void>(co_await end.write(instead, deadline_in(soon)));
    tls::TicketKeys tickets({1}, io::now());
    tls::TlsStream stream(end);
    const auto context = tls::ServerContext::make({host_certificate()}, tls::Version::tls_1_2);
    const Result<void> accepted =
        co_await stream.accept({*context, tickets, "smtp"}, deadline_in(soon));
    if (accepted) co_await answer_all(stream, within);
    co_await stream.close();
  }
};

struct Visit {
  std::optional<Answer> refused;
  bool tls_failed = false, is_encrypted = false, is_usable = false;
};

Task<Visit> visit(Host& host, Use use, bool verify = false, std::string authorities = {}) {
  PipeEnd there;
  auto here = std::make_unique<PipeEnd>();
  here->connect(there);
  there.connect(*here);
  Scope scope;
  scope.start(host.serve(there));
  ClientOptions options{"me.example.test", {}, {}};
  options.tls = {use, verify, std::string(host_name), *tls::ClientContext::make(authorities)};
  ClientSession session(std::move(here), std::move(options));
  Visit seen;
  seen.refused = co_await session.open();
  seen.tls_failed = session.tls_failed();
  seen.is_encrypted = !session.encryption().protocol.empty();
  seen.is_usable = session.is_usable();
  co_await session.close();
  co_await scope.join();
  co_return seen;
}

TEST(ClientTls, goes_on_encrypted_where_it_is_offered) {
  kurir::test::on_one_core([]() -> Task<void> {
    for (const Use use : {Use::where_offered, Use::always}) {
      Host host;
      const Visit seen = co_await visit(host, use);
      EXPECT_FALSE(seen.refused.has_value());
      EXPECT_TRUE(seen.is_encrypted);
      EXPECT_EQ(host.heard, (std::vector<std::string>{"EHLO", "STAR", "*EHLO", "*QUIT"}));
    }
  });
}

TEST(ClientTls, does_not_ask_where_it_is_switched_off) {
  kurir::test::on_one_core([]() -> Task<void> {
    Host host;
    const Visit seen = co_await visit(host, Use::never);
    EXPECT_FALSE(seen.refused || seen.is_encrypted);
    EXPECT_EQ(host.heard, (std::vector<std::string>{"EHLO", "QUIT"}));
  });
}

TEST(ClientTls, goes_without_only_where_it_may) {
  kurir::test::on_one_core([]() -> Task<void> {
    for (const bool is_offered : {true, false}) {
      Host host, strict;
      if (!is_offered) host.offered = strict.offered = "250 mx.next.test\r\n";
      host.answer = strict.answer = "454 4.7.0 not now\r\n";
      const Visit seen = co_await visit(host, Use::where_offered);
      EXPECT_FALSE(seen.refused || seen.is_encrypted);
      EXPECT_TRUE(seen.is_usable);
      const Visit refused = co_await visit(strict, Use::always);
      EXPECT_TRUE(refused.refused.has_value());
      EXPECT_EQ(refused.refused->verdict, Answer::Verdict::refused_for_now);
    }
  });
}

TEST(ClientTls, what_was_offered_in_plaintext_is_forgotten) {
  kurir::test::on_one_core([]() -> Task<void> {
    Host host;
    host.offered = "250-mx.next.test\r\n250-SIZE 1\r\n250 STARTTLS\r\n";
    const Visit seen = co_await visit(host, Use::where_offered);
    EXPECT_FALSE(seen.refused.has_value());
    host.heard.clear();
    host.within = "421 mx.next.test closes\r\n";
    const Visit refused = co_await visit(host, Use::where_offered);
    EXPECT_TRUE(refused.refused.has_value());
    EXPECT_FALSE(refused.tls_failed);
  });
}

TEST(ClientTls, replies_behind_the_go_ahead_are_never_taken) {
  kurir::test::on_one_core([]() -> Task<void> {
    constexpr std::string_view injected = "250-evil.test\r\n250 AUTH PLAIN\r\n";
    Host in_one, apart;
    in_one.answer += injected;
    apart.instead = injected;
    for (Host* host : {&in_one, &apart})
      for (const Use use : {Use::where_offered, Use::always}) {
        host->heard.clear();
        const Visit seen = co_await visit(*host, use);
        EXPECT_TRUE(seen.refused.has_value());
        EXPECT_TRUE(seen.tls_failed);
        EXPECT_FALSE(seen.is_encrypted || seen.is_usable);
        EXPECT_EQ(host->heard, (std::vector<std::string>{"EHLO", "STAR"}));
      }
  });
}

TEST(ClientTls, verifies_whose_certificate_it_is_where_it_must) {
  kurir::test::on_one_core([]() -> Task<void> {
    Host known, unknown;
    const Visit seen = co_await visit(known, Use::always, true, host_certificate().chain_pem);
    EXPECT_FALSE(seen.refused.has_value());
    EXPECT_TRUE(seen.is_encrypted);
    const Visit refused = co_await visit(unknown, Use::always, true);
    EXPECT_TRUE(refused.refused.has_value());
    EXPECT_TRUE(refused.tls_failed);
    EXPECT_TRUE(refused.refused->reply.starts_with("451 4.7.5 ")) << refused.refused->reply;
    EXPECT_EQ(unknown.heard, (std::vector<std::string>{"EHLO", "STAR"}));
  });
}

}  // namespace
}  // namespace kurir::smtp::test
