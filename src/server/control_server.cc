#include "control_server.hh"

#include "core_server.hh"
#include "kurir/io/file.hh"
#include "kurir/io/line_reader.hh"
#include "kurir/io/mesh.hh"
#include "kurir/io/offload.hh"
#include "kurir/server/directory_commands.hh"

namespace kurir::server {
namespace {

constexpr Nanoseconds request_timeout = Seconds(10);
constexpr std::size_t clients_max = 32;

}  // namespace

ControlServer::ControlServer(SharedState& shared, std::function<void()> stop)
    : shared_(shared), stop_(std::move(stop)) {}

Result<void> ControlServer::open() {
  const std::string path = control_socket_path(io::absolute_path(shared_.data.path()));
  Result<io::SocketAddress> address = io::SocketAddress::parse(path);
  if (!address) return std::unexpected(address.error());
  Result<std::unique_ptr<io::Listener>> listener = io::Listener::open(*address);
  if (!listener) return std::unexpected(listener.error());
  listener_ = std::move(*listener);
  scope_.start(accept_all());
  return {};
}

Task<void> ControlServer::close() {
  if (!listener_) co_return;
  co_await listener_->close();
  co_await connections_.end_all(deadline_in(Seconds(1)));
  co_await scope_.join();
  static_cast<void>(io::remove_file(control_socket_path(shared_.data.path())));
}

Task<void> ControlServer::accept_all() {
  for (;;) {
    const Result<io::Descriptor> descriptor = co_await listener_->accept();
    if (!descriptor) co_return;
    scope_.start(serve(*descriptor));
  }
}

Task<void> ControlServer::serve(io::Descriptor descriptor) {
  io::Socket socket(descriptor);
  std::string line;
  {
    Connection connection(socket, [&socket] { socket.wake(); });
    connections_.add(connection);
    if (scope_.running() > clients_max) {
      line = control_line(control_failure("too many commands at once; try again"));
    } else {
      line = co_await answer(socket);
    }
    connection.unlink();
    connections_.removed();
  }
  static_cast<void>(co_await socket.write(line, deadline_in(request_timeout)));
  co_await socket.close();
  if (std::exchange(stop_asked_, false)) stop_();
}

Task<std::string> ControlServer::answer(io::Stream& stream) {
  io::LineReader lines(stream, control_request_octets_max);
  const Deadline deadline = deadline_in(request_timeout);
  std::string_view line;
  io::LineReader::Found found = io::LineReader::Found::incomplete;
  while ((found = lines.next(control_request_octets_max, line)) == io::LineReader::Found::incomplete) {
    const Result<void> filled = co_await stream.fill(deadline);
    if (!filled) co_return control_line(control_failure("the request did not come whole"));
  }
  if (found != io::LineReader::Found::line) co_return control_line(control_failure("the request is too long"));
  std::optional<ControlRequest> request = parse_control_request(line);
  lines.done();
  if (!request) co_return control_line(control_failure("not a request: {\"command\":...,\"arguments\":{...}}"));
  const nlohmann::json result = co_await carry_out(std::move(*request));
  co_return control_line(result);
}

Task<nlohmann::json> ControlServer::carry_out(ControlRequest request) {
  const nlohmann::json& arguments = request.arguments;
  if (is_directory_command(request.command)) co_return co_await change_directory(std::move(request));
  if (request.command == "stop") {
    stop_asked_ = true;
    co_return control_success(nullptr);
  }
  if (request.command == "queue summary") co_return co_await queue_summary();
  if (request.command == "queue list") {
    const auto limit = arguments.contains("limit") && arguments["limit"].is_number_unsigned()
                           ? arguments["limit"].get<std::size_t>()
                           : 0;
    co_return co_await queue_list(limit);
  }
  if (request.command == "queue show" && arguments.contains("queue_id") && arguments["queue_id"].is_string())
    co_return co_await queue_show(arguments["queue_id"].get<std::string>());
  if (request.command == "queue remove" && arguments.contains("queue_ids") && arguments["queue_ids"].is_array()) {
    std::vector<std::string> ids;
    for (const nlohmann::json& id : arguments["queue_ids"])
      if (id.is_string()) ids.push_back(id.get<std::string>());
    co_return co_await queue_remove(std::move(ids));
  }
  co_return control_failure("the server does not know the command '" + request.command + "' with these arguments");
}

// The database blocks: on the offload pool, one command at a time. A change is seen by every core before it is answered.
Task<nlohmann::json> ControlServer::change_directory(ControlRequest request) {
  Shared<const directory::Snapshot> snapshot;
  const auto done = co_await io::offload([&] {
    const std::lock_guard lock(shared_.database_mutex);
    nlohmann::json result =
        handle_directory_command(shared_.database, request.command, request.arguments,
                                 {.quota_default = shared_.configuration.mailbox.quota_default});
    if (changes_directory(request.command) && result.value("ok", false)) {
      Result<Shared<const directory::Snapshot>> fresh = shared_.database.read_snapshot(shared_.hash_key);
      if (fresh) snapshot = std::move(*fresh);
      if (!fresh) result = control_failure("the change is stored, but the directory cannot be read anew");
    }
    return result;
  });
  if (!done) co_return control_failure("the server is busy; try again");
  if (snapshot) {
    for (CoreServer* server : shared_.servers)
      co_await io::on_core(server->core(), [server, &snapshot] { server->directory().replace(snapshot); });
  }
  co_return *done;
}

}  // namespace kurir::server
