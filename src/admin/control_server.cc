#include "kurir/admin/control_server.hh"

#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"
#include "kurir/io/file.hh"
#include "kurir/io/line_reader.hh"
#include "kurir/io/offload.hh"
#include "request.hh"

namespace kurir::admin {
namespace {

using nlohmann::json;

constexpr Nanoseconds request_time = Seconds(10);
constexpr Nanoseconds answer_time = Seconds(30);  // for each line

constexpr std::string_view stopping_text = "the server is stopping";
constexpr std::string_view too_many_text = "too many commands at once; try again";
constexpr std::string_view too_long_text = "the request is longer than 1 MiB";
constexpr std::string_view too_late_text = "no whole request came within 10 seconds";
constexpr std::string_view not_whole_text = "the request ended before its line did";

// Octets that are no UTF-8 become U+FFFD: a result may hold what a peer once sent.
std::string line_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

std::string line_of(const ControlOutcome& outcome) {
  json line = json::object();
  line["ok"] = outcome.ok;
  if (outcome.ok) {
    line["result"] = outcome.result;
  } else {
    line["error"] = outcome.error;
  }
  return line_of(line);
}

ControlOutcome failure(std::string_view error) {
  return ControlOutcome::failure(std::string(error));
}

}  // namespace

ControlOutcome ControlOutcome::success(json result) {
  ControlOutcome outcome;
  outcome.ok = true;
  outcome.result = std::move(result);
  return outcome;
}

ControlOutcome ControlOutcome::failure(std::string error) {
  ControlOutcome outcome;
  outcome.error = std::move(error);
  return outcome;
}

Task<Result<void>> ControlChunks::send(json piece) {
  json line = json::object();
  line["more"] = true;
  line["result"] = std::move(piece);
  const std::string octets = line_of(line);
  co_return co_await stream_.write(octets, deadline_in(answer_time));
}

Task<Result<void>> ControlChunks::send_text(std::string_view piece) {
  std::string line = "{\"more\":true,\"result\":";
  line += piece;
  line += "}\n";
  co_return co_await stream_.write(line, deadline_in(answer_time));
}

struct ControlServer::Session : ListLink {
  explicit Session(io::Descriptor descriptor) : socket(descriptor) {}
  io::Socket socket;
  bool has_commanded = false;  // and is answered, even while we stop
};

Result<std::unique_ptr<ControlServer>> ControlServer::open(std::string path,
                                                           ControlHandlers handlers,
                                                           ControlSessions sessions) {
  io::SocketAddress address = io::SocketAddress::unix_path(path);
  Result<std::unique_ptr<io::Listener>> listener = io::Listener::open(address);
  if (!listener) return std::unexpected(listener.error());
  std::unique_ptr<ControlServer> server(new ControlServer(
      std::move(path), std::move(handlers), std::move(sessions), std::move(*listener)));
  server->scope_.start(server->accept_all());
  return server;
}

ControlServer::ControlServer(std::string path, ControlHandlers handlers, ControlSessions sessions,
                             std::unique_ptr<io::Listener> listener)
    : path_(std::move(path)),
      handlers_(std::move(handlers)),
      session_handlers_(std::move(sessions)),
      listener_(std::move(listener)) {}

ControlServer::~ControlServer() { KURIR_ASSERT(scope_.running() == 0); }

Task<void> ControlServer::accept_all() {
  for (;;) {
    const Result<io::Descriptor> descriptor = co_await listener_->accept();
    if (!descriptor) co_return;
    if (serving_ < limits::control_connections_max) {
      ++serving_;
      scope_.start(serve(*descriptor));
    } else if (refusing_ < limits::control_refusals_max) {
      ++refusing_;
      scope_.start(refuse(*descriptor));
    } else {
      io::Socket unheard(*descriptor);
      co_await unheard.close();
    }
  }
}

Task<void> ControlServer::serve(io::Descriptor descriptor) {
  Session session(descriptor);
  sessions_.push_back(session);
  co_await answer(session);
  session.unlink();
  --serving_;
  co_await session.socket.close();
}

// What has come is taken in first, so that the close does not look like a reset.
Task<void> ControlServer::refuse(io::Descriptor descriptor) {
  io::Socket socket(descriptor);
  static_cast<void>(co_await socket.poll());
  const std::string line = line_of(failure(too_many_text));
  static_cast<void>(co_await socket.write(line, deadline_in(answer_time)));
  co_await socket.close();
  --refusing_;
}

Task<void> ControlServer::answer(Session& session) {
  std::expected<Request, std::string> request = co_await read_request(session);
  ControlOutcome outcome = ControlOutcome::success(nullptr);
  auto talk = session_handlers_.end();
  if (!request) {
    outcome = ControlOutcome::failure(std::move(request.error()));
  } else if (talk = session_handlers_.find(request->command); talk == session_handlers_.end()) {
    outcome = co_await carry_out(session, std::move(*request));
  }
  const std::string line = line_of(outcome);
  // Who does not wait for the answer does not get it.
  const Result<void> told = co_await session.socket.write(line, deadline_in(answer_time));
  if (!told || talk == session_handlers_.end()) co_return;
  session.has_commanded = true;
  Task<void> talking = talk->second(std::move(request->arguments), session.socket);
  co_await std::move(talking);
}

Task<std::expected<Request, std::string>> ControlServer::read_request(Session& session) {
  io::LineReader lines(session.socket, limits::control_request_octets_max);
  const Deadline deadline = deadline_in(request_time);
  std::string_view line;
  for (;;) {
    if (stopping_) co_return std::unexpected(std::string(stopping_text));
    const io::LineReader::Found found = lines.next(limits::control_request_octets_max, line);
    if (found == io::LineReader::Found::line) break;
    if (found != io::LineReader::Found::incomplete)
      co_return std::unexpected(std::string(too_long_text));
    const Result<void> filled = co_await session.socket.fill(deadline);
    if (filled || filled.error().code == Errc::interrupted) continue;
    const bool is_late = filled.error().code == Errc::timed_out;
    co_return std::unexpected(std::string(is_late ? too_late_text : not_whole_text));
  }
  std::expected<Request, std::string> request = parse_request(line);
  lines.done();
  co_return request;
}

Task<ControlOutcome> ControlServer::carry_out(Session& session, Request request) {
  const auto handler = handlers_.find(request.command);
  if (handler == handlers_.end())
    co_return ControlOutcome::failure("unknown command \"" + shown(request.command) + '"');
  session.has_commanded = true;
  ControlChunks chunks(session.socket);
  Task<ControlOutcome> handling =
      handler->second(std::move(request.command), std::move(request.arguments), chunks);
  co_return co_await std::move(handling);
}

Task<void> ControlServer::stop(Nanoseconds patience) {
  stopping_ = true;
  co_await listener_->close();
  sessions_.for_each([](Session& session) {
    if (!session.has_commanded) session.socket.wake();
  });
  const Woken woken = co_await scope_.join(deadline_in(patience));
  if (woken == Woken::by_deadline) {
    sessions_.for_each([](Session& session) { session.socket.abort(); });
    co_await scope_.join();
  }
  const auto remove = [this] { return io::remove_file(path_); };
  auto removal = io::offload(remove);
  static_cast<void>(co_await removal);  // one that stays is replaced at the next start
}

}  // namespace kurir::admin
