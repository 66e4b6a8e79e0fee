#include "kurir/cli/control_client.hh"

#include "control_connection.hh"

namespace kurir::cli {
namespace {

// An array of arrays' elements.
void append(nlohmann::json& all, nlohmann::json&& more) {
  if (!all.is_array()) {
    all = std::move(more);
  } else if (more.is_array()) {
    for (nlohmann::json& element : more) all.push_back(std::move(element));
  }
}

}  // namespace

Result<nlohmann::json> ask_server(const std::string& data, const server::ControlRequest& request,
                                  const TakePiece& take) {
  Result<ControlConnection> connection = ControlConnection::open(data);
  if (!connection) return std::unexpected(connection.error());
  const Result<void> sent = connection->send(server::control_line(request));
  if (!sent) return std::unexpected(sent.error());
  nlohmann::json pieces;
  for (;;) {
    const Result<std::string> line = connection->receive_line(server::control_answer_octets_max);
    if (!line) return std::unexpected(line.error());
    auto answer = server::parse_control_answer(*line);
    if (!answer) return fail(Errc::io_failed, Origin::socket);
    nlohmann::json& result = (*answer)["result"];
    if (answer->contains("ok")) {
      if (!pieces.is_null() && (*answer)["ok"] == true) {
        append(pieces, std::move(result));
        result = std::move(pieces);
      }
      return std::move(*answer);
    }
    if (!take) {
      append(pieces, std::move(result));
    } else if (!take(result)) {
      return fail(Errc::cancelled, Origin::socket);
    }
  }
}

}  // namespace kurir::cli
