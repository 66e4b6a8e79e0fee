#pragma once
// One IMAP connection (RFC 9051, RFC 3501): assemble a command with its literals, act, tell what
// changed, answer. Reads go to the shared index where it lies; changes travel to the account's
// owner. Core-local.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/directory/directory.hh"
#include "kurir/io/line_reader.hh"
#include "kurir/io/socket.hh"
#include "kurir/mailbox/mailboxes.hh"
#include "kurir/mailbox/stored_message.hh"
#include "kurir/mailbox/structure_cache.hh"
#include "kurir/mailbox/view.hh"
#include "kurir/observe/counters.hh"
#include "kurir/wire/imap_command.hh"
#include "kurir/wire/imap_response.hh"

namespace kurir::imap {

struct ServerOptions {
  std::string hostname;
  std::uint64_t message_octets_max = 50'000'000;
  bool allow_plaintext_login = false;
  unsigned errors_max = 20;
  unsigned logins_failed_max = 3;
  Nanoseconds login_timeout = std::chrono::minutes(1);
  Nanoseconds idle_timeout = std::chrono::minutes(30);  // RFC 9051 5.4
  Nanoseconds send_timeout = std::chrono::minutes(5);
};

// All of this core (but for the cache, which is everybody's), all outlive the session.
struct ServerServices {
  const ServerOptions& options;
  directory::Directory& directory;
  mailbox::Mailboxes& mailboxes;
  mailbox::StructureCache& structures;
  RetireQueue& retired;
  observe::Counters& counters;
};

class ServerSession {
 public:
  ServerSession(io::Stream& stream, const ServerServices& services);
  ~ServerSession();

  // The whole connection; the stream is closed by the caller afterwards.
  Task<void> run();
  // Shutting down: BYE after the command that runs.
  void ask_to_end();

 private:
  enum class Next : std::uint8_t { go_on, end };
  using Step = Task<Next>;

  struct User {
    AccountId account;
    std::string address;
    std::uint64_t quota_octets = 0;
    Shared<mailbox::Account> folders;
  };
  struct Selected {
    Selected(Shared<mailbox::Mailbox> mailbox, bool is_read_only)
        : view(std::move(mailbox)), read_only(is_read_only) {}
    mailbox::View view;
    bool read_only;
    Uid recent_from;        // uids from here on are \Recent in this session
    wire::NumberSet saved;  // RFC 5182: uids
  };
  using Messages = std::vector<mailbox::Located>;

  // server_session.cc: the loop, and a command's assembly
  Step read_line();
  Step take_line(std::string_view line);
  Step take_literal(const wire::ImapLiteral& literal);
  Task<bool> receive(std::uint64_t octets);
  Step execute();
  Step flush();
  Step flush_if_much();
  Nanoseconds patience() const;

  // replies.cc
  wire::ImapWriter writer() { return wire::ImapWriter(stream_.output(), encoding()); }
  wire::ImapNameEncoding encoding() const;
  Next ok(std::string_view text, std::string_view code = wire::imap_code::none);
  Next no(std::string_view text, std::string_view code = wire::imap_code::none);
  Next bad(std::string_view text);
  Next bye(std::string_view text);
  Next no(const Error& error);
  Next count_error();
  std::vector<std::string_view> capabilities() const;

  // updates.cc: what other sessions changed
  void tell_updates(mailbox::Expunges expunges);
  void write_flags(wire::ImapFetchWriter& line, const mailbox::Located& at);
  std::vector<std::string> keywords() const;

  // session_commands.cc
  Step on(const wire::ImapCapability&);
  Step on(const wire::ImapNoop&);
  Step on(const wire::ImapCheck&);
  Step on(const wire::ImapLogout&);
  Step on(const wire::ImapId&);
  Step on(const wire::ImapEnable& command);
  Step on(const wire::ImapNamespace&);
  Step on(const wire::ImapIdle&);
  Step on(const wire::ImapDone&);
  // login.cc
  Step on(const wire::ImapLogin& command);
  Step on(const wire::ImapAuthenticate& command);
  Step log_in(std::string user, std::string password);
  Task<std::optional<std::string>> receive_line();
  Task<std::optional<std::string>> ask_for_response(std::string prompt);
  bool may_log_in() const;
  // folders.cc
  Step on(const wire::ImapSelect& command);
  Step on(const wire::ImapCreate& command);
  Step on(const wire::ImapDelete& command);
  Step on(const wire::ImapRename& command);
  Step on(const wire::ImapSubscribe& command);
  Step on(const wire::ImapUnsubscribe& command);
  Step on(const wire::ImapStatus& command);
  Step on(const wire::ImapClose&);
  Step on(const wire::ImapUnselect&);
  Step change_folder(Task<Result<void>> change, std::string_view done);
  Shared<mailbox::Mailbox> find_mailbox(std::string_view name) const;
  std::optional<std::string> folder_name(const wire::ImapString& sent);
  void write_status(std::string_view name, const mailbox::Mailbox& mailbox, wire::StatusWord items);
  // list.cc
  Step on(const wire::ImapList& command);
  Step on(const wire::ImapLsub& command);
  // append.cc
  Step append(const wire::ImapAppendHead& head);
  Step on(const wire::ImapAppend& command);
  class Upload;
  // fetch.cc
  Step on(const wire::ImapFetch& command);
  Step fetch_one(const mailbox::Located& at, const wire::FetchItems& items, bool with_flags);
  Task<Result<void>> write_content_items(wire::ImapFetchWriter& line, const mailbox::Located& at,
                                         const wire::FetchItems& items);
  std::optional<Messages> resolve(wire::ImapNumbering numbering, const wire::ImapSet& set);
  // search.cc
  Step on(const wire::ImapSearch& command);
  // changes.cc
  Step on(const wire::ImapStore& command);
  Step on(const wire::ImapCopy& command);
  Step on(const wire::ImapMove& command);
  Step on(const wire::ImapExpunge& command);
  Step transfer(wire::ImapNumbering numbering, const wire::ImapSet& set,
                const wire::ImapString& name, bool move);
  Step on(const wire::ImapStartTls&);
  Step on(const wire::ImapGetQuota&);
  Step on(const wire::ImapGetQuotaRoot&);
  Step on(const wire::ImapCompress&);

  io::Stream& stream_;
  const ServerServices& services_;
  io::LineReader lines_;
  std::string command_;         // what was received of the present one
  std::size_t line_begin_ = 0;  // in it: behind the last literal
  std::size_t literals_ = 0;
  std::string tag_;
  std::optional<User> user_;
  std::optional<Selected> selected_;
  bool rev2_ = false, condstore_ = false;
  unsigned errors_ = 0, logins_failed_ = 0;
  bool ending_ = false;
};

}  // namespace kurir::imap
