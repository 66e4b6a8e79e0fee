#pragma once
// TlsStream: a stream over a stream: TLS 1.2 and 1.3 (RFC 5246, RFC 8446), server's or client's
// side. Sessions do not know the difference. What a peer sent in plaintext never comes out of it:
// whatever the transport holds when the handshake begins is the handshake's, or ends it.
// Core-local.

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/io/bound_channel.hh"
#include "kurir/io/socket.hh"
#include "kurir/tls/context.hh"
#include "kurir/tls/ticket_keys.hh"

struct WOLFSSL;

namespace kurir::tls {

// Accepting: all outlive the handshake, the keys the stream.
struct ServerSide {
  Shared<const ServerContext> context;
  TicketKeys& tickets;
  std::string_view protocol;  // ALPN: a client that asks for others only is refused (ALPACA)
  // Whether the context's word on clients' certificates holds here. Such sessions never resume: a
  // ticket would vouch for what was seen elsewhere, or under other authorities.
  bool asks_for_certificate = false;
};

// Connecting.
struct ClientSide {
  Shared<const ClientContext> context;
  std::string host;     // for SNI, where it is a name
  bool verify = false;  // whether the certificate must be the host's and an authority's
};

class TlsStream final : public io::Stream, public io::BoundChannel {
 public:
  explicit TlsStream(io::Stream& transport);                  // close() leaves it open
  explicit TlsStream(std::unique_ptr<io::Stream> transport);  // close() closes it
  ~TlsStream() override;                                      // asserts that close() was awaited

  // One of these first, once. Errors: those of a stream; refused: the peer and we could not agree,
  // which failure() explains.
  Task<Result<void>> accept(const ServerSide& side, Deadline deadline);
  Task<Result<void>> connect(const ClientSide& side, Deadline deadline);
  const std::string& failure() const { return failure_; }  // a clause for people
  bool was_resumed() const;

  Task<Result<void>> fill(Deadline deadline) override;
  Task<Result<void>> poll() override;
  Task<Result<void>> flush(Deadline deadline) override;
  Task<Result<void>> write(std::string_view octets, Deadline deadline) override;
  void wake() override;
  void abort() override { transport_.abort(); }
  Task<void> close() override;
  const io::SocketAddress& peer() const override { return transport_.peer(); }
  io::SocketAddress local() const override { return transport_.local(); }
  bool is_encrypted() const override { return is_established_; }
  io::Encryption encryption() const override;
  std::vector<std::string> peer_names() const override { return peer_names_; }
  // On a server's side.
  std::string channel_binding(io::ChannelBinding kind) const override;

 private:
  friend struct Callbacks;
  struct FreeWolf {
    void operator()(WOLFSSL* ssl) const;
  };

  Task<Result<void>> read_hello(const ServerSide& side, Deadline deadline);
  Task<Result<void>> refuse(unsigned char alert, std::string why);
  bool begin(WOLFSSL_CTX* context);
  void ask_for_certificate(ClientCertificates::Use use);
  void keep_peer_names();
  void let_go_of_memory();
  void keep_exporter();
  Task<Result<void>> handshake(int (*step)(WOLFSSL*), Deadline deadline);
  Task<Result<void>> fill_transport(Deadline deadline);
  void decrypt();
  Task<Result<void>> encrypt(std::string_view octets, Deadline deadline);
  bool encrypt_some(std::string_view& octets);
  bool takes_more() const;

  std::unique_ptr<io::Stream> owned_;
  io::Stream& transport_;
  std::unique_ptr<WOLFSSL, FreeWolf> ssl_;
  TicketKeys* tickets_ = nullptr;
  std::string hello_;  // a client's first message, until wolfSSL has taken it
  std::size_t hello_taken_ = 0;
  std::size_t quiet_octets_ = 0;         // received since the last that a session got
  std::span<std::byte> session_;         // of wolfSSL's, within ssl_; empty: not known
  Shared<const ServerContext> context_;  // a server's
  std::array<char, 32> exporter_{};      // tls-exporter (RFC 9266)
  bool has_exporter_ = false;
  std::string failure_;
  std::vector<std::string> peer_names_;
  bool asked_for_certificate_ = false, is_peer_unverified_ = false;
  bool has_let_go_ = false;
  bool is_established_ = false, ended_ = false, woken_ = false, closed_ = false;
};

}  // namespace kurir::tls
