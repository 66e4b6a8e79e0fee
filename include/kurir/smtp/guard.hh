#pragma once
// What a session asks about a stranger before it takes mail from him: the composition, which has
// the resolver and what cores share, answers. Nothing here is asked about users, and nothing but
// is_pressed() about trusted hosts. Core-local.

#include <optional>
#include <string>
#include <string_view>

#include "kurir/base/clock.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/address.hh"

namespace kurir::smtp {

struct GuardRefusal {
  unsigned code;
  std::string enhanced, text;
};

// Of a connection, as far as its address tells.
struct Acquaintance {
  std::string name;  // from the reverse DNS, confirmed forward; empty: none or not asked for
  std::optional<GuardRefusal> refusal;  // for every recipient
};

class Guard {
 public:
  virtual ~Guard() = default;
  virtual bool is_trusted(const io::SocketAddress& peer) const = 0;
  // Connections or memory run short: patience too.
  virtual bool is_pressed() const = 0;
  // How long a client is kept waiting for the greeting; who talks meanwhile is no mail server.
  virtual Nanoseconds greet_pause() const = 0;
  // Whether get_to_know() has anything to find out.
  virtual bool is_curious() const = 0;
  // Whether anything is asked at RCPT: most who run no checks pay nothing for them.
  virtual bool asks_at_recipients() const = 0;
  // Reverse DNS and block lists; ends within some seconds whatever name servers do.
  virtual Task<Acquaintance> get_to_know(io::SocketAddress peer) = 0;
  // The name in HELO or EHLO.
  virtual Task<std::optional<GuardRefusal>> check_hello(io::SocketAddress peer,
                                                        std::string name) = 0;
  // Greylisting: whether he should come again later with this.
  virtual Task<std::optional<GuardRefusal>> check_triplet(io::SocketAddress peer,
                                                          std::string sender,
                                                          std::string recipient) = 0;
};

}  // namespace kurir::smtp
