#pragma once
// MailboxLoad: one session of a run on mailboxes, IMAP or POP3: operations by weight, one after the
// other. Core-local.

#include <optional>
#include <string>
#include <vector>

#include "kurir/blast/letters.hh"
#include "mailbox_client.hh"
#include "session_load.hh"

namespace kurir::blast {

class MailboxLoad final : public SessionLoad {
 public:
  MailboxLoad(const Options& options, const Letters& letters, Course& course, Report& report,
              unsigned ordinal);
  Task<void> run() override;
  void abort() override;

 private:
  Task<Result<bool>> log_in(MailboxClient& client, std::uint64_t turn);
  Task<Result<bool>> operate(Operation operation, std::uint64_t number);
  Task<Result<bool>> log_in_and_out();
  Task<Result<bool>> append(MailboxClient& client, std::uint64_t number);
  Task<Result<bool>> idle(std::uint64_t number);
  Task<Result<bool>> pop3(Operation operation, std::uint64_t number);
  std::optional<io::SocketAddress> from() const;

  const Options& options_;
  const Letters& letters_;
  Course& course_;
  Report& report_;
  const unsigned ordinal_;
  const WeightedChoice choice_;
  MailboxClient client_, other_;
  std::uint64_t logins_ = 0;  // cycles of logging in, so far
  bool aborted_ = false;
};

}  // namespace kurir::blast
