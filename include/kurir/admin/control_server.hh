#pragma once
// ControlServer: the control socket (unix, mode 0600), by which commands reach the running server.
// A connection carries one command: one line in, one or more lines out, then it is closed.
//
//   {"command":"queue list","arguments":{"limit":0}}    a line, its LF included, of at most
//                                                       control_request_octets_max, within 10 s
//   {"more":true,"result":[...]}                        any number of these, for a large result,
//   {"ok":true,"result":...}                            then the last line: one of these two
//   {"ok":false,"error":"what to do about it"}
//
// The result of a command is what all lines hold, in their order; "arguments" may be left out.
// Some commands begin a session of another protocol: after the line {"ok":true,"result":null} the
// connection is theirs.
//
// Whoever may connect may command: the socket's mode and the directory it lies in decide.

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "kurir/base/intrusive_list.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/event.hh"
#include "kurir/coro/scope.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/socket.hh"

namespace kurir::admin {

struct Request;  // src/admin/request.hh

// What a command came to.
struct ControlOutcome {
  static ControlOutcome success(nlohmann::json result);
  static ControlOutcome failure(std::string error);  // a sentence for the one who commanded

  bool ok = false;
  nlohmann::json result;
  std::string error;
};

// Gives a large result in pieces. Lives as long as the handler's Task.
class ControlChunks {
 public:
  explicit ControlChunks(io::Stream& stream) : stream_(stream) {}
  // Sends a line before the last. Waits for a client that reads slowly; closed, timed_out: nobody
  // reads any more, the handler should end.
  Task<Result<void>> send(nlohmann::json piece);
  // The same of a piece that is JSON text already, UTF-8 without line ends.
  Task<Result<void>> send_text(std::string_view piece);

 private:
  io::Stream& stream_;
};

// Carries out one command. `arguments` is an object whose members may be of any type: nlohmann's
// get() throws on another than it expects, and what reaches a Task ends the process, so look first.
// A handler bounds its own waits.
using ControlHandler = std::function<Task<ControlOutcome>(
    std::string command, nlohmann::json arguments, ControlChunks& chunks)>;
using ControlHandlers = std::map<std::string, ControlHandler, std::less<>>;  // by command

// Talks to the client until it has ended. Asked to end by whoever made it: the server only cuts it
// off when it stops.
using ControlSession = std::function<Task<void>(nlohmann::json arguments, io::Stream& stream)>;
using ControlSessions = std::map<std::string, ControlSession, std::less<>>;  // by command

// Core-local: the core that opens it.
class ControlServer {
 public:
  // Takes the place of a socket that a dead process left; the caller holds the data directory's
  // lock. The folder's path may be as long as it likes; Errc::invalid: the socket's own name is too
  // long (107 octets at most for it and "/proc/self/fd/N/").
  static Result<std::unique_ptr<ControlServer>> open(std::string path, ControlHandlers handlers,
                                                     ControlSessions sessions = {});
  ~ControlServer();  // asserts that stop() was awaited

  // No new commands; who has not sent one yet is told so; commands that run are answered, and who
  // has not read the answer after `patience` is cut off. Then removes the socket. Waits for every
  // handler, so that none may await it.
  Task<void> stop(Nanoseconds patience = Seconds(5));

 private:
  struct Session;
  ControlServer(std::string path, ControlHandlers handlers, ControlSessions sessions,
                std::unique_ptr<io::Listener> listener);
  Task<void> accept_all();
  Task<void> serve(io::Descriptor descriptor);
  Task<void> refuse(io::Descriptor descriptor);
  Task<std::expected<Request, std::string>> read_request(Session& session);
  Task<ControlOutcome> carry_out(Session& session, Request request);
  Task<void> answer(Session& session);

  const std::string path_;
  const ControlHandlers handlers_;
  const ControlSessions session_handlers_;
  std::unique_ptr<io::Listener> listener_;
  IntrusiveList<Session> sessions_;
  std::size_t serving_ = 0, refusing_ = 0;
  bool stopping_ = false;
  Scope scope_;
};

}  // namespace kurir::admin
