// TLS over streams in memory: both sides are ours; tests/e2e has the sides of others.

#include "kurir/tls/tls_stream.hh"

#include "tls_fixture.hh"

namespace kurir::tls::test {
namespace {

using kurir::test::on_one_core;

// A whole handshake has so many octets at most, either way.
constexpr std::size_t handshake_octets_max = 1500;

const Certificate& mail_certificate() {
  static const Certificate made = certificate_for("mail.example.test");
  return made;
}
Shared<const ServerContext> mail_context() { return server_context({mail_certificate()}); }

Task<void> expect_talk(TlsPair& pair) {
  pair.server.output() += "220 mail\r\n";
  const Result<void> flushed = co_await pair.server.flush(deadline_in(soon));
  EXPECT_TRUE(flushed.has_value());
  EXPECT_EQ(co_await take(pair.client, 10), "220 mail\r\n");
  pair.client.output() += "EHLO ";
  const Result<void> written = co_await pair.client.write("a\r\n", deadline_in(soon));
  EXPECT_TRUE(written.has_value());
  EXPECT_EQ(co_await take(pair.server, 8), "EHLO a\r\n");
}

TEST(TlsStream, what_is_written_comes_out_at_the_other_side) {
  on_one_core([]() -> Task<void> {
    TlsPair pair(mail_context());
    EXPECT_FALSE(pair.server.is_encrypted());
    co_await pair.shake_hands();
    EXPECT_TRUE(pair.accepted.has_value()) << pair.server.failure();
    EXPECT_TRUE(pair.connected.has_value()) << pair.client.failure();
    EXPECT_TRUE(pair.server.is_encrypted());
    EXPECT_EQ(pair.server.encryption().protocol, "TLSv1.3");
    EXPECT_EQ(pair.server.encryption().cipher, "TLS_AES_128_GCM_SHA256");
    co_await expect_talk(pair);
    EXPECT_EQ(pair.pair.client.received().find("220 mail"), std::string::npos);
    co_await pair.close();
  });
}

TEST(TlsStream, shakes_hands_at_every_split_of_the_octets) {
  on_one_core([]() -> Task<void> {
    const Shared<const ServerContext> context = mail_context();
    for (std::size_t split = 1; split < handshake_octets_max; split += 1 + split / 60) {
      TlsPair pair(context);
      pair.pair.server.cut_after(split);
      pair.pair.client.cut_after(split);
      co_await pair.shake_hands();
      EXPECT_TRUE(pair.accepted && pair.connected) << split;
      if (pair.accepted && pair.connected) co_await expect_talk(pair);
      co_await pair.close();
    }
  });
}

TEST(TlsStream, shakes_hands_octet_by_octet) {
  on_one_core([]() -> Task<void> {
    TlsPair pair(mail_context());
    for (kurir::test::PipeEnd* end : {&pair.pair.client, &pair.pair.server}) {
      end->set_piece_octets(1);
      end->cut_after(1);
    }
    co_await pair.shake_hands();
    EXPECT_TRUE(pair.accepted && pair.connected);
    if (pair.accepted && pair.connected) co_await expect_talk(pair);
    co_await pair.close();
  });
}

TEST(TlsStream, takes_and_gives_megabytes_in_bounded_memory) {
  on_one_core([]() -> Task<void> {
    TlsPair pair(mail_context());
    co_await pair.shake_hands();
    std::string content(3 << 20, '\0');
    for (std::size_t at = 0; at < content.size(); ++at) content[at] = static_cast<char>(at * 7);
    const Result<void> written = co_await pair.client.write(content, deadline_in(soon));
    EXPECT_TRUE(written.has_value());
    std::string got;
    while (got.size() < content.size()) {
      const Result<void> filled = co_await pair.server.fill(deadline_in(soon));
      EXPECT_TRUE(filled.has_value());
      if (!filled) break;
      EXPECT_LE(pair.server.input().octets(), 80u * 1024);
      const std::string_view piece = pair.server.input().front();
      got += piece;
      pair.server.input().consume(piece.size());
    }
    EXPECT_TRUE(got == content);
    co_await pair.close();
  });
}

TEST(TlsStream, garbage_instead_of_a_handshake_is_refused_without_an_answer) {
  on_one_core([]() -> Task<void> {
    for (const std::string_view garbage :
         {"GET / HTTP/1.1\r\n", "EHLO evil\r\n", "\x80\x2e\x01\x03\x01", "SSH-2.0-x\r\n"}) {
      TlsPair pair(mail_context());
      pair.pair.server.feed(garbage);
      co_await pair.accept();
      EXPECT_FALSE(pair.accepted.has_value()) << garbage;
      EXPECT_EQ(pair.accepted.error().code, Errc::refused);
      EXPECT_EQ(pair.pair.client.received(), "");
      co_await pair.close();
    }
  });
}

TEST(TlsStream, plaintext_before_the_handshake_ends_it_on_either_side) {
  on_one_core([]() -> Task<void> {
    TlsPair served(mail_context());
    served.pair.server.feed("NOOP\r\n");
    co_await served.shake_hands();
    EXPECT_FALSE(served.accepted.has_value());
    EXPECT_TRUE(served.server.input().empty());
    co_await served.close();
    TlsPair visited(mail_context());
    visited.pair.client.feed("250 AUTH PLAIN\r\n");
    EXPECT_TRUE((co_await visited.pair.client.poll()).has_value());
    co_await visited.shake_hands();
    EXPECT_FALSE(visited.connected.has_value());
    EXPECT_TRUE(visited.client.input().empty());
    co_await visited.close();
  });
}

TEST(TlsStream, a_client_that_says_nothing_is_not_waited_for_for_ever) {
  on_one_core([]() -> Task<void> {
    TlsPair pair(mail_context());
    pair.accepted = co_await pair.server.accept({pair.context, pair.tickets, "smtp"},
                                                deadline_in(Milliseconds(5)));
    EXPECT_EQ(pair.accepted.error().code, Errc::timed_out);
    co_await pair.close();
  });
}

TEST(TlsStream, records_that_are_too_long_or_altered_end_the_connection) {
  on_one_core([]() -> Task<void> {
    for (const std::string& evil :
         {std::string("\x17\x03\x03\xff\xff", 5) + std::string(65'535, 'x'),
          std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x')}) {
      TlsPair pair(mail_context());
      co_await pair.shake_hands();
      pair.pair.server.feed(evil);
      const Result<void> filled = co_await pair.server.fill(deadline_in(soon));
      EXPECT_FALSE(filled.has_value());
      EXPECT_EQ(filled.error().code, Errc::closed);
      EXPECT_TRUE(pair.server.input().empty());
      co_await pair.close();
    }
  });
}

TEST(TlsStream, an_end_is_an_end_with_or_without_close_notify) {
  on_one_core([]() -> Task<void> {
    for (const bool says_so : {true, false}) {
      TlsPair pair(mail_context());
      co_await pair.shake_hands();
      const Result<void> written = co_await pair.client.write("half a li", deadline_in(soon));
      EXPECT_TRUE(written.has_value());
      const std::size_t before = pair.pair.server.received().size();
      co_await pair.client.close();
      EXPECT_GT(pair.pair.server.received().size(), before);  // close_notify
      if (!says_so) pair.pair.server.hang_up();
      EXPECT_EQ(co_await take(pair.server, 100), "half a li");
      const Result<void> filled = co_await pair.server.fill(deadline_in(soon));
      EXPECT_EQ(filled.error().code, Errc::closed);
      co_await pair.server.close();
    }
  });
}

TEST(TlsStream, a_wait_ends_when_it_is_woken_or_aborted) {
  on_one_core([]() -> Task<void> {
    TlsPair pair(mail_context());
    co_await pair.shake_hands();
    pair.server.wake();
    Result<void> filled = co_await pair.server.fill(deadline_in(soon));
    EXPECT_EQ(filled.error().code, Errc::interrupted);
    filled = co_await pair.server.fill(deadline_in(Milliseconds(5)));  // once
    EXPECT_EQ(filled.error().code, Errc::timed_out);
    pair.server.abort();
    filled = co_await pair.server.fill(deadline_in(soon));
    EXPECT_EQ(filled.error().code, Errc::closed);
    co_await pair.close();
  });
}

TEST(TlsStream, a_client_gets_the_certificate_of_the_host_it_asks_for) {
  on_one_core([]() -> Task<void> {
    const std::vector<Certificate> certificates = {mail_certificate(), certificate_for("b.test"),
                                                   certificate_for("*.c.test")};
    std::string authorities;
    for (const Certificate& certificate : certificates) authorities += certificate.chain_pem;
    const Shared<const ServerContext> context = server_context(certificates);
    for (const auto& [host, is_right] :
         std::initializer_list<std::pair<const char*, bool>>{{"mail.example.test", true},
                                                             {"b.test", true},
                                                             {"x.c.test", true},
                                                             {"d.test", false}}) {
      TlsPair pair(context, authorities);
      co_await pair.shake_hands(host, true);
      EXPECT_EQ(pair.connected.has_value(), is_right) << host << ' ' << pair.client.failure();
      co_await pair.close();
      TlsPair careless(context, authorities);
      co_await careless.shake_hands(host, false);
      EXPECT_TRUE(careless.connected.has_value()) << host;
      co_await careless.close();
    }
  });
}

TEST(TlsStream, a_certificate_that_nobody_vouches_for_is_refused_where_it_is_verified) {
  on_one_core([]() -> Task<void> {
    TlsPair pair(mail_context(), certificate_for("mail.example.test").chain_pem);
    co_await pair.shake_hands("mail.example.test", true);
    EXPECT_FALSE(pair.connected.has_value());
    EXPECT_FALSE(pair.accepted.has_value());  // told by an alert
    EXPECT_NE(pair.client.failure(), "");
    co_await pair.close();
  });
}

}  // namespace
}  // namespace kurir::tls::test
