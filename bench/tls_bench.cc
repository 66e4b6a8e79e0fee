// TLS of the server, beside OpenSSL's and wolfSSL's bare: handshakes, full and resumed, content
// each way, and what an idle session holds. The client is OpenSSL's, in memory; its time is not
// counted. ECDSA on P-256, X25519, TLS 1.3 with AES-128-GCM, on one core.

#include <benchmark/benchmark.h>
#include <malloc.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "kurir/base/assert.hh"
#include "kurir/coro/event.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/core.hh"
#include "kurir/tls/tls_stream.hh"
#include "tls_bare_server.hh"

namespace kurir::tls {
namespace {

constexpr Nanoseconds soon = Seconds(20);
constexpr std::size_t content_octets = 1 << 20;
constexpr int sessions_held = 200;

const Certificate& certificate() {
  static const Result<Certificate> made = make_self_signed("localhost", io::system_wall_time());
  KURIR_ASSERT(made.has_value());
  return *made;
}

// Only where it is asked for: mallinfo2() tidies up, and what is allocated next pays for it.
bool counts_heap = false;

std::size_t heap_octets() {
  if (!counts_heap) return 0;
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void limit(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
  SSL_CTX_set1_groups_list(context, "X25519");
}

// The last session that a server gave the clients.
SSL_SESSION*& kept_session() {
  static SSL_SESSION* session = nullptr;
  return session;
}

SSL_CTX* client_context() {
  static SSL_CTX* const context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    limit(made);
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(made, [](SSL*, SSL_SESSION* session) {
      SSL_SESSION_free(kept_session());
      kept_session() = session;
      return 1;
    });
    return made;
  }();
  return context;
}

SSL_CTX* openssl_server_context() {
  static SSL_CTX* const context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_server_method());
    limit(made);
    BIO* chain = BIO_new_mem_buf(certificate().chain_pem.data(), -1);
    BIO* key = BIO_new_mem_buf(certificate().key_pem.data(), -1);
    X509* first = PEM_read_bio_X509(chain, nullptr, nullptr, nullptr);
    EVP_PKEY* its_key = PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr);
    KURIR_ASSERT(SSL_CTX_use_certificate(made, first) == 1);
    KURIR_ASSERT(SSL_CTX_use_PrivateKey(made, its_key) == 1);
    SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS);
    X509_free(first);
    EVP_PKEY_free(its_key);
    BIO_free(chain);
    BIO_free(key);
    return made;
  }();
  return context;
}

// A side of OpenSSL's, which reads and writes memory.
class Side {
 public:
  Side(SSL_CTX* context, bool is_server)
      : ssl_(SSL_new(context)), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
    SSL_set_bio(ssl_, in_, out_);
    if (is_server)
      SSL_set_accept_state(ssl_);
    else
      SSL_set_connect_state(ssl_);
  }
  Side(const Side&) = delete;
  ~Side() {
    SSL_shutdown(ssl_);
    SSL_free(ssl_);
  }

  void resume(SSL_SESSION* session) { SSL_set_session(ssl_, session); }
  bool was_resumed() const { return SSL_session_reused(ssl_) == 1; }
  bool is_done() const { return SSL_is_init_finished(ssl_) == 1; }
  void put(std::string_view octets) {
    if (!octets.empty()) BIO_write(in_, octets.data(), static_cast<int>(octets.size()));
  }
  void step() {
    char plain[16'384];
    if (!is_done()) SSL_do_handshake(ssl_);
    while (is_done() && SSL_read(ssl_, plain, sizeof plain) > 0) {
    }
  }
  void write(std::string_view octets) {
    KURIR_ASSERT(SSL_write(ssl_, octets.data(), static_cast<int>(octets.size())) > 0);
  }
  std::string take() {
    std::string octets(BIO_ctrl_pending(out_), '\0');
    if (!octets.empty()) BIO_read(out_, octets.data(), static_cast<int>(octets.size()));
    return octets;
  }

 private:
  SSL* ssl_;
  BIO *in_, *out_;
};

