// CAPABILITY NOOP CHECK LOGOUT ID ENABLE NAMESPACE IDLE, and what is not offered.

#include "kurir/imap/server_session.hh"
#include "kurir/wire/ascii.hh"

namespace kurir::imap {

ServerSession::Step ServerSession::on(const wire::ImapCapability&) {
  writer().capability(capabilities());
  co_return ok("CAPABILITY completed");
}

ServerSession::Step ServerSession::on(const wire::ImapNoop&) {
  if (selected_ && selected_->view.mailbox().closed())
    co_return bye("The selected mailbox was deleted");
  tell_updates(mailbox::Expunges::tell);
  co_return ok("NOOP completed");
}

ServerSession::Step ServerSession::on(const wire::ImapCheck&) {
  tell_updates(mailbox::Expunges::tell);
  co_return ok("CHECK completed");
}

ServerSession::Step ServerSession::on(const wire::ImapLogout&) {
  bye("See you");
  ok("LOGOUT completed");
  co_return Next::end;
}

ServerSession::Step ServerSession::on(const wire::ImapId&) {
  const std::pair<std::string_view, std::string_view> fields[] = {{"name", "Kurir"}};
  writer().id(fields);
  co_return ok("ID completed");
}

ServerSession::Step ServerSession::on(const wire::ImapEnable& command) {
  std::vector<std::string_view> enabled;
  for (const std::string_view name : command.capabilities) {
    if (wire::equals_ignoring_case(name, "IMAP4rev2")) {
      rev2_ = true;
      enabled.push_back("IMAP4rev2");
    } else if (wire::equals_ignoring_case(name, "CONDSTORE")) {
      condstore_ = true;
      enabled.push_back("CONDSTORE");
    }
  }
  writer().enabled(enabled);
  co_return ok("ENABLE completed");
}

ServerSession::Step ServerSession::on(const wire::ImapNamespace&) {
  writer().personal_namespace();
  co_return ok("NAMESPACE completed");
}

// RFC 2177, RFC 9051 6.3.13: changes are told at once until DONE comes.
ServerSession::Step ServerSession::on(const wire::ImapIdle&) {
  std::optional<mailbox::Watch> watch;
  if (selected_) {
    const mailbox::MailboxKey key{user_->account, selected_->view.mailbox().id()};
    watch.emplace(services_.mailboxes, key, [this] { stream_.wake(); });
  }
  writer().continuation("idling");
  const Deadline deadline = deadline_in(services_.options.idle_timeout);
  for (;;) {
    if (selected_ && selected_->view.mailbox().closed())
      co_return bye("The selected mailbox was deleted");
    tell_updates(mailbox::Expunges::tell);
    std::string_view line;
    const io::LineReader::Found found = lines_.next(limits::imap_command_octets_max, line);
    if (found == io::LineReader::Found::line) {
      const bool done = wire::equals_ignoring_case(line, "DONE\r\n");
      lines_.done();
      co_return done ? ok("IDLE completed") : bad("Only DONE ends IDLE");
    }
    if (found != io::LineReader::Found::incomplete) co_return bye("Only DONE ends IDLE");
    const Next flushed = co_await flush();
    if (flushed == Next::end) co_return Next::end;
    if (ending_) co_return bye("The server is closing; come back later");
    const Result<void> filled = co_await stream_.fill(deadline);
    if (filled || filled.error().code == Errc::interrupted) continue;
    if (filled.error().code == Errc::timed_out) co_return bye("You were idle for too long");
    co_return Next::end;
  }
}

ServerSession::Step ServerSession::on(const wire::ImapDone&) { co_return bad("DONE without IDLE"); }
ServerSession::Step ServerSession::on(const wire::ImapStartTls&) {
  co_return bad("STARTTLS is not offered here");
}
ServerSession::Step ServerSession::on(const wire::ImapGetQuota&) {
  co_return bad("QUOTA is not offered here");
}
ServerSession::Step ServerSession::on(const wire::ImapGetQuotaRoot&) {
  co_return bad("QUOTA is not offered here");
}
ServerSession::Step ServerSession::on(const wire::ImapCompress&) {
  co_return bad("COMPRESS is not offered here");
}

}  // namespace kurir::imap
