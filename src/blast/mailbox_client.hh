#pragma once
// MailboxClient: a connection to an IMAP or POP3 server, which reads answers without a look into
// them: to the tagged line, or the end of a POP3 answer. Core-local.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kurir/blast/options.hh"
#include "kurir/io/connect.hh"
#include "kurir/io/line_reader.hh"

namespace kurir::blast {

class MailboxClient {
 public:
  explicit MailboxClient(const Options& options) : options_(options) {}

  // Connected and greeted. Errors: of Connector::connect() and encrypt();
  // refused: the greeting is none, or STARTTLS is refused.
  Task<Result<void>> open(std::optional<io::SocketAddress> from);
  Task<void> close();
  void abort();
  bool is_open() const { return stream_ != nullptr; }

  // A command and its answer: true, OK or +OK. For IMAP a tag is put before it; a literal that the
  // server asks for is sent behind the line. A POP3 answer of several lines is read to its end.
  Task<Result<bool>> command(std::string_view line, std::string_view literal = {});
  Task<Result<bool>> retrieve(std::string_view line);
  // IDLE: begun when it returns; then until an EXISTS; then ended.
  Task<Result<bool>> begin_idle();
  Task<Result<void>> await_exists();
  Task<Result<bool>> end_idle();

  // Of the last SELECT, or STAT's first number.
  std::uint32_t messages() const { return messages_; }

 private:
  static constexpr std::size_t line_octets_max = 8192;
  Task<Result<std::string_view>> line();  // valid until the next; empty: too long
  Task<Result<bool>> tagged();
  Task<Result<void>> skip(std::uint64_t octets);
  Task<Result<void>> start_tls();
  Task<Result<void>> send(std::string_view octets);
  void look_at(std::string_view line);

  const Options& options_;
  io::Connector connector_;
  std::unique_ptr<io::Stream> stream_;
  std::optional<io::LineReader> lines_;
  bool holds_line_ = false, aborted_ = false;
  std::uint32_t messages_ = 0;
  bool exists_ = false;  // an EXISTS was seen since begin_idle()
};

}  // namespace kurir::blast