// The server's transport, of which a client is the other end. Counts the client's time.
class Client final : public io::Stream {
 public:
  explicit Client(SSL_SESSION* resumed) {
    if (resumed != nullptr) side_.resume(resumed);
  }
  Task<Result<void>> fill(Deadline) override {
    const auto begin = std::chrono::steady_clock::now();
    const std::size_t before = heap_octets();
    side_.step();
    const std::string octets = side_.take();
    held += heap_octets() - before;
    if (!octets.empty()) input_.push(io::Slice(std::string_view(octets)));
    seconds += seconds_since(begin);
    if (octets.empty()) co_return fail(Errc::closed, Origin::socket);
    co_return Result<void>();
  }
  Task<Result<void>> poll() override { co_return Result<void>(); }
  Task<Result<void>> flush(Deadline) override {
    const auto begin = std::chrono::steady_clock::now();
    const std::size_t before = heap_octets();
    side_.put(output_);
    held += heap_octets() - before;
    output_.clear();
    seconds += seconds_since(begin);
    co_return Result<void>();
  }
  Task<Result<void>> write(std::string_view octets, Deadline deadline) override {
    output_ += octets;
    co_return co_await flush(deadline);
  }
  void wake() override {}
  void abort() override {}
  Task<void> close() override { co_return; }
  const io::SocketAddress& peer() const override { return address_; }
  io::SocketAddress local() const override { return address_; }
  bool is_encrypted() const override { return false; }
  Side& side() { return side_; }

  double seconds = 0;
  std::size_t held = 0;  // modulo 2^64, as it may shrink

 private:
  io::SocketAddress address_;
  Side side_{client_context(), false};
};

struct House {
  Shared<const ServerContext> context = *ServerContext::make({certificate()}, Version::tls_1_2);
  TicketKeys tickets{{1}, Instant()};
  ServerSide side() { return {context, tickets, "smtp"}; }
};

void on_core(benchmark::State& state, Task<void> (*body)(benchmark::State&)) {
  io::CoresOptions options;
  options.count = 1;
  if (!io::Cores::run(options, [&](CoreIndex) { return body(state); }))
    state.SkipWithError("no core");
}

Task<void> shake_hands(benchmark::State& state, bool resumed) {
  House house;
  if (resumed) {  // the first one gives the session
    Client client(nullptr);
    TlsStream stream(client);
    const Result<void> accepted = co_await stream.accept(house.side(), deadline_in(soon));
    KURIR_ASSERT(accepted.has_value());
    client.side().step();
    co_await stream.close();
  }
  for (auto _ : state) {
    Client client(resumed ? kept_session() : nullptr);
    const auto begin = std::chrono::steady_clock::now();
    TlsStream stream(client);
    const Result<void> accepted = co_await stream.accept(house.side(), deadline_in(soon));
    KURIR_ASSERT(accepted.has_value() && stream.was_resumed() == resumed);
    const auto next = std::chrono::steady_clock::now();
    client.side().step();  // takes the next ticket
    client.seconds += seconds_since(next);
    co_await stream.close();
    state.SetIterationTime(seconds_since(begin) - client.seconds);
  }
  state.SetItemsProcessed(state.iterations());
}

void full_handshake(benchmark::State& state) {
  on_core(state, [](benchmark::State& s) { return shake_hands(s, false); });
}
BENCHMARK(full_handshake)->UseManualTime();
void resumed_handshake(benchmark::State& state) {
  on_core(state, [](benchmark::State& s) { return shake_hands(s, true); });
}
BENCHMARK(resumed_handshake)->UseManualTime();

