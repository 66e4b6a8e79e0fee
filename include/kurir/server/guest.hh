#pragma once
// A guest: another program's part in a running server: a coroutine on every core that serves what
// it likes and hands over mail for the mailboxes. kurir-sink is one.

#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/ids.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/task.hh"
#include "kurir/server/configuration.hh"

namespace kurir::server {

// A message for local mailboxes; views of what the caller holds until it has been taken.
struct GuestMail {
  std::string_view reverse_path, helo, protocol;
  std::string peer_address;
  std::vector<std::string_view> recipients;
  std::string_view content;  // CRLF line ends, no dot-stuffing
};

// Mail for anybody: who is not there yet is made, with the guest's password. Core-local.
class Intake {
 public:
  virtual ~Intake() = default;
  // Whether the address is a user's, or may be one: a plain local part and domain, no alias.
  virtual bool takes(std::string_view address) const = 0;
  // Durable and to be seen in every recipient's mailbox when it returns. After a failure some of
  // them may have it. Errors: invalid (an address that it does not take), and those of the logs.
  virtual Task<Result<void>> take(const GuestMail& mail) = 0;
};

// Lives longer than the server.
class Guest {
 public:
  virtual ~Guest() = default;
  // crypt(5); of the users that its mail makes.
  virtual std::string password_hash() const = 0;
  // Before the cores start.
  virtual void prepare(unsigned cores) = 0;
  // On every core, once all of them serve; `listening` has the ports that were chosen. When it ends
  // on core 0 the server stops.
  virtual Task<void> run(CoreIndex core, Intake& intake,
                         const Configuration::Listen& listening) = 0;
  // The server stops: run() ends. Any core, more than once.
  virtual void ask_to_stop() = 0;
};

}  // namespace kurir::server
