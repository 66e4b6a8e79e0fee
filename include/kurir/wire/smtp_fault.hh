#pragma once
// What can be wrong with an SMTP command, fine enough that each kind has its own reply. Any core.

#include <cstddef>
#include <cstdint>

#include "kurir/wire/address.hh"

namespace kurir::wire {

enum class SmtpVerb : std::uint8_t {
  mail,
  rcpt,
  data,
  bdat,
  ehlo,
  helo,
  lhlo,
  rset,
  noop,
  quit,
  auth,
  starttls,
  vrfy,
  expn,
  help,
  etrn,
  xclient,
  unknown,  // only in faults
};

enum class SmtpFaultKind : std::uint8_t {
  // The line's end is not known: close, or use LineSkipper. consumed is 0.
  bad_line_end,      // a bare LF or CR: 500 5.5.2
  nul,               // 500 5.5.2
  too_long,          // 500 5.5.2
  foreign_protocol,  // HTTP, TLS or SSH on this port: close
  // The line is known and consumed.
  unknown_verb,         // 500 5.5.2
  syntax,               // 501 5.5.4
  missing_argument,     // 501 5.5.4
  unexpected_argument,  // 501 5.5.4
  bad_parameter,        // 501 5.5.4: a value that its keyword does not take, or a keyword twice
  unknown_parameter,    // 555 5.5.4: not known, or not offered
  bad_address,          // 501 5.1.7 for MAIL, 5.1.3 else
  non_ascii,            // 550 5.6.7: 8-bit octets without SMTPUTF8, or not UTF-8
  local_part_too_long,  // 501 5.1.7, 5.1.3
  domain_too_long,      // 501 5.1.7, 5.1.3
  path_too_long,        // 501 5.1.7, 5.1.3
  bad_chunk_size,       // 501 5.5.4 and close: what follows BDAT cannot be told from commands
};

struct SmtpFault {
  SmtpFaultKind kind;
  SmtpVerb verb = SmtpVerb::unknown;
  std::size_t consumed = 0;  // octets of the faulty command, line end included; 0: not known

  bool line_is_lost() const { return kind <= SmtpFaultKind::foreign_protocol; }
};

SmtpFaultKind fault_kind_of(AddressFault fault);

}  // namespace kurir::wire
