#pragma once
// A listener and its sessions: accept, count, run, close. Core-local. Private to server/.

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "kurir/coro/scope.hh"
#include "kurir/io/socket.hh"
#include "kurir/observe/counters.hh"
#include "kurir/server/connections.hh"

namespace kurir::server {

struct FrontEndServices {
  ConnectionCounts& counts;
  Connections& connections;
  observe::Counters& counters;
};

// What of a front end differs by protocol, but for the session itself.
struct FrontEndNames {
  observe::Counter accepted, open;
  // What the line for a connection beyond the limits begins with; empty: it gets none.
  std::string_view refusal;
};

// Whose connections begin with a header of the PROXY protocol; no network: nobody's.
struct ProxiedFrom {
  std::vector<Network> networks;
  Nanoseconds timeout{};
};

// Serve is called as serve(io::Stream&, register) -> Task<void>: it makes the session, calls
// register(ask_to_end), again with each further session of the connection, and runs it; see
// front_ends.cc.
class FrontEnd {
 public:
  using Ended = std::function<void()>;
  using IsStranger = std::function<bool()>;
  // Where it is not said, nothing is lost with the session.
  struct Register {
    std::function<void(Ended, IsStranger)> enlist;
    void operator()(Ended ask_to_end, IsStranger is_stranger = [] { return true; }) const {
      enlist(std::move(ask_to_end), std::move(is_stranger));
    }
  };
  using Serve = std::function<Task<void>(io::Stream& stream, const Register& register_session)>;

  FrontEnd(std::unique_ptr<io::Listener> listener, FrontEndNames names, FrontEndServices services,
           Serve serve, ProxiedFrom proxied_from)
      : listener_(std::move(listener)),
        names_(names),
        services_(services),
        serve_(std::move(serve)),
        proxied_from_(std::move(proxied_from)) {}

  void start() { scope_.start(accept_all()); }
  // No new connections; those there are go on.
  Task<void> stop_listening() { co_await listener_->close(); }
  Task<void> join() { co_await scope_.join(); }

 private:
  Task<void> accept_all();
  Entry enter(const io::SocketAddress& peer);
  // Frames of their own: what these need must not lie in that of a connection that idles.
  [[gnu::noinline]] Task<bool> admit(io::Socket& socket);
  Task<void> refuse(io::Socket& socket, Entry entry) const;
  Task<void> serve_one(io::Descriptor descriptor);
  Task<bool> learn_client(io::Socket& socket);

  std::unique_ptr<io::Listener> listener_;
  FrontEndNames names_;
  FrontEndServices services_;
  Serve serve_;
  ProxiedFrom proxied_from_;
  Scope scope_;
};

}  // namespace kurir::server
