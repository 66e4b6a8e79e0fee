#pragma once
// One IMAP connection (RFC 9051, RFC 3501): log in, look into a mailbox, change it, hear what
// others change. The index is read where it lies, on any core; changes travel to the owner. Replies
// of a pipelined batch leave in one send, large ones in pieces. Core-local.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/auth/authenticator.hh"
#include "kurir/base/quiescence.hh"
#include "kurir/base/shared.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/socket.hh"
#include "kurir/mailbox/content_caches.hh"
#include "kurir/mailbox/mailboxes.hh"
#include "kurir/observe/counters.hh"
#include "kurir/wire/imap_command.hh"
#include "kurir/wire/imap_response.hh"

namespace kurir::imap {

struct ServerOptions {
  std::string hostname;                                  // in the greeting
  std::uint64_t message_octets_max = 50'000'000;         // APPEND; APPENDLIMIT says it
  bool offers_tls = false;                               // STARTTLS
  unsigned errors_max = 20;                              // BAD commands, then BYE
  unsigned logins_failed_max = 3;                        // then BYE
  Nanoseconds login_timeout = std::chrono::seconds(60);  // from the connection to the login
  Nanoseconds idle_timeout = std::chrono::minutes(30);   // RFC 9051 5.4; from command to command
  Nanoseconds transfer_timeout =
      std::chrono::minutes(2);            // for one send, or an APPEND's octets ...
  std::uint64_t transfer_rate_min = 500;  // ... longer by their octets at this rate a second
};

// All of this core, but for the cache, which the cores share; all outlive the session.
struct ServerServices {
  const ServerOptions& options;
  auth::Authenticator& authenticator;
  mailbox::Mailboxes& mailboxes;
  mailbox::ContentCaches& caches;
  RetireQueue& retired;  // reclaimed by the composition once a turn
  observe::Counters& counters;
};

class CommandReader;
struct Selected;
struct Reply;

class ServerSession {
 public:
  ServerSession(io::Stream& stream, const ServerServices& services);
  ~ServerSession();

  // The whole connection, or until STARTTLS; the stream is closed by the caller afterwards.
  Task<void> run(io::Opening opening = io::Opening::greeting);
  // STARTTLS was said and answered with OK: another session goes on over TLS (RFC 9051 6.2.1).
  bool wants_tls() const { return wants_tls_; }
  // Shutting down: says BYE when no command runs, also in IDLE.
  void ask_to_end();
  bool is_stranger() const { return !account_; }  // nobody has logged in

 private:
  friend struct VerbTable;
  friend class MessageFetch;
  class Incoming;  // verb_append.cc
  enum class Next : std::uint8_t { go_on, end };

  // server_session.cc: the loop
  Task<Next> read_command();
  Task<Next> wait_for_input();
  Task<Next> dispatch();
  Task<Reply> act(const wire::ImapCommand& command);
  Task<Next> conclude(std::string tag, Reply reply);
  Next end_with_bye(std::string_view text);
  Next count_error();
  Task<Next> flush();
  bool output_is_full() const;
  Task<Next> flush_when_full();
  Deadline transfer_deadline(std::uint64_t octets) const;
  wire::ImapWriter writer() { return wire::ImapWriter(stream_.output(), encoding_); }

  // updates.cc: what the client is told unasked
  Task<Next> tell_updates(mailbox::Expunges expunges);
  void tell_flags(const mailbox::Located& at, bool with_uid);
  void tell_new_keywords(wire::FlagWord flags);
  void append_flags(wire::ImapFetchWriter& fetch, const mailbox::Located& at, wire::FlagWord flags);

  // One verb or one family of verbs, one file.
  Task<Reply> capability(const wire::ImapCommand& command);
  Task<Reply> noop(const wire::ImapCommand& command);
  Task<Reply> logout(const wire::ImapCommand& command);
  Task<Reply> id(const wire::ImapCommand& command);
  Task<Reply> starttls(const wire::ImapCommand& command);
  Task<Reply> login(const wire::ImapCommand& command);
  Task<Reply> authenticate(const wire::ImapCommand& command);
  Task<Reply> enable(const wire::ImapCommand& command);
  Task<Reply> name_space(const wire::ImapCommand& command);
  Task<Reply> select(const wire::ImapCommand& command);
  Task<Reply> check(const wire::ImapCommand& command);
  Task<Reply> close(const wire::ImapCommand& command);
  Task<Reply> unselect(const wire::ImapCommand& command);
  Task<Reply> create(const wire::ImapCommand& command);
  Task<Reply> remove(const wire::ImapCommand& command);
  Task<Reply> rename(const wire::ImapCommand& command);
  Task<Reply> subscribe(const wire::ImapCommand& command);
  Task<Reply> unsubscribe(const wire::ImapCommand& command);
  Task<Reply> list(const wire::ImapCommand& command);
  Task<Reply> lsub(const wire::ImapCommand& command);
  Task<Reply> status(const wire::ImapCommand& command);
  Task<Reply> whole_append(const wire::ImapCommand& command);
  Task<Reply> idle(const wire::ImapCommand& command);
  Task<Reply> expunge(const wire::ImapCommand& command);
  Task<Reply> search(const wire::ImapCommand& command);
  Task<Reply> fetch(const wire::ImapCommand& command);
  Task<Reply> store(const wire::ImapCommand& command);
  Task<Reply> copy(const wire::ImapCommand& command);
  Task<Reply> move(const wire::ImapCommand& command);

  // verb_append.cc: the literals of APPEND do not go into a command's buffer
  Task<Next> append();
  Task<Next> receive_messages(Incoming& incoming);
  Task<Next> receive_octets(Incoming& incoming);
  Task<Next> read_append_line(Incoming& incoming);
  Task<Reply> keep_messages(Incoming& incoming);

  bool may_log_in() const;
  bool offers_tls() const;
  std::vector<std::string_view> capabilities() const;
  Task<Reply> finish_login(auth::Outcome outcome);
  bool may_log_in_with_password() const;
  class Conversation;  // verb_login.cc
  Task<Reply> change_subscription(const wire::ImapString& sent, bool subscribed);
  void describe_selected();
  void write_status(std::string_view name, const mailbox::Mailbox& mailbox, wire::StatusWord items);
  Task<bool> wait_for_done(Reply& reply);
  Task<Reply> transfer(wire::ImapNumbering numbering, const wire::ImapSet& set,
                       const wire::ImapString& to, bool move);
  Task<void> mark_seen(std::vector<mailbox::Located>& unseen);
  std::uint64_t octets_left() const;  // of the quota

  io::Stream& stream_;
  const ServerServices& services_;
  std::unique_ptr<CommandReader> reader_;
  const Instant begin_;
  Deadline deadline_;  // for the next whole command

  Shared<mailbox::Account> account_;  // null: not logged in
  std::string user_;                  // the address
  std::uint64_t quota_octets_ = 0;    // 0: none
  std::unique_ptr<Selected> selected_;
  wire::ImapNameEncoding encoding_ = wire::ImapNameEncoding::modified_utf7;
  bool revision2_ = false;  // the client enabled IMAP4rev2
  bool condstore_ = false;  // the client used or enabled CONDSTORE (RFC 7162 3.1)
  unsigned errors_ = 0, logins_failed_ = 0;
  bool ending_ = false, wants_tls_ = false;
};

}  // namespace kurir::imap
