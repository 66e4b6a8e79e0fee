#pragma once
// One SMTP connection, read as RFC 5321: greet, then a command, an act, a reply, until QUIT.
// Zero-copy: commands are parsed where they lie, replies of a pipelined batch leave in one send.
// Core-local.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/auth/authenticator.hh"
#include "kurir/auth/sending_limits.hh"
#include "kurir/base/limits.hh"
#include "kurir/directory/directory.hh"
#include "kurir/io/line_reader.hh"
#include "kurir/io/socket.hh"
#include "kurir/observe/counters.hh"
#include "kurir/observe/event_log.hh"
#include "kurir/queue/queue.hh"
#include "kurir/smtp/guard.hh"
#include "kurir/smtp/transaction.hh"
#include "kurir/smtp/vrfy.hh"
#include "kurir/wire/smtp_command.hh"
#include "kurir/wire/smtp_data.hh"
#include "kurir/wire/xclient.hh"

namespace kurir::smtp {

struct SubmittedHeader;  // submitted_header.hh

// Which kind of listener took the connection: RFC 5321 for other hosts, RFC 6409 for users; local:
// a program of this machine's (sendmail), whose user the system vouches for; lmtp: RFC 2033.
enum class Service : std::uint8_t { transfer, submission, local, lmtp };

struct ServerOptions {
  std::string hostname;                                   // in the greeting, Received and EHLO
  std::uint64_t message_octets_max = 50'000'000;          // SIZE
  std::size_t recipients_max = 1000;                      // a transaction; more are 452 4.5.3
  unsigned errors_max = 20;                               // then 421
  unsigned logins_failed_max = 3;                         // then 421
  Nanoseconds command_timeout = std::chrono::minutes(5);  // RFC 5321 4.5.3.2.7
  Nanoseconds data_timeout =
      std::chrono::minutes(10);       // for the whole of the content, grows with its size
  std::uint64_t data_rate_min = 500;  // octets a second beyond data_timeout
  bool offers_tls = false;            // STARTTLS (RFC 3207)
  // Of strangers. After so many errors each further one is answered after the delay.
  unsigned errors_soft = 10;
  Nanoseconds error_delay = Seconds(1);
  unsigned idle_commands_max = 100;           // NOOP, RSET, VRFY and HELP between two messages
  Nanoseconds pressed_timeout = Seconds(10);  // command_timeout while the server is pressed
  Vrfy vrfy = Vrfy::nobody;
  bool pipelining_connect = false;  // Exim's PIPECONNECT: commands may come before the greeting
  // Whether that host may say ETRN (RFC 1985), XCLIENT; none: no host may.
  std::function<bool(const io::SocketAddress&)> may_etrn, may_xclient;
};

// Whether a mailbox with a quota takes more; asked at RCPT so that the sender hears it, not a
// bounce. The composition has the mailboxes answer it.
enum class MailboxRoom : std::uint8_t { yes, not_now, never };
class MailboxRooms {
 public:
  virtual ~MailboxRooms() = default;
  virtual Task<MailboxRoom> room_for(AccountId account, std::uint64_t quota_octets,
                                     std::uint64_t octets) = 0;
};

// ETRN: begins the queue's attempts for a domain and all below it where its name begins with a dot;
// on all cores. The composition does it.
class QueueStarter {
 public:
  virtual ~QueueStarter() = default;
  // How many messages were due then. Errors: as Queue::administrate()'s.
  virtual Task<Result<std::uint64_t>> start_for(std::string domain) = 0;
};

// What a session uses; all of this core, all outlive it.
struct ServerServices {
  const ServerOptions& options;
  directory::Directory& directory;
  auth::Authenticator& authenticator;
  MailboxRooms& mailbox_rooms;
  queue::Queue& queue;
  observe::EventLog& events;
  observe::Counters& counters;
  Guard* guard = nullptr;                         // none: everybody is trusted
  auth::SendingLimits* sending_limits = nullptr;  // none: users may hand in what they like
  QueueStarter* queue_starter = nullptr;          // none: ETRN fails
};

class ServerSession {
 public:
  // `user`: who is logged in from the start, for Service::local.
  ServerSession(io::Stream& stream, Service service, const ServerServices& services,
                std::string user = {});
  ~ServerSession();

  // The whole connection, or until STARTTLS; the stream is closed by the caller afterwards.
  Task<void> run(io::Opening opening = io::Opening::greeting);
  // STARTTLS was said and answered with 220: another session, which knows nothing of this one (RFC
  // 3207 4.2), goes on over TLS.
  bool wants_tls() const { return wants_tls_; }
  // Shutting down: a session between transactions says 421 and ends, one within goes on until its
  // transaction ends.
  void ask_to_end();
  // Nothing is lost with it: nobody has logged in, no message is on its way.
  bool is_stranger() const { return user_.empty() && !transaction_; }

 private:
  friend struct VerbTable;
  enum class Next : std::uint8_t { go_on, end };
  class Incoming;  // incoming.hh

  struct Refusal {
    unsigned code;
    std::string_view enhanced, text;
  };

  // server_session.cc: the loop
  // Frames of their own: what these need must not lie in that of a connection that idles.
  [[gnu::noinline]] Task<Next> greet();
  Task<Next> read_command();
  [[gnu::noinline]] Task<Next> dispatch(std::string_view line);
  Task<Next> act(const wire::SmtpCommand& command);
  Task<Next> flush();
  wire::SmtpCommandOptions command_options() const;

