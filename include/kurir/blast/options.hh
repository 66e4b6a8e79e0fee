#pragma once
// What a load run is told. Plain values; the program's flags (tools/blast) and tests fill them in.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/io/address.hh"
#include "kurir/tls/tls_stream.hh"

namespace kurir::blast {

enum class Protocol : std::uint8_t { smtp, lmtp, imap, pop3 };

// What a session on a mailbox does, one after the other. POP3 knows login, retrieve and list.
enum class Operation : std::uint8_t {
  login,  // connects, logs in, selects INBOX, logs out
  select,
  fetch_flags,     // FETCH 1:* (FLAGS UID)
  fetch_envelope,  // FETCH 1:* (FLAGS UID ENVELOPE)
  fetch_body,      // one message, BODY.PEEK[]; POP3: RETR
  store,           // \\Flagged of one message
  search,          // SUBJECT
  append,          // one message
  idle,            // from an APPEND on another connection to EXISTS in IDLE
};
inline constexpr std::array<std::string_view, 9> operation_names = {
    "login",  "select", "fetch-flags", "fetch-envelope", "fetch-body", "store",
    "search", "append", "idle"};

// When the connections are encrypted: never, by STARTTLS (STLS), or from their first octet.
struct Encryption {
  enum class Begin : std::uint8_t { never, by_command, at_once };
  Begin begin = Begin::never;
  tls::ClientSide side;  // its context may be null where they never are
};

struct Weighted {
  std::string value;
  unsigned weight = 1;
};

struct Options {
  Protocol protocol = Protocol::smtp;
  io::SocketAddress server;
  unsigned cores = 0;                // 0: as many as the process may run on
  unsigned sessions = 1;             // at once
  std::uint64_t messages = 1;        // all sessions together; 0: until the duration is over
  Nanoseconds duration{};            // 0: until all messages are sent
  Nanoseconds warm_up{};             // what is sent so early is not measured
  std::uint64_t per_connection = 1;  // messages; 0: all that the session sends
  double rate = 0;          // messages a second to begin, whatever the server does; 0: as they go
  unsigned recipients = 1;  // of each message
  bool pipelining = false;  // MAIL, RCPT and DATA in one piece, the next message's with the dot
  bool chunking = false;    // BDAT instead of DATA
  std::string hello = "blast.test";
  std::string sender = "sender@blast.test";
  std::string recipient = "recipient@blast.test";  // "%d" in it: from 1 to users, in turns
  std::vector<Weighted> domains;                   // of the recipient, instead of its own
  bool number_recipients = false;                  // the message's number before the recipient
  std::vector<Weighted> sizes = {{"1024", 1}};     // of the body, in octets
  std::vector<std::string> messages_of;            // whole messages instead, as files hold them
  std::string user, password;  // AUTH PLAIN, or LOGIN; none where empty; "%d": from 1 to users
  unsigned users = 1;
  // Used in turns, instead of `user`.
  struct Login {
    std::string user, password;
  };
  std::vector<Login> logins;
  bool logs_in() const { return !user.empty() || !logins.empty(); }
  Login login(std::uint64_t turn) const;
  std::vector<std::pair<Operation, unsigned>> mix;  // of IMAP and POP3 sessions, with weights
  std::vector<io::SocketAddress> sources;           // to connect from, in turns
  Nanoseconds timeout = Seconds(60);                // for each reply
  Encryption encryption;
  std::uint64_t run_id = 0;    // in the messages' stamps
  bool show_progress = false;  // a line a second
};

}  // namespace kurir::blast
