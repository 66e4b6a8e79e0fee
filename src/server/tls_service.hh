#pragma once
// What the front ends of a core need for TLS, and how a connection comes by it. Core-local. Private
// to server/.

#include "front_end.hh"
#include "kurir/tls/tls_stream.hh"

namespace kurir::server {

class TlsService {
 public:
  // The same secret on each core: a ticket of one resumes on any.
  TlsService(Shared<const tls::ServerContext> context, const tls::TicketKeys::Octets& secret,
             Nanoseconds handshake_timeout, observe::Counters& counters)
      : context_(std::move(context)),
        tickets_(secret, Instant()),
        handshake_timeout_(handshake_timeout),
        counters_(counters) {}

  // For handshakes to come.
  void replace(Shared<const tls::ServerContext> context) { context_ = std::move(context); }

  // A session on a stream; true: it ended with STARTTLS.
  using Run = std::function<Task<bool>(io::Stream& stream, io::Opening opening,
                                       const FrontEnd::Register& register_session)>;
  // A whole connection: plain until STARTTLS, or not at all.
  enum class Begin : std::uint8_t { plain, encrypted };
  struct Listener {
    Begin begin = Begin::plain;
    std::string_view protocol;  // ALPN
    bool is_for_users = false;  // who may be asked for certificates
  };
  Task<void> serve(Listener listener, Run run, io::Stream& transport,
                   const FrontEnd::Register& register_session);

 private:
  // A frame of its own, and apart: most connections never are encrypted.
  [[gnu::noinline]] Task<void> serve_encrypted(Listener listener, const Run& run,
                                               io::Stream& transport, io::Opening opening,
                                               const FrontEnd::Register& register_session);

  Shared<const tls::ServerContext> context_;
  tls::TicketKeys tickets_;
  const Nanoseconds handshake_timeout_;
  observe::Counters& counters_;
};

}  // namespace kurir::server
