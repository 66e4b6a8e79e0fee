#pragma once
// The command line of sendmail. Private to cli/.

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "location.hh"

namespace kurir::cli {

struct SendmailOptions {
  enum class Mode { send, list, smtp, flush };
  Mode mode = Mode::send;
  Location location;
  std::optional<std::string> sender;  // -f; "<>" and "" are the null one
  std::string full_name;              // -F
  std::string notify;                 // -N, as RFC 3461 has it
  bool reads_recipients = false;      // -t
  bool ignores_dots = false;          // -i
  std::vector<std::string> recipients;
};

// The error is a sentence about what cannot be done.
std::expected<SendmailOptions, std::string> parse_sendmail(std::span<char* const> arguments);

// What `mailq` and `sendmail -bp` print. The exit code.
int print_mailq(const Location& location);

}  // namespace kurir::cli
