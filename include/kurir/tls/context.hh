#pragma once
// Contexts: what all TLS connections of a side share. Immutable: new certificates are a new
// context, and connections that there are go on with theirs. Any core.

#include <expected>
#include <string>
#include <vector>

#include "kurir/base/shared.hh"
#include "kurir/tls/certificate.hh"

struct WOLFSSL_CTX;

namespace kurir::tls {

struct ClientHello;  // client_hello.hh

enum class Version : std::uint8_t { tls_1_2, tls_1_3 };

// Certificates of clients, on listeners that ask for them. `requested`: who has none, or one that
// no authority vouches for, is served like anybody; `required`: is refused.
struct ClientCertificates {
  enum class Use : std::uint8_t { none, requested, required };
  Use use = Use::none;
  std::string authorities_pem;
};

// A side's wolfSSL context, freed with it.
class WolfContext {
 public:
  explicit WolfContext(WOLFSSL_CTX* context) : context_(context) {}
  WolfContext(WolfContext&& other) noexcept;
  WolfContext& operator=(WolfContext&&) = delete;
  ~WolfContext();
  WOLFSSL_CTX* get() const { return context_; }

 private:
  WOLFSSL_CTX* context_;
};

class ServerContext final : public Counted {
 public:
  // At least one certificate; the first is for clients that name no host, or none of ours. Several
  // may be for one name, with keys of both kinds: a client gets one that it takes. The error is a
  // clause for people.
  static std::expected<Shared<const ServerContext>, std::string> make(
      std::vector<Certificate> certificates, Version minimum,
      const ClientCertificates& clients = {});

  const std::vector<Certificate>& certificates() const { return certificates_; }
  ClientCertificates::Use client_certificates() const { return client_certificates_; }
  WOLFSSL_CTX* choose(const ClientHello& hello) const;
  const Certificate& certificate_of(const WOLFSSL_CTX* chosen) const;

 private:
  ServerContext(std::vector<Certificate> certificates, std::vector<WolfContext> contexts,
                ClientCertificates::Use client_certificates)
      : certificates_(std::move(certificates)),
        contexts_(std::move(contexts)),
        client_certificates_(client_certificates) {}
  friend class Shared<const ServerContext>;
  ~ServerContext() = default;

  std::vector<Certificate> certificates_;
  std::vector<WolfContext> contexts_;  // of the same index
  ClientCertificates::Use client_certificates_;
};

class ClientContext final : public Counted {
 public:
  // `authorities_pem`: who is believed where a certificate must be right; empty: nobody. `own`: for
  // hosts that ask for one; null: none.
  static std::expected<Shared<const ClientContext>, std::string> make(
      const std::string& authorities_pem, const Certificate* own = nullptr);

  WOLFSSL_CTX* verifying() const { return verifying_.get(); }
  WOLFSSL_CTX* trusting() const { return trusting_.get(); }

 private:
  ClientContext(WolfContext verifying, WolfContext trusting)
      : verifying_(std::move(verifying)), trusting_(std::move(trusting)) {}
  friend class Shared<const ClientContext>;
  ~ClientContext() = default;

  WolfContext verifying_, trusting_;
};

}  // namespace kurir::tls
