#pragma once
// Conversation: a peer's side of a connection, line by line. In the peers' process.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/io/connect.hh"
#include "kurir/io/socket.hh"

namespace kurir::sim {

class Conversation {
 public:
  explicit Conversation(std::unique_ptr<io::Stream> stream) : stream_(std::move(stream)) {}
  // Null where no connection is made.
  static Task<std::unique_ptr<Conversation>> open(io::SocketAddress to, io::SocketAddress from);

  Task<bool> say(std::string octets);
  // Without its CRLF; nothing at the connection's end or after patience().
  Task<std::optional<std::string>> line();
  // Exactly so many octets.
  Task<std::optional<std::string>> octets(std::size_t count);
  // An SMTP reply: its code, 0 where there is none.
  Task<unsigned> reply();
  Task<bool> hears(unsigned code);  // as the next reply
  // IMAP: what comes up to the line that begins with the tag, literals as they come.
  struct Tagged {
    bool is_ok = false;
    std::vector<std::string> lines;  // untagged ones; a literal stands behind the line before it
  };
  Task<std::optional<Tagged>> command(std::string tag, std::string text);
  Task<void> close();

  bool was_late() const { return was_late_; }  // the peer said nothing for patience()
  static constexpr Nanoseconds patience() { return std::chrono::minutes(30); }

 private:
  std::unique_ptr<io::Stream> stream_;
  bool was_late_ = false;
};

}  // namespace kurir::sim
