#pragma once
// Where a sink puts what it took, beside counting it: files (DumpFiles), mailboxes (the program's).

#include <string>
#include <string_view>
#include <vector>

#include "kurir/coro/task.hh"
#include "kurir/io/address.hh"

namespace kurir::sink {

// A message as it came; views of what the session holds.
struct Letter {
  const io::SocketAddress& client;
  std::string_view protocol;  // SMTP, ESMTP, LMTP
  std::string_view helo;      // what the client called itself; empty: nothing
  std::string_view sender;    // without brackets; empty: the null reverse path
  std::string_view mail_arguments;
  struct Recipient {
    std::string_view address, arguments;
  };
  std::vector<Recipient> recipients;  // that were accepted
  std::string_view content;           // CRLF line ends, no dot-stuffing
};

// One a core, core-local; outlives the sessions.
class Keeper {
 public:
  virtual ~Keeper() = default;
  // Asked at RCPT. False: 550.
  virtual bool takes(std::string_view address) const = 0;
  // False: it could not be kept; the client hears 451.
  virtual Task<bool> keep(const Letter& letter) = 0;
};

}  // namespace kurir::sink
