// STARTTLS of the client (RFC 3207).

#include "kurir/coro/event.hh"
#include "kurir/smtp/client_session.hh"
#include "kurir/tls/tls_stream.hh"

namespace kurir::smtp {

// After EHLO. Nothing: mail may go, encrypted or where that is not asked for.
Task<std::optional<Answer>> ClientSession::secure() {
  using Use = ClientTls::Use;
  const bool is_required = options_.tls.use == Use::always;
  if (options_.tls.use == Use::never || (!extensions_.starttls && !is_required))
    co_return std::nullopt;
  lacks_tls_ = !extensions_.starttls;
  if (!extensions_.starttls)
    co_return Answer{Answer::Verdict::refused_for_now,
                     "451 4.7.10 The host does not offer STARTTLS, which is required", "EHLO"};
  const Reply reply = co_await exchange("STARTTLS\r\n", options_.timeouts.starttls, "STARTTLS");
  // RFC 3207 4: 454 is for now, and as good a reason to go without as any.
  if (!reply.is_positive()) {
    if (is_required || !usable_) co_return answer_of(reply, "STARTTLS");
    co_return std::nullopt;
  }
  co_return co_await start_tls();
}

// What the host said before is forgotten: anybody may have said it (RFC 3207 4.2).
Task<std::optional<Answer>> ClientSession::start_tls() {
  extensions_ = {};
  auto encrypted = std::make_unique<tls::TlsStream>(std::move(stream_));
  tls::TlsStream& stream = *encrypted;
  stream_ = std::move(encrypted);
  const tls::ClientSide side{options_.tls.context, options_.tls.host, options_.tls.verify};
  const Result<void> connected =
      co_await stream.connect(side, deadline_in(options_.timeouts.starttls));
  if (!connected) {
    usable_ = false;
    tls_failed_ = true;
    lacks_tls_ = connected.error().code == Errc::refused;
    co_return Answer{Answer::Verdict::refused_for_now, "451 4.7.5 TLS failed: " + stream.failure(),
                     "STARTTLS"};
  }
  const std::optional<Reply> refused = co_await say_hello();
  if (refused) co_return answer_of(*refused, "EHLO");
  co_return std::nullopt;
}

}  // namespace kurir::smtp
