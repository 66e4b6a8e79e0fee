#pragma once
// ClientSession: the client's side of SMTP (RFC 5321, 1870, 2920, 6152) on one connection to a next
// host: greeting, any number of transactions, QUIT. Every wait has RFC 5321 4.5.3.2's bound, and
// whatever the peer does is a value, never an error of ours. Core-local.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/socket.hh"
#include "kurir/queue/message.hh"
#include "kurir/store/message_record.hh"
#include "kurir/tls/context.hh"
#include "kurir/wire/smtp_data.hh"
#include "kurir/wire/smtp_parameters.hh"
#include "kurir/wire/smtp_reply.hh"

namespace kurir::smtp {

// RFC 5321 4.5.3.2.
struct ClientTimeouts {
  Nanoseconds greeting = std::chrono::minutes(5);
  Nanoseconds hello = std::chrono::minutes(5);
  Nanoseconds mail = std::chrono::minutes(5);  // of RSET too
  Nanoseconds recipient = std::chrono::minutes(5);
  Nanoseconds data_initiation = std::chrono::minutes(2);
  Nanoseconds data_block = std::chrono::minutes(3);
  Nanoseconds data_termination = std::chrono::minutes(10);
  Nanoseconds starttls = Seconds(60);  // the handshake too
  Nanoseconds quit = Seconds(5);       // nothing depends on its answer
};

// STARTTLS (RFC 3207). Where it is required and cannot be had, nothing is sent.
struct ClientTls {
  enum class Use : std::uint8_t { never, where_offered, always };
  Use use = Use::never;
  bool verify = false;  // the certificate must be the host's, by an authority's word
  std::string host;     // whose
  Shared<const tls::ClientContext> context;
};

struct ClientOptions {
  std::string ehlo_domain;
  ClientTimeouts timeouts;
  ClientTls tls;
  bool is_lmtp = false;  // RFC 2033
};

// What the peer said, in one line of printable ASCII that may be kept, logged and sent on, or what
// happened instead, in the same form: "550 5.1.1 No such user", "451 4.4.2 Connection lost".
struct Answer {
  enum class Verdict : std::uint8_t {
    accepted,
    refused_for_now,
    refused_for_good,
    not_tried,  // the peer wanted fewer recipients at once: send it again now
  };
  Verdict verdict = Verdict::refused_for_now;
  std::string reply;
  std::string_view command;  // what it answered: "MAIL", "RCPT", "DATA", "."; static
};

struct OutgoingRecipient {
  std::string_view address;
  queue::Notify notify = {};
  std::string_view orcpt = {};     // RFC 3461 4.2, as given; empty: not
  std::string_view original = {};  // what the client gave, where an alias made `address` of it
};

struct OutgoingMessage {
  std::string_view reverse_path;
  std::vector<OutgoingRecipient> recipients;  // at most client_recipients_max
  bool has_8bit = false, has_dot_line = false, is_binary = false;
  bool is_utf8 = false;       // RFC 6531
  std::int8_t priority = 0;   // RFC 6710
  bool requires_tls = false;  // RFC 8689
  queue::Returned returned = queue::Returned::unspecified;
  std::string_view envid = {};                     // RFC 3461 4.4, as given; empty: not
  std::optional<wire::DeliverBy> deliver_by = {};  // RFC 2852, from now on
};
inline constexpr std::size_t client_recipients_max = 100;  // RFC 5321 4.5.3.1.8

class ClientSession {
 public:
  ClientSession(std::unique_ptr<io::Stream> stream, ClientOptions options);

