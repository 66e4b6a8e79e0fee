#include "kurir/tls/context.hh"

#include <algorithm>
#include <optional>

#include "kurir/tls/client_hello.hh"
#include "stream_callbacks.hh"
#include "wolf.hh"

namespace kurir::tls {
namespace {

// Forward secrecy and authenticated encryption only (RFC 9325 4.2).
constexpr const char* ciphers =
    "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// X25519 first: three times as many handshakes as with P-256, as wolfSSL has it here.
constexpr int groups[] = {WOLFSSL_ECC_X25519, WOLFSSL_ECC_SECP256R1, WOLFSSL_ECC_SECP384R1};
// The same before TLS 1.3, where it would take any that it knows.
constexpr const char* curves = "X25519:P-256:P-384";

const unsigned char* octets_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// One bad certificate among the authorities must not take away the others.
bool believe(WOLFSSL_CTX* context, const std::string& authorities_pem) {
  constexpr unsigned flags = WOLFSSL_LOAD_FLAG_IGNORE_ERR | WOLFSSL_LOAD_FLAG_DATE_ERR_OKAY |
                             WOLFSSL_LOAD_FLAG_PEM_CA_ONLY;
  return wolfSSL_CTX_load_verify_buffer_ex(context, octets_of(authorities_pem),
                                           static_cast<long>(authorities_pem.size()),
                                           WOLFSSL_FILETYPE_PEM, 0, flags) == WOLFSSL_SUCCESS;
}

// What both sides have in common.
bool set_up(WOLFSSL_CTX* context, Version minimum) {
  const int version = minimum == Version::tls_1_3 ? WOLFSSL_TLSV1_3 : WOLFSSL_TLSV1_2;
  int wanted[std::size(groups)];
  std::ranges::copy(groups, wanted);
  const bool done = wolfSSL_CTX_SetMinVersion(context, version) == WOLFSSL_SUCCESS &&
                    wolfSSL_CTX_set_cipher_list(context, ciphers) == WOLFSSL_SUCCESS &&
                    wolfSSL_CTX_set_groups(context, wanted, std::size(groups)) == WOLFSSL_SUCCESS &&
                    wolfSSL_CTX_set1_curves_list(context, curves) == WOLFSSL_SUCCESS &&
                    wolfSSL_CTX_SetDevId(context, wolf_device()) == WOLFSSL_SUCCESS;
  // Sessions live in tickets: the cache of wolfSSL is behind a lock and costs each connection.
  wolfSSL_CTX_set_session_cache_mode(context, WOLFSSL_SESS_CACHE_OFF);
  wolfSSL_CTX_SetIORecv(context, receive_for_wolf);
  wolfSSL_CTX_SetIOSend(context, send_for_wolf);
  return done;
}

// Nothing: done; else why not.
std::optional<std::string> show(WOLFSSL_CTX* context, const Certificate& certificate) {
  const std::string& chain = certificate.chain_pem;
  const std::string& key = certificate.key_pem;
  if (wolfSSL_CTX_use_certificate_chain_buffer(context, octets_of(chain),
                                               static_cast<long>(chain.size())) != WOLFSSL_SUCCESS)
    return "wolfSSL cannot read the chain of certificates";
  if (wolfSSL_CTX_use_PrivateKey_buffer(context, octets_of(key), static_cast<long>(key.size()),
                                        WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS ||
      wolfSSL_CTX_check_private_key(context) != WOLFSSL_SUCCESS)
    return "wolfSSL cannot use the private key";
  return std::nullopt;
}

std::expected<WolfContext, std::string> server_context(const Certificate& certificate,
                                                       Version minimum) {
  static_cast<void>(wolf_device());
  WolfContext made(wolfSSL_CTX_new(wolfTLS_server_method()));
  WOLFSSL_CTX* context = made.get();
  if (context == nullptr || !set_up(context, minimum))
    return std::unexpected("wolfSSL cannot make a context of it");
  std::optional<std::string> why_not = show(context, certificate);
  if (why_not) return std::unexpected(std::move(*why_not));
  const bool has_tickets =
      wolfSSL_CTX_set_TicketEncCb(context, seal_ticket_for_wolf) == WOLFSSL_SUCCESS &&
      wolfSSL_CTX_set_TicketHint(context, ticket_seconds) == WOLFSSL_SUCCESS;
  if (!has_tickets) return std::unexpected("wolfSSL cannot make session tickets");
  return made;
}

std::expected<WolfContext, std::string> client_context(const Certificate* own) {
  static_cast<void>(wolf_device());
  WolfContext made(wolfSSL_CTX_new(wolfTLS_client_method()));
  if (made.get() == nullptr || !set_up(made.get(), Version::tls_1_2))
    return std::unexpected("wolfSSL cannot make a context");
  std::optional<std::string> why_not;
  if (own != nullptr) why_not = show(made.get(), *own);
  if (why_not) return std::unexpected(std::move(*why_not));
  return made;
}

}  // namespace

WolfContext::WolfContext(WolfContext&& other) noexcept
    : context_(std::exchange(other.context_, nullptr)) {}

WolfContext::~WolfContext() {
  if (context_ != nullptr) wolfSSL_CTX_free(context_);
}

std::expected<Shared<const ServerContext>, std::string> ServerContext::make(
    std::vector<Certificate> certificates, Version minimum, const ClientCertificates& clients) {
  KURIR_ASSERT(!certificates.empty());
  std::vector<WolfContext> contexts;
  for (const Certificate& certificate : certificates) {
    std::expected<WolfContext, std::string> made = server_context(certificate, minimum);
    if (!made) return std::unexpected(std::move(made.error()));
    if (clients.use != ClientCertificates::Use::none &&
        !believe(made->get(), clients.authorities_pem))
      return std::unexpected("no certificate of an authority for clients could be read");
    contexts.push_back(std::move(*made));
  }
  return Shared<const ServerContext>::adopt(
      new ServerContext(std::move(certificates), std::move(contexts), clients.use));
}

// Among those for the name that the client says, else for the first one's names: one whose key it
// takes, an ECDSA key before RSA, for it costs a tenth.
WOLFSSL_CTX* ServerContext::choose(const ClientHello& hello) const {
  const auto is_candidate = [&](const Certificate& certificate, bool is_named) {
    if (is_named) return certificate.is_for(hello.server_name);
    return certificate.names == certificates_.front().names;
  };
  const bool is_named = std::ranges::any_of(certificates_, [&](const Certificate& certificate) {
    return is_candidate(certificate, true);
  });
  const auto wanted = hello.takes_ecdsa ? Certificate::Key::ecdsa : Certificate::Key::rsa;
  std::optional<std::size_t> chosen;
  for (std::size_t at = 0; at < certificates_.size(); ++at) {
    if (!is_candidate(certificates_[at], is_named)) continue;
    if (!chosen) chosen = at;
    if (certificates_[at].key == wanted) return contexts_[at].get();
  }
  return contexts_[chosen.value_or(0)].get();
}

const Certificate& ServerContext::certificate_of(const WOLFSSL_CTX* chosen) const {
  const auto found = std::ranges::find(contexts_, chosen, &WolfContext::get);
  KURIR_ASSERT(found != contexts_.end());
  return certificates_[static_cast<std::size_t>(found - contexts_.begin())];
}

std::expected<Shared<const ClientContext>, std::string> ClientContext::make(
    const std::string& authorities_pem, const Certificate* own) {
  std::expected<WolfContext, std::string> verifying = client_context(own);
  if (!verifying) return std::unexpected(verifying.error());
  std::expected<WolfContext, std::string> trusting = client_context(own);
  if (!trusting) return std::unexpected(trusting.error());
  wolfSSL_CTX_set_verify(verifying->get(), WOLFSSL_VERIFY_PEER, nullptr);
  wolfSSL_CTX_set_verify(trusting->get(), WOLFSSL_VERIFY_NONE, nullptr);
  if (!authorities_pem.empty() && !believe(verifying->get(), authorities_pem))
    return std::unexpected("no certificate of an authority could be read");
  return Shared<const ClientContext>::adopt(
      new ClientContext(std::move(*verifying), std::move(*trusting)));
}

}  // namespace kurir::tls
