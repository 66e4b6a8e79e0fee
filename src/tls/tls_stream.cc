#include "kurir/tls/tls_stream.hh"

#include <algorithm>
#include <array>

#include "kurir/base/assert.hh"
#include "kurir/coro/event.hh"
#include "kurir/io/memory.hh"
#include "kurir/tls/client_hello.hh"
#include "stream_callbacks.hh"
#include "wolf.hh"

namespace kurir::tls {
namespace {

constexpr std::size_t record_octets_max = 1 << 14;  // RFC 8446 5.1
constexpr Nanoseconds idle_time = Seconds(1);
constexpr std::size_t input_octets_pause = 64 * 1024;  // decrypting rests above this
constexpr std::size_t output_octets_high = 64 * 1024;  // of the transport, then it is sent
constexpr std::size_t quiet_octets_max = 64 * 1024;    // of records that hold nothing
constexpr Nanoseconds goodbye_timeout = Seconds(1);
constexpr unsigned char alert_no_application_protocol = 120;  // RFC 7301 3.2

std::string text_of_error(int error) {
  const char* text = wolfSSL_ERR_reason_error_string(static_cast<unsigned long>(error));
  return text == nullptr ? std::string("TLS failed") : std::string(text);
}

}  // namespace

void TlsStream::FreeWolf::operator()(WOLFSSL* ssl) const { wolfSSL_free(ssl); }

TlsStream::TlsStream(io::Stream& transport) : transport_(transport) { free_at_thread_end(); }

TlsStream::TlsStream(std::unique_ptr<io::Stream> transport)
    : owned_(std::move(transport)), transport_(*owned_) {
  free_at_thread_end();
}

TlsStream::~TlsStream() { KURIR_ASSERT(closed_); }

// --- the handshake

Task<Result<void>> TlsStream::accept(const ServerSide& side, Deadline deadline) {
  KURIR_ASSERT(!ssl_);
  const Result<void> ready = co_await read_hello(side, deadline);
  if (!ready) co_return ready;
  context_ = side.context;
  wolfSSL_KeepArrays(ssl_.get());  // until the exporter's value is taken
  co_return co_await handshake(&wolfSSL_accept, deadline);
}

Task<Result<void>> TlsStream::connect(const ClientSide& side, Deadline deadline) {
  KURIR_ASSERT(!ssl_);
  // RFC 3207 4: what a host said behind its reply to STARTTLS was said by anybody.
  if (!transport_.input().empty()) {
    failure_ = "the host talked before the handshake";
    co_return fail(Errc::refused, Origin::library);
  }
  if (!begin(side.verify ? side.context->verifying() : side.context->trusting()))
    co_return fail(Errc::exhausted, Origin::library);
  WOLFSSL* const ssl = ssl_.get();
  const bool is_name = !side.host.empty() && !side.host.contains(':') &&
                       side.host.find_last_not_of("0123456789.") != std::string::npos;
  bool set = true;
  if (is_name)
    set = wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, side.host.data(),
                         static_cast<unsigned short>(side.host.size())) == WOLFSSL_SUCCESS;
  if (side.verify)
    set = set && wolfSSL_check_domain_name(ssl, side.host.c_str()) == WOLFSSL_SUCCESS;
  set = set && wolfSSL_UseKeyShare(ssl, WOLFSSL_ECC_X25519) == WOLFSSL_SUCCESS;
  if (!set) co_return fail(Errc::exhausted, Origin::library);
  co_return co_await handshake(&wolfSSL_connect, deadline);
}

// Waits for the whole of the client's first message. Nothing of wolfSSL's is made before.
Task<Result<void>> TlsStream::read_hello(const ServerSide& side, Deadline deadline) {
  for (;;) {
    const auto parsed = parse_client_hello(hello_);
    if (parsed.is_fault())
      co_return co_await refuse(static_cast<unsigned char>(parsed.fault()),
                                "it did not begin a handshake");
    if (parsed.is_match()) {
      const ClientHello& hello = parsed.value();
      const bool offers_ours =
          hello.protocols.empty() ||
          std::ranges::find(hello.protocols, side.protocol) != hello.protocols.end();
      if (!offers_ours)
        co_return co_await refuse(alert_no_application_protocol, "it wants another protocol");
      if (!begin(side.context->choose(hello))) co_return fail(Errc::exhausted, Origin::library);
      hello_ = in_one_record(hello_);
      if (side.asks_for_certificate) ask_for_certificate(side.context->client_certificates());
      if (!asked_for_certificate_) tickets_ = &side.tickets;
      std::string protocol(side.protocol);
      if (!hello.protocols.empty())
        wolfSSL_UseALPN(ssl_.get(), protocol.data(), static_cast<unsigned>(protocol.size()),
                        WOLFSSL_ALPN_FAILED_ON_MISMATCH);
      co_return Result<void>();
    }
    if (hello_.size() >= client_hello_records_octets_max)
      co_return co_await refuse(static_cast<unsigned char>(HelloFault::decode_error),
                                "its first message is too long");
    const Result<void> filled = co_await fill_transport(deadline);
    if (!filled) co_return filled;
    io::Inbox& input = transport_.input();
    const std::string_view piece =
        input.front().substr(0, client_hello_records_octets_max - hello_.size());
    hello_ += piece;
    input.consume(piece.size());
  }
}

