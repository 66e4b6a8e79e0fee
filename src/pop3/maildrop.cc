// What is in the maildrop, and what goes at QUIT (RFC 1939 5 and 6, RFC 2449).

#include "kurir/pop3/server_session.hh"

namespace kurir::pop3 {

Task<ServerSession::Next> ServerSession::capa(const wire::Pop3Command&) {
  std::string& output = stream_.output();
  output += "+OK Capabilities\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nEXPIRE NEVER\r\n";
  if (offers_tls() && !maildrop_) output += "STLS\r\n";
  const std::vector<std::string_view> mechanisms = services_.authenticator.offered(stream_);
  if (takes_passwords()) output += "USER\r\n";
  if (!mechanisms.empty()) output += "SASL";
  for (const std::string_view mechanism : mechanisms) output.append(" ").append(mechanism);
  if (!mechanisms.empty()) output += "\r\n";
  output += "IMPLEMENTATION Kurir\r\n.\r\n";
  co_return Next::go_on;
}

Task<ServerSession::Next> ServerSession::stat(const wire::Pop3Command&) {
  std::size_t count = 0;
  std::uint64_t octets = 0;
  for (const Message& message : maildrop_->messages) {
    if (message.deleted) continue;
    ++count;
    octets += message.entry.size;
  }
  ok(std::to_string(count) + " " + std::to_string(octets));
  co_return Next::go_on;
}

ServerSession::Message* ServerSession::find(std::uint32_t number) {
  if (number == 0 || number > maildrop_->messages.size()) return nullptr;
  Message& message = maildrop_->messages[number - 1];
  return message.deleted ? nullptr : &message;
}

std::string ServerSession::unique_id(const Message& message) const {
  return std::to_string(maildrop_->validity.value) + "." + std::to_string(message.entry.uid.value);
}

namespace {
constexpr std::size_t output_octets_flush = 64 * 1024;  // a maildrop of a million is streamed
}

Task<ServerSession::Next> ServerSession::list(const wire::Pop3Command& command) {
  if (command.message) {
    const Message* message = find(*command.message);
    if (message == nullptr) co_return count_error("No such message");
    ok(std::to_string(*command.message) + " " + std::to_string(message->entry.size));
    co_return Next::go_on;
  }
  ok("Sizes follow");
  for (std::size_t index = 0; index < maildrop_->messages.size(); ++index) {
    const Message& message = maildrop_->messages[index];
    if (message.deleted) continue;
    stream_.output() +=
        std::to_string(index + 1) + " " + std::to_string(message.entry.size) + "\r\n";
    if (stream_.output().size() < output_octets_flush) continue;
    const Next flushed = co_await flush();
    if (flushed == Next::end) co_return Next::end;
  }
  stream_.output() += ".\r\n";
  co_return Next::go_on;
}

Task<ServerSession::Next> ServerSession::uidl(const wire::Pop3Command& command) {
  if (command.message) {
    const Message* message = find(*command.message);
    if (message == nullptr) co_return count_error("No such message");
    ok(std::to_string(*command.message) + " " + unique_id(*message));
    co_return Next::go_on;
  }
  ok("Unique ids follow");
  for (std::size_t index = 0; index < maildrop_->messages.size(); ++index) {
    const Message& message = maildrop_->messages[index];
    if (message.deleted) continue;
    stream_.output() += std::to_string(index + 1) + " " + unique_id(message) + "\r\n";
    if (stream_.output().size() < output_octets_flush) continue;
    const Next flushed = co_await flush();
    if (flushed == Next::end) co_return Next::end;
  }
  stream_.output() += ".\r\n";
  co_return Next::go_on;
}

Task<ServerSession::Next> ServerSession::dele(const wire::Pop3Command& command) {
  Message* message = find(*command.message);
  if (message == nullptr) co_return count_error("No such message");
  message->deleted = true;
  ok("Goes at QUIT");
  co_return Next::go_on;
}

Task<ServerSession::Next> ServerSession::noop(const wire::Pop3Command&) {
  ok("");
  co_return Next::go_on;
}

Task<ServerSession::Next> ServerSession::rset(const wire::Pop3Command&) {
  for (Message& message : maildrop_->messages) message.deleted = false;
  ok("Nothing goes at QUIT");
  co_return Next::go_on;
}

// The UPDATE state: +OK means that the deletions are on disk.
Task<ServerSession::Next> ServerSession::quit(const wire::Pop3Command&) {
  if (!maildrop_) {
    ok("Bye");
    co_return Next::end;
  }
  std::vector<mailbox::NumberRange> going;
  for (const Message& message : maildrop_->messages)
    if (message.deleted) going.push_back({message.entry.uid.value, message.entry.uid.value});
  if (!going.empty()) {
    const Result<std::vector<Uid>> gone = co_await services_.mailboxes.expunge(
        maildrop_->account, maildrop_->mailbox, std::move(going), false);
    if (!gone) {
      stream_.output() += "-ERR [SYS/TEMP] The messages could not be deleted\r\n";
      co_return Next::end;
    }
  }
  ok("Bye");
  co_return Next::end;
}

}  // namespace kurir::pop3
