#pragma once
// SmtpLoad: one session of a run: connections, one after the other, and their messages. SMTP and
// LMTP, lockstep or pipelined. Core-local.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "course.hh"
#include "kurir/blast/letters.hh"
#include "kurir/blast/report.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/connect.hh"
#include "kurir/io/line_reader.hh"
#include "session_load.hh"

namespace kurir::blast {

class SmtpLoad final : public SessionLoad {
 public:
  SmtpLoad(const Options& options, const Letters& letters, Course& course, Report& report,
           unsigned ordinal)
      : options_(options), letters_(letters), course_(course), report_(report), ordinal_(ordinal) {}

  Task<void> run() override;
  void abort() override;

 private:
  using Turn = Course::Turn;
  // What a server said; 0: nothing, the connection is of no use any more.
  using Code = unsigned;

  Task<bool> open();
  Task<void> close();
  Task<bool> greet();
  Task<bool> say_hello();
  Task<bool> secure();
  Task<bool> start_tls();
  Task<bool> log_in();
  Task<void> send_messages(Turn first);
  Task<bool> send_message(const Turn& turn, const std::optional<Turn>& next);
  Task<bool> envelope(const Turn& turn);
  Task<bool> envelope_replies();
  Task<bool> content(const Turn& turn, const std::optional<Turn>& next);
  void write_envelope(const Turn& turn);
  Task<bool> content_replies();
  Task<void> due(const Turn& turn);
  Task<bool> reset();

  Task<Code> exchange(Stage stage, std::string_view line);
  Task<Code> reply();
  Task<bool> flush();
  void finish(const Turn& turn);
  void lose(const Error& error);
  void note(Stage stage, Instant since);

  const Options& options_;
  const Letters& letters_;
  Course& course_;
  Report& report_;
  const unsigned ordinal_;
  io::Connector connector_;
  std::unique_ptr<io::Stream> stream_;
  std::optional<io::LineReader> lines_;
  std::uint64_t logins_ = 0;       // of this session, so far
  Instant due_{};                  // of the message that is being sent
  bool envelope_is_sent_ = false;  // along with the message before it
  bool aborted_ = false;
  Code refusal_ = 0;    // of the message
  unsigned taken_ = 0;  // recipients of it that the server takes
  Code data_code_ = 0;
  unsigned lost_ = 0;  // what ended the connection within the message
};

}  // namespace kurir::blast
