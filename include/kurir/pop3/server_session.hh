#pragma once
// One POP3 connection (RFC 1939): log in, take the maildrop as it is, read, mark, and delete at
// QUIT. Core-local.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/auth/authenticator.hh"
#include "kurir/io/line_reader.hh"
#include "kurir/io/socket.hh"
#include "kurir/mailbox/mailboxes.hh"
#include "kurir/observe/counters.hh"
#include "kurir/wire/pop3_command.hh"

namespace kurir::pop3 {

struct ServerOptions {
  std::string hostname;
  bool offers_tls = false;  // STLS (RFC 2595)
  unsigned errors_max = 20;
  unsigned logins_failed_max = 3;
  Nanoseconds command_timeout = std::chrono::minutes(10);  // RFC 1939 3: at least that
  Nanoseconds login_timeout = std::chrono::seconds(60);    // from the connection to the login
};

// All of this core, all outlive the session.
struct ServerServices {
  const ServerOptions& options;
  auth::Authenticator& authenticator;
  mailbox::Mailboxes& mailboxes;
  observe::Counters& counters;
};

class ServerSession {
 public:
  ServerSession(io::Stream& stream, const ServerServices& services);
  ~ServerSession();

  // The whole connection, or until STLS; the stream is closed by the caller afterwards.
  Task<void> run(io::Opening opening = io::Opening::greeting);
  // STLS was said and answered with +OK: another session goes on over TLS.
  bool wants_tls() const { return wants_tls_; }
  // Shutting down: the session ends after the command that runs, and deletes nothing.
  void ask_to_end();
  bool is_stranger() const { return !maildrop_; }  // nobody has logged in

 private:
  friend struct VerbTable;
  enum class Next : std::uint8_t { go_on, end };

  // A message as it was when the maildrop was opened; its number is its place.
  struct Message {
    mailbox::NewMessage entry;
    bool deleted = false;
  };
  struct Maildrop {
    mailbox::NewMessage now(const Message& message) const;  // with its content's place of now
    std::optional<mailbox::View> view;
    AccountId account;
    MailboxId mailbox;
    UidValidity validity;
    std::vector<Message> messages;
  };

  // server_session.cc
  Task<Next> read_command();
  Task<Next> act(const wire::Pop3Command& command);
  Task<Next> flush();
  Deadline read_deadline() const;
  Next count_error(std::string_view text);
  Next refuse_fault(const wire::Pop3Fault& fault);
  void ok(std::string_view text);
  bool may_log_in() const;
  bool takes_passwords() const;
  bool offers_tls() const;

  // login.cc
  Task<Next> user(const wire::Pop3Command& command);
  Task<Next> pass(const wire::Pop3Command& command);
  Task<Next> auth(const wire::Pop3Command& command);
  Task<Next> stls(const wire::Pop3Command& command);
  Task<Next> finish_login(auth::Outcome outcome);
  Task<Next> open_maildrop(AccountId account);

  // maildrop.cc
  Task<Next> capa(const wire::Pop3Command& command);
  Task<Next> stat(const wire::Pop3Command& command);
  Task<Next> list(const wire::Pop3Command& command);
  Task<Next> uidl(const wire::Pop3Command& command);
  Task<Next> dele(const wire::Pop3Command& command);
  Task<Next> noop(const wire::Pop3Command& command);
  Task<Next> rset(const wire::Pop3Command& command);
  Task<Next> quit(const wire::Pop3Command& command);
  Message* find(std::uint32_t number);
  std::string unique_id(const Message& message) const;

  // retrieve.cc
  Task<Next> retr(const wire::Pop3Command& command);
  Task<Next> top(const wire::Pop3Command& command);
  Task<Next> send_message(const Message& message, std::optional<std::uint32_t> body_lines);

  io::Stream& stream_;
  const ServerServices& services_;
  io::LineReader lines_;
  std::string user_;  // USER's, until PASS
  std::optional<Maildrop> maildrop_;
  Instant began_{}, command_began_{};
  unsigned errors_ = 0, logins_failed_ = 0;
  bool ending_ = false, wants_tls_ = false;
};

}  // namespace kurir::pop3
