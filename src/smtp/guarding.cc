// What a session does against abuse: it keeps early talkers, listed hosts and liars out, and takes
// its time with those who err (threats.md A3, F1). What it finds out it asks the Guard.

#include <algorithm>

#include "kurir/io/clock.hh"
#include "kurir/smtp/guard.hh"
#include "kurir/smtp/server_session.hh"

namespace kurir::smtp {

bool ServerSession::is_guarded() const {
  return services_.guard != nullptr && service_ != Service::local && user_.empty() &&
         !(is_client_known() && services_.guard->is_trusted(client_address()));
}

// The name servers are asked while the client waits for the greeting anyway. Where commands may
// come before it (PIPECONNECT), nobody is made to wait for what he may do.
Task<bool> ServerSession::talks_before_greeting() {
  const Result<void> early = co_await stream_.poll();
  const bool may_talk = services_.options.pipelining_connect;
  if (!early || (!may_talk && !stream_.input().empty())) co_return true;
  if (service_ != Service::transfer || !is_guarded()) co_return false;
  Guard& guard = *services_.guard;
  const Deadline greeting_at = deadline_in(guard.greet_pause());
  co_await get_to_know_client();
  if (may_talk) co_return false;
  bool waits = guard.greet_pause() > Nanoseconds(0);
  while (waits) {
    const Result<void> filled = co_await stream_.fill(greeting_at);
    const bool woken = !filled && filled.error().code == Errc::interrupted && !ending_;
    const bool patient = !filled && filled.error().code == Errc::timed_out;
    if (patient) co_return false;
    waits = woken;
  }
  co_return guard.greet_pause() > Nanoseconds(0) || !stream_.input().empty();
}

// At the begin, and when XCLIENT has made somebody else of him.
Task<void> ServerSession::get_to_know_client() {
  stranger_.reset();
  if (service_ != Service::transfer || !is_guarded() || !services_.guard->is_curious()) co_return;
  stranger_ = std::make_unique<Stranger>();
  stranger_->acquaintance = co_await services_.guard->get_to_know(client_address());
}

bool ServerSession::is_asked_of_guard() const {
  return service_ == Service::transfer && is_guarded() && services_.guard->asks_at_recipients();
}

// Asked at RCPT, so that a log says whom the mail was for.
Task<std::optional<GuardRefusal>> ServerSession::guard_refusal(std::string recipient) {
  std::optional<GuardRefusal> refusal;
  Guard& guard = *services_.guard;
  if (!stranger_ && guard.is_curious()) {  // the session began with STARTTLS: answers are cached
    stranger_ = std::make_unique<Stranger>();
    stranger_->acquaintance = co_await guard.get_to_know(stream_.peer());
  }
  if (stranger_) refusal = stranger_->acquaintance.refusal;
  if (!refusal && (!stranger_ || stranger_->helo_checked != helo_)) {
    refusal = co_await guard.check_hello(client_address(), helo_);
    if (!refusal && stranger_) stranger_->helo_checked = helo_;
  }
  if (!refusal) {
    std::string sender(transaction_->envelope.reverse_path.view());
    refusal =
        co_await guard.check_triplet(client_address(), std::move(sender), std::move(recipient));
  }
  co_return refusal;
}

std::string_view ServerSession::peer_name() const {
  if (represented_ && !represented_->name.empty()) return represented_->name;
  return stranger_ ? std::string_view(stranger_->acquaintance.name) : std::string_view();
}

// Who errs often is answered slowly: whoever guesses loses his time, whoever errs does not notice.
Task<void> ServerSession::pause_after_errors() {
  if (!owes_pause_) co_return;
  owes_pause_ = false;
  if (ending_ || !is_guarded()) co_return;
  static_cast<void>(co_await pause_ends_.wait(deadline_in(services_.options.error_delay)));
}

// Commands that bring no message on are not for ever free.
bool ServerSession::is_idling(wire::SmtpVerb verb) {
  using wire::SmtpVerb;
  const bool is_idle = verb == SmtpVerb::noop || verb == SmtpVerb::rset || verb == SmtpVerb::vrfy ||
                       verb == SmtpVerb::help;
  if (verb == SmtpVerb::data || verb == SmtpVerb::bdat) idle_commands_ = 0;
  if (is_idle) ++idle_commands_;
  return is_idle && idle_commands_ > services_.options.idle_commands_max;
}

// A command must be whole by then, however its octets come (threats.md F1); under pressure soon.
Deadline ServerSession::command_deadline() const {
  const Nanoseconds usual = services_.options.command_timeout;
  const bool is_pressed = services_.guard != nullptr && services_.guard->is_pressed();
  if (!is_pressed || !is_guarded()) return command_began_ + usual;
  return command_began_ + std::min(usual, services_.options.pressed_timeout);
}

}  // namespace kurir::smtp