  // The greeting and EHLO, or HELO where that is refused. Empty: ready; else why not.
  Task<std::optional<Answer>> open();
  // The host offered STARTTLS, and open() failed because of it: it may go without.
  bool tls_failed() const { return tls_failed_; }
  // What made open() fail is that the host has no TLS, or none that the options accept.
  bool lacks_tls() const { return lacks_tls_; }
  io::Encryption encryption() const { return stream_->encryption(); }
  // One transaction: an answer for each recipient, in order. What happened to the connection shows
  // in is_usable().
  Task<std::vector<Answer>> send(const OutgoingMessage& message, store::MessageContent& content);
  // The host takes over what senders want to be told (RFC 3461).
  bool reports() const { return extensions_.dsn; }
  // The same of the time to deliver by (RFC 2852).
  bool keeps_time() const { return extensions_.deliver_by; }
  // Of one transaction; at most client_recipients_max.
  std::size_t recipients_max() const { return extensions_.recipients_max; }
  // Of this connection; 0: as many as one wants.
  std::uint64_t transactions_max() const { return extensions_.transactions_max; }
  // False after 421, a reply that makes no sense, a timeout or the peer's end.
  bool is_usable() const { return usable_; }
  // Waits until the peer says or ends something (false: the connection is of no use any more), or
  // until wake() or the deadline (true).
  Task<bool> idle(Deadline deadline);
  void wake() { stream_->wake(); }
  // Every operation ends at once.
  void abort() { stream_->abort(); }
  // QUIT where it makes sense, and the end of the connection. Must be awaited once.
  Task<void> close();

  const io::SocketAddress& peer() const { return stream_->peer(); }

 private:
  struct Extensions {
    bool pipelining = false, eight_bit_mime = false, size = false, starttls = false, dsn = false;
    bool chunking = false, binary_mime = false, smtputf8 = false, mt_priority = false;
    bool require_tls = false, deliver_by = false;
    std::uint64_t deliver_by_min = 0;                    // seconds; 0: any
    std::size_t recipients_max = client_recipients_max;  // RFC 9422: RCPTMAX
    std::uint64_t transactions_max = 0;                  // MAILMAX; 0: not said
    std::uint64_t size_max = 0;                          // 0: not said
  };
  struct Reply {
    std::uint16_t code = 0;
    std::string text;
    bool is_positive() const { return code / 100 == 2; }
  };
  struct Transaction;
  class Source;

  Task<Reply> read_reply(Nanoseconds timeout, std::string_view command);
  Task<Reply> exchange(std::string line, Nanoseconds timeout, std::string_view command);
  Reply lost(const Error& error, std::string_view command);
  Reply nonsense(std::string_view command);
  void take_extensions(std::string_view lines);
  Answer answer_of(const Reply& reply, std::string_view command) const;
  Task<std::optional<Reply>> say_hello();
  Task<std::optional<Answer>> secure();
  Task<std::optional<Answer>> start_tls();

  std::string rcpt_command(const OutgoingRecipient& recipient) const;
  std::string mail_command(const OutgoingMessage& message, const Source& source) const;
  Task<void> open_transaction(const OutgoingMessage& message, Transaction& transaction);
  void take_reply(Transaction& transaction, std::size_t step, const Reply& reply);
  bool uses_chunks() const { return extensions_.chunking && !options_.is_lmtp; }
  void take_limits(std::string_view words);
  Task<bool> refuse_utf8(const OutgoingMessage& message, store::MessageContent& content,
                         std::vector<Answer>& answers);
  std::optional<Answer> refusal_of(const OutgoingMessage& message) const;
  bool needs_conversion(const OutgoingMessage& message) const;
  Task<Reply> send_content(Source& source);
  Task<void> finish_content(Source& source, std::vector<Answer>& answers);
  Task<Result<void>> send_octets(Source& source);
  Task<Result<void>> send_stuffed(std::string_view view, wire::DotStuffer& stuffer);

  std::unique_ptr<io::Stream> stream_;
  ClientOptions options_;
  Extensions extensions_;
  std::string pending_;  // a reply that straddles two slices
  bool usable_ = true;
  bool tls_failed_ = false, lacks_tls_ = false;
  bool needs_reset_ = false;  // a transaction was left open
};

}  // namespace kurir::smtp