void openssl_handshake(benchmark::State& state) {
  const bool resumed = state.range(0) != 0;
  for (auto _ : state) {
    Side client(client_context(), false);
    if (resumed && state.iterations() > 0) client.resume(kept_session());
    double seconds = 0;
    auto begin = std::chrono::steady_clock::now();
    auto server = std::make_unique<Side>(openssl_server_context(), true);
    seconds += seconds_since(begin);
    while (!server->is_done()) {
      client.step();
      const std::string octets = client.take();
      begin = std::chrono::steady_clock::now();
      server->put(octets);
      server->step();
      const std::string answer = server->take();
      seconds += seconds_since(begin);
      client.put(answer);
    }
    client.step();
    begin = std::chrono::steady_clock::now();
    server.reset();
    state.SetIterationTime(seconds + seconds_since(begin));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(openssl_handshake)->ArgName("resumed")->Arg(0)->Arg(1)->UseManualTime();

// Of the library, with nothing of ours but, where range(0) is 1, the processor's AES.
void wolfssl_handshake(benchmark::State& state) {
  const House house;  // registers the crypto callback
  const BareLibrary library(certificate().chain_pem, certificate().key_pem, state.range(0) != 0);
  for (auto _ : state) {
    Side client(client_context(), false);
    double seconds = 0;
    auto begin = std::chrono::steady_clock::now();
    auto server = std::make_unique<BareServer>(library);
    seconds += seconds_since(begin);
    while (!server->is_done()) {
      client.step();
      const std::string octets = client.take();
      begin = std::chrono::steady_clock::now();
      server->put(octets);
      server->step();
      const std::string answer = server->take();
      seconds += seconds_since(begin);
      client.put(answer);
    }
    client.step();
    begin = std::chrono::steady_clock::now();
    server.reset();
    state.SetIterationTime(seconds + seconds_since(begin));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(wolfssl_handshake)->ArgName("aes")->Arg(0)->Arg(1)->UseManualTime();

Task<void> send_content(benchmark::State& state) {
  House house;
  Client client(nullptr);
  TlsStream stream(client);
  const Result<void> accepted = co_await stream.accept(house.side(), deadline_in(soon));
  KURIR_ASSERT(accepted.has_value());
  const std::string content(content_octets, 'x');
  for (auto _ : state) {
    client.seconds = 0;
    const auto begin = std::chrono::steady_clock::now();
    const Result<void> written = co_await stream.write(content, deadline_in(soon));
    state.SetIterationTime(seconds_since(begin) - client.seconds);
    KURIR_ASSERT(written.has_value());
    client.side().step();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(content_octets));
  co_await stream.close();
}

void send(benchmark::State& state) { on_core(state, send_content); }
BENCHMARK(send)->UseManualTime();

Task<void> receive_content(benchmark::State& state) {
  House house;
  Client client(nullptr);
  TlsStream stream(client);
  const Result<void> accepted = co_await stream.accept(house.side(), deadline_in(soon));
  KURIR_ASSERT(accepted.has_value());
  client.side().step();
  const std::string content(content_octets, 'x');
  for (auto _ : state) {
    client.side().write(content);
    client.seconds = 0;
    const auto begin = std::chrono::steady_clock::now();
    std::size_t got = 0;
    while (got < content.size()) {
      const Result<void> filled = co_await stream.fill(deadline_in(soon));
      KURIR_ASSERT(filled.has_value());
      got += stream.input().octets();
      stream.input().clear();
    }
    state.SetIterationTime(seconds_since(begin) - client.seconds);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(content_octets));
  co_await stream.close();
}

void receive(benchmark::State& state) { on_core(state, receive_content); }
BENCHMARK(receive)->UseManualTime();

// range(0): 0 sends, 1 receives.
void openssl_content(benchmark::State& state) {
  Side client(client_context(), false), server(openssl_server_context(), true);
  while (!client.is_done() || !server.is_done()) {
    client.step();
    server.put(client.take());
    server.step();
    client.put(server.take());
  }
  const bool sends = state.range(0) == 0;
  const std::string content(content_octets, 'x');
  for (auto _ : state) {
    if (!sends) client.write(content);
    const std::string octets = sends ? std::string() : client.take();
    const auto begin = std::chrono::steady_clock::now();
    if (sends) server.write(content);
    if (!sends) server.put(octets);
    if (!sends) server.step();
    state.SetIterationTime(seconds_since(begin));
    client.put(server.take());
    client.step();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(content_octets));
}
BENCHMARK(openssl_content)->ArgName("receives")->Arg(0)->Arg(1)->UseManualTime();

// What sessions hold that have shaken hands and wait for a command.
Task<void> hold_sessions(benchmark::State& state) {
  House house;
  for (auto _ : state) {
    counts_heap = true;
    std::vector<std::unique_ptr<Client>> clients;
    for (int at = 0; at < sessions_held; ++at) clients.push_back(std::make_unique<Client>(nullptr));
    std::vector<std::unique_ptr<TlsStream>> streams;
    std::size_t held = 0;
    for (const std::unique_ptr<Client>& client : clients) {
      client->side().step();
      client->held = 0;
      const std::size_t before = heap_octets();
      streams.push_back(std::make_unique<TlsStream>(*client));
      const Result<void> accepted =
          co_await streams.back()->accept(house.side(), deadline_in(soon));
      KURIR_ASSERT(accepted.has_value());
      held += heap_octets() - before - client->held;
    }
    state.counters["octets_a_session"] = static_cast<double>(held) / sessions_held;
    counts_heap = false;
    for (const std::unique_ptr<TlsStream>& stream : streams) co_await stream->close();
  }
}

void held_by_sessions(benchmark::State& state) { on_core(state, hold_sessions); }
BENCHMARK(held_by_sessions)->Iterations(1);

}  // namespace
}  // namespace kurir::tls

BENCHMARK_MAIN();
