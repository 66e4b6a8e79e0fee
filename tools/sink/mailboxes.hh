#pragma once
// What a sink took, in mailboxes: the sink is a guest of Kurir's own server (server/guest.hh),
// which serves POP3 and IMAP.

#include "flags.hh"
#include "kurir/base/result.hh"
#include "kurir/sink/report.hh"

// An exit code of sysexits.h where the server could not run; the error is the sink's.
struct ServeOutcome {
  int exit_code = 0;
  kurir::Result<kurir::sink::Report> report;
};
ServeOutcome serve_mailboxes(const Flags& flags);
