#pragma once
// SMTP commands (RFC 5321 4.1.1, RFC 2033, 3030, 3207, 4954), parsed where they lie. A command's
// views look into the input and die with it: what outlives it is owned (path.own()). Any core.

#include <cstdint>
#include <optional>
#include <string_view>

#include "kurir/base/limits.hh"
#include "kurir/base/parsed.hh"
#include "kurir/wire/path.hh"
#include "kurir/wire/smtp_fault.hh"
#include "kurir/wire/smtp_parameters.hh"

namespace kurir::wire {

struct SmtpCommandOptions {
  std::size_t octets_max = limits::smtp_command_octets_max;    // line end included
  std::size_t auth_octets_max = limits::smtp_auth_octets_max;  // the same for AUTH
  SmtpParameterSet offered = SmtpParameterSet(SmtpParameter::size, SmtpParameter::body);
  bool utf8_transaction = false;  // MAIL gave SMTPUTF8: RCPT may use UTF-8. MAIL, VRFY and EXPN
                                  // ask for it with a parameter of their own.
};

struct BdatArgument {
  std::uint64_t chunk_octets = 0;  // they follow the line at once
  bool last = false;
};

struct AuthArgument {
  std::string_view mechanism;               // as written: compare ignoring case
  std::optional<std::string_view> initial;  // base64 as written; "=" is a response of no octets
};

struct SmtpCommand {
  SmtpVerb verb = SmtpVerb::noop;
  std::string_view line;      // the whole command without CRLF; untrusted, for logs
  std::string_view argument;  // all behind the verb: the name of EHLO, the text of VRFY, NOOP, HELP
  PathView path;              // MAIL, RCPT
  MailParameters mail;        // MAIL
  RcptParameters rcpt;        // RCPT
  BdatArgument bdat;          // BDAT
  AuthArgument auth;          // AUTH
};

// The command at the start of `input`; consumed counts its CRLF. Incomplete until the CRLF is
// there, except for faults that no further octet can mend.
Parsed<SmtpCommand, SmtpFault> parse_smtp_command(std::string_view input,
                                                  const SmtpCommandOptions& options = {});

// The name in upper case, for logs and replies; "?" for unknown.
std::string_view name_of(SmtpVerb verb);

}  // namespace kurir::wire