  // replies.cc
  void reply(unsigned code, std::string_view enhanced, std::string_view text);
  Next reply_and_end(unsigned code, std::string_view enhanced, std::string_view text);
  Next refuse(const Refusal& refusal);  // counts an error where it is permanent
  Next refuse_fault(const wire::SmtpFault& fault);
  Next count_error();
  Next refuse_content(const Refusal& refusal);  // by recipient, where that is the protocol
  void reply_for_content(unsigned code, std::string_view enhanced, std::string_view text);
  static Refusal refusal_of(const Error& error);

  // guarding.cc
  struct Stranger {  // apart, for most servers ask nothing
    Acquaintance acquaintance;
    std::string helo_checked;  // and found good
  };
  bool is_guarded() const;
  bool is_asked_of_guard() const;
  Task<bool> talks_before_greeting();
  Task<void> get_to_know_client();
  Task<std::optional<GuardRefusal>> guard_refusal(std::string recipient);
  std::string_view peer_name() const;
  Task<void> pause_after_errors();
  bool is_idling(wire::SmtpVerb verb);
  Deadline command_deadline() const;

  // one verb, one file
  Task<Next> ehlo(const wire::SmtpCommand& command);
  Task<Next> helo(const wire::SmtpCommand& command);
  Task<Next> lhlo(const wire::SmtpCommand& command);
  Task<Next> mail(const wire::SmtpCommand& command);
  Task<Next> rcpt(const wire::SmtpCommand& command);
  Task<Next> data(const wire::SmtpCommand& command);
  Task<Next> bdat(const wire::SmtpCommand& command);
  Task<Next> auth(const wire::SmtpCommand& command);
  Task<Next> starttls(const wire::SmtpCommand& command);
  Task<Next> rset(const wire::SmtpCommand& command);
  Task<Next> noop(const wire::SmtpCommand& command);
  Task<Next> vrfy(const wire::SmtpCommand& command);
  Task<Next> etrn(const wire::SmtpCommand& command);
  Task<Next> xclient(const wire::SmtpCommand& command);
  Task<Next> help(const wire::SmtpCommand& command);
  Task<Next> quit(const wire::SmtpCommand& command);

  // Of the client, whoever carries its words.
  const io::SocketAddress& client_address() const {
    return represented_ && represented_->address.family() != io::Family::none
               ? represented_->address
               : stream_.peer();
  }
  // Whom XCLIENT speaks for may have no address: that is nobody's who is trusted.
  bool is_client_known() const { return !represented_ || !represented_->is_unknown; }
  bool may_xclient() const;
  void represent(const wire::Xclient& told);
  void become_user(const std::string& name);
  void say_greeting();
  Next hello(std::string_view name, bool extended);
  void offer_transfer();
  void offer_future_release();
  std::optional<Refusal> take_hold(const wire::MailParameters& asked, queue::Envelope& envelope);
  std::int8_t granted_priority(std::int8_t asked) const;
  bool offers_login() const;
  bool may_send_as(std::string_view sender) const;
  bool may_send_one_more() const;
  bool may_name_one_more() const;
  bool offers_tls() const;
  std::string protocol() const;
  std::optional<Refusal> refusal_of(const directory::LocalRecipient& resolved) const;
  void add_recipient(const std::string& address, const directory::LocalRecipient& resolved,
                     const wire::RcptParameters& parameters);
  void add_to_envelope(std::string address, const std::string& original, bool is_local,
                       const wire::RcptParameters& parameters);
  Task<std::optional<Refusal>> await_room(std::uint64_t octets);
  std::string begin_content(QueueId id);
  std::optional<SubmittedHeader> submitted_header(QueueId id) const;
  Task<Next> receive_content();
  Task<std::optional<Next>> receive(Incoming& incoming, Instant begin);
  Task<Next> finish_content(Incoming& incoming);
  std::optional<Refusal> refusal_of(const Incoming& incoming) const;
  Task<Next> queue_message(Incoming& incoming);
  std::optional<Refusal> refusal_of_chunk() const;
  void begin_chunks();
  Task<Next> keep_chunk(std::uint64_t octets);
  Task<Next> end_chunks();
  Task<Next> skip_chunk(std::uint64_t octets);
  void reset_transaction();
  Next finish_login(const auth::Outcome& outcome);
  void report_rejection(const Refusal& refusal, std::string_view recipient);

  // Whom a trusted host speaks for (XCLIENT).
  struct Represented {
    io::SocketAddress address;
    std::string name, helo;   // empty: not told
    bool is_unknown = false;  // the address is told to be: nobody's that is trusted
    bool is_extended = true;
  };

  io::Stream& stream_;
  Service service_;
  const ServerServices& services_;
  io::LineReader lines_;
  std::string helo_;
  bool extended_ = false;  // EHLO was said
  AccountId account_;
  std::unique_ptr<Represented> represented_;
  std::string user_;                          // logged in as
  std::unique_ptr<Transaction> transaction_;  // apart: most connections are idle
  std::unique_ptr<Incoming> incoming_;        // BDAT has begun
  unsigned errors_ = 0, logins_failed_ = 0;
  unsigned idle_commands_ = 0;
  bool ending_ = false, wants_tls_ = false, owes_pause_ = false;
  Instant command_began_{};
  std::unique_ptr<Stranger> stranger_;
  Signal pause_ends_;
};

}  // namespace kurir::smtp
