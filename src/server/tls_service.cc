#include "tls_service.hh"

namespace kurir::server {

Task<void> TlsService::serve(Listener listener, Run run, io::Stream& transport,
                             const FrontEnd::Register& register_session) {
  io::Opening opening = io::Opening::greeting;
  if (listener.begin == Begin::plain) {
    const bool goes_on = co_await run(transport, opening, register_session);
    if (!goes_on) co_return;
    opening = io::Opening::after_starttls;
  }
  co_await serve_encrypted(listener, run, transport, opening, register_session);
}

// A handshake, or what is left to say when a session has ended, is not worth waiting for: asked to
// end, the connection is cut off.
Task<void> TlsService::serve_encrypted(Listener listener, const Run& run, io::Stream& transport,
                                       io::Opening opening,
                                       const FrontEnd::Register& register_session) {
  const FrontEnd::Ended cut_off = [&transport] { transport.abort(); };
  register_session(cut_off);
  tls::TlsStream stream(transport);
  const tls::ServerSide side{context_, tickets_, listener.protocol, listener.is_for_users};
  const Result<void> accepted = co_await stream.accept(side, deadline_in(handshake_timeout_));
  counters_.add(accepted ? observe::Counter::tls_handshakes
                         : observe::Counter::tls_handshakes_failed);
  if (accepted) {
    const bool again = co_await run(stream, opening, register_session);
    KURIR_ASSERT(!again);  // STARTTLS is not offered within TLS
  }
  register_session(cut_off);
  co_await stream.close();
}

}  // namespace kurir::server
