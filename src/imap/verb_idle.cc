// IDLE (RFC 2177): a watch wakes the stream when the mailbox changes; what changed is told at once.

#include "kurir/imap/command_reader.hh"
#include "kurir/imap/server_session.hh"
#include "kurir/wire/ascii.hh"
#include "reply.hh"
#include "selected.hh"

namespace kurir::imap {

Task<Reply> ServerSession::idle(const wire::ImapCommand&) {
  reader_->done();
  stream_.output() += "+ idling\r\n";
  // The watch first, then the look: no change falls between.
  std::optional<mailbox::Watch> watch;
  if (selected_) watch.emplace(services_.mailboxes, selected_->key, [this] { stream_.wake(); });
  deadline_ = deadline_in(services_.options.idle_timeout);
  Reply reply = ok("IDLE completed");
  bool idling = true;
  while (idling) {
    const Next told = co_await tell_updates(mailbox::Expunges::tell);
    if (told == Next::end) co_return dropped();
    idling = co_await wait_for_done(reply);
  }
  co_return reply;
}

// False: IDLE is over, and reply says how.
Task<bool> ServerSession::wait_for_done(Reply& reply) {
  const auto bye = [&](std::string_view text) {
    static_cast<void>(end_with_bye(text));
    reply = dropped();
    return false;
  };
  const CommandReader::Found found = reader_->next_line();
  if (found == CommandReader::Found::endless) co_return bye("A line without an end");
  if (found != CommandReader::Found::incomplete) {
    if (!wire::equals_ignoring_case(reader_->text(), "DONE\r\n")) reply = bad("DONE ends IDLE");
    reader_->done();
    co_return false;
  }
  if (ending_) co_return bye("The server is going down; come back soon");
  if (account_->closed()) co_return bye("The account is gone");
  if (selected_ && selected_->mailbox->closed()) co_return bye("The mailbox was deleted");
  const Next flushed = co_await flush();
  if (flushed == Next::end) reply = dropped();
  if (flushed == Next::end) co_return false;
  const Result<void> filled = co_await stream_.fill(deadline_);
  if (filled || filled.error().code == Errc::interrupted) co_return true;
  if (filled.error().code == Errc::timed_out) co_return bye("Nothing came for too long");
  reply = dropped();
  co_return false;
}

}  // namespace kurir::imap