// A fatal alert in plaintext (RFC 8446 6.2), before there is anything to encrypt with. An alert of
// 0 is not sent: it would tell a client of another protocol nothing.
Task<Result<void>> TlsStream::refuse(unsigned char alert, std::string why) {
  failure_ = std::move(why);
  if (alert != 0) {
    transport_.output() += std::string_view("\x15\x03\x01\x00\x02\x02", 6);
    transport_.output() += static_cast<char>(alert);
    static_cast<void>(co_await transport_.flush(deadline_in(goodbye_timeout)));
  }
  ended_ = true;
  co_return fail(Errc::refused, Origin::library);
}

bool TlsStream::begin(WOLFSSL_CTX* context) {
  const MadeConnection made = make_connection(context);
  ssl_.reset(made.ssl);
  session_ = made.session;
  if (!ssl_) return false;
  wolfSSL_SetIOReadCtx(ssl_.get(), this);
  wolfSSL_SetIOWriteCtx(ssl_.get(), this);
  return true;
}

void TlsStream::ask_for_certificate(ClientCertificates::Use use) {
  if (use == ClientCertificates::Use::none) return;
  asked_for_certificate_ = true;
  const bool is_required = use == ClientCertificates::Use::required;
  wolfSSL_set_verify(ssl_.get(),
                     WOLFSSL_VERIFY_PEER | (is_required ? WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     is_required ? nullptr : &let_pass_for_wolf);
  wolfSSL_SetCertCbCtx(ssl_.get(), this);
  wolfSSL_NoTicketTLSv12(ssl_.get());
  wolfSSL_no_ticket_TLSv13(ssl_.get());
}

void TlsStream::keep_peer_names() {
  WOLFSSL_X509_CHAIN* const chain = wolfSSL_get_peer_chain(ssl_.get());
  if (is_peer_unverified_ || chain == nullptr || wolfSSL_get_chain_count(chain) == 0) return;
  const auto* der = reinterpret_cast<const char*>(wolfSSL_get_chain_cert(chain, 0));
  peer_names_ =
      client_addresses({der, static_cast<std::size_t>(wolfSSL_get_chain_length(chain, 0))});
}

// What only handshakes need: a session that idles keeps 35 KB of 60. Most end before that, and
// giving pages back and getting them again would cost a tenth of a handshake.
void TlsStream::let_go_of_memory() {
  has_let_go_ = true;
  if (hello_taken_ >= hello_.size()) hello_ = std::string();
  wolfSSL_FreeArrays(ssl_.get());
  io::give_back_zero_pages(session_);
}

Task<Result<void>> TlsStream::handshake(int (*step)(WOLFSSL*), Deadline deadline) {
  for (;;) {
    const int done = step(ssl_.get());
    const int error = done == WOLFSSL_SUCCESS ? 0 : wolfSSL_get_error(ssl_.get(), done);
    const bool goes_on = error == 0 || error == WOLFSSL_ERROR_WANT_READ;
    if (!goes_on) failure_ = text_of_error(error);
    const Result<void> flushed = co_await transport_.flush(deadline);
    if (!goes_on) {
      ended_ = true;
      co_return fail(Errc::refused, Origin::library);
    }
    if (!flushed) co_return flushed;
    if (error == 0) break;
    const Result<void> filled = co_await fill_transport(deadline);
    if (!filled) {
      failure_ = filled.error().code == Errc::timed_out ? "the handshake took too long"
                                                        : "the connection was lost";
      co_return filled;
    }
  }
  if (asked_for_certificate_) keep_peer_names();
  if (context_) keep_exporter();
  is_established_ = true;
  co_return Result<void>();
}

// Of TLS 1.3 only: in 1.2 it would need the extended master secret to be worth anything.
void TlsStream::keep_exporter() {
  if (wolfSSL_version(ssl_.get()) != TLS1_3_VERSION) return;
  constexpr std::string_view label = "EXPORTER-Channel-Binding";
  has_exporter_ =
      wolfSSL_export_keying_material(ssl_.get(), reinterpret_cast<unsigned char*>(exporter_.data()),
                                     exporter_.size(), label.data(), label.size(), nullptr, 0,
                                     0) == WOLFSSL_SUCCESS;
}

std::string TlsStream::channel_binding(io::ChannelBinding kind) const {
  if (!is_established_ || !context_) return {};
  if (kind == io::ChannelBinding::server_end_point)
    return context_->certificate_of(wolfSSL_get_SSL_CTX(ssl_.get())).end_point;
  return has_exporter_ ? std::string(exporter_.data(), exporter_.size()) : std::string();
}

bool TlsStream::was_resumed() const { return ssl_ && wolfSSL_session_reused(ssl_.get()) == 1; }

io::Encryption TlsStream::encryption() const {
  if (!is_established_) return {};
  const int suite = wolfSSL_get_current_cipher_suite(ssl_.get());
  const char* name = wolfSSL_get_cipher_name_iana_from_suite(
      static_cast<unsigned char>(suite >> 8), static_cast<unsigned char>(suite & 0xff));
  return {wolfSSL_get_version(ssl_.get()), name == nullptr ? "" : name};
}

// --- input

// Waits until the transport has something. An interruption that was not meant for this stream's
// user is passed over.
Task<Result<void>> TlsStream::fill_transport(Deadline deadline) {
  for (;;) {
    const bool may_let_go = is_established_ && !has_let_go_;
    const Deadline until = may_let_go ? std::min(deadline, deadline_in(idle_time)) : deadline;
    const Result<void> filled = co_await transport_.fill(until);
    const bool is_idle = !filled && filled.error().code == Errc::timed_out && until < deadline;
    if (is_idle) let_go_of_memory();
    const bool is_stale =
        !filled && filled.error().code == Errc::interrupted && !std::exchange(woken_, false);
    if (!is_stale && !is_idle) co_return filled;
  }
}

bool TlsStream::takes_more() const {
  return !ended_ && input_.octets() < input_octets_pause && quiet_octets_ < quiet_octets_max;
}

void TlsStream::decrypt() {
  thread_local std::array<char, record_octets_max> plain;
  while (takes_more()) {
    const int got = wolfSSL_read(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
    if (got > 0) {
      quiet_octets_ = 0;
      input_.push(io::Slice(std::string_view(plain.data(), static_cast<std::size_t>(got))));
      continue;
    }
    // Whether the end was told (close_notify) or not: what a session has not taken whole by now it
    // does not take (threats.md B8).
    if (wolfSSL_get_error(ssl_.get(), got) != WOLFSSL_ERROR_WANT_READ) ended_ = true;
    break;
  }
  if (quiet_octets_ >= quiet_octets_max) ended_ = true;
}

Task<Result<void>> TlsStream::fill(Deadline deadline) {
  KURIR_ASSERT(is_established_);
  for (;;) {
    if (std::exchange(woken_, false)) co_return fail(Errc::interrupted, Origin::socket);
    if (!input_.empty()) co_return Result<void>();
    if (ended_) co_return fail(Errc::closed, Origin::socket);
    decrypt();
    if (!transport_.output().empty()) {  // an alert, or the answer to a KeyUpdate
      const Result<void> flushed = co_await transport_.flush(deadline);
      if (!flushed) co_return flushed;
    }
    if (!input_.empty() || ended_) continue;
    const Result<void> filled = co_await fill_transport(deadline);
    if (!filled) co_return filled;
  }
}

Task<Result<void>> TlsStream::poll() {
  const Result<void> polled = co_await transport_.poll();
  decrypt();
  if (input_.empty() && (ended_ || !polled)) co_return fail(Errc::closed, Origin::socket);
  co_return Result<void>();
}

// --- output

bool TlsStream::encrypt_some(std::string_view& octets) {
  while (!octets.empty() && transport_.output().size() < output_octets_high) {
    const std::size_t piece = std::min(octets.size(), record_octets_max);
    const int taken = wolfSSL_write(ssl_.get(), octets.data(), static_cast<int>(piece));
    if (taken <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(taken));
  }
  return true;
}

Task<Result<void>> TlsStream::encrypt(std::string_view octets, Deadline deadline) {
  KURIR_ASSERT(is_established_);
  while (!octets.empty()) {
    if (!encrypt_some(octets)) {
      ended_ = true;
      co_return fail(Errc::closed, Origin::socket);
    }
    if (octets.empty()) break;
    const Result<void> flushed = co_await transport_.flush(deadline);
    if (!flushed) co_return flushed;
  }
  co_return Result<void>();
}

Task<Result<void>> TlsStream::flush(Deadline deadline) {
  const std::string leaving = std::exchange(output_, {});
  const Result<void> encrypted = co_await encrypt(leaving, deadline);
  if (!encrypted) co_return encrypted;
  co_return co_await transport_.flush(deadline);
}

Task<Result<void>> TlsStream::write(std::string_view octets, Deadline deadline) {
  const std::string leaving = std::exchange(output_, {});
  Result<void> encrypted = co_await encrypt(leaving, deadline);
  if (encrypted) encrypted = co_await encrypt(octets, deadline);
  if (!encrypted) co_return encrypted;
  co_return co_await transport_.flush(deadline);
}

// --- the end

void TlsStream::wake() {
  woken_ = true;
  transport_.wake();
}

// close_notify (RFC 8446 6.1) is said, the peer's not awaited.
Task<void> TlsStream::close() {
  KURIR_ASSERT(!closed_);
  closed_ = true;
  if (is_established_) {
    wolfSSL_shutdown(ssl_.get());
    static_cast<void>(co_await transport_.flush(deadline_in(goodbye_timeout)));
  }
  input_.clear();
  ssl_.reset();
  if (owned_) co_await owned_->close();
}

}  // namespace kurir::tls
