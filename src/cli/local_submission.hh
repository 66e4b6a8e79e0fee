#pragma once
// The SMTP session of a local user, by the control socket. Blocking. Private to cli/.

#include <string>
#include <string_view>
#include <vector>

#include "control_connection.hh"
#include "spool.hh"

namespace kurir::cli {

// An exit code (sysexits) with what is to be said about it.
struct Failure {
  int exit_code = 0;
  std::string text;
};

struct SmtpAnswer {
  unsigned code = 0;   // 0: the server went away
  std::string text;    // of the last line, with the code
  std::string offers;  // all lines
};

class LocalSubmission {
 public:
  // Waits some seconds while the server has too many commands at once. The greeting and EHLO are
  // done when it returns.
  static std::expected<LocalSubmission, Failure> open(const std::string& data,
                                                      const std::string& user);

  const std::string& hostname() const { return hostname_; }  // the server's
  bool offers(std::string_view keyword) const;
  SmtpAnswer ask(const std::string& command);
  // The header, then the spool from `offset` on, dot-stuffed, and the end. The answer to it says
  // whether the server has it durably.
  SmtpAnswer send_content(const std::string& header, const Spool& spool, std::uint64_t offset);
  // Between the caller's standard input and output and the server, until one of them ends.
  static int relay_standard_streams(const std::string& data, const std::string& user);

 private:
  explicit LocalSubmission(ControlConnection connection) : connection_(std::move(connection)) {}
  static std::expected<ControlConnection, Failure> begin(const std::string& data,
                                                         const std::string& user);
  SmtpAnswer receive();

  ControlConnection connection_;
  std::string hostname_, offered_;
};

}  // namespace kurir::cli
