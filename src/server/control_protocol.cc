#include "kurir/server/control_protocol.hh"

namespace kurir::server {
namespace {

// Octets that are no UTF-8 become U+FFFD, so that any text can be sent.
std::string line_of(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

std::optional<nlohmann::json> object_of(std::string_view line) {
  nlohmann::json value = nlohmann::json::parse(line, nullptr, false);
  if (!value.is_object()) return std::nullopt;
  return value;
}

}  // namespace

std::string control_socket_path(const std::string& data) { return data + "/control.sock"; }

std::string directory_database_path(const std::string& data) { return data + "/directory.db"; }

std::string control_line(const ControlRequest& request) {
  return line_of({{"command", request.command}, {"arguments", request.arguments}});
}

std::string control_line(const nlohmann::json& answer) { return line_of(answer); }

std::optional<ControlRequest> parse_control_request(std::string_view line) {
  if (line.size() > control_request_octets_max) return std::nullopt;
  const auto value = object_of(line);
  if (!value || !value->contains("command") || !(*value)["command"].is_string())
    return std::nullopt;
  ControlRequest request{(*value)["command"].get<std::string>(), nlohmann::json::object()};
  if (!value->contains("arguments")) return request;
  if (!(*value)["arguments"].is_object()) return std::nullopt;
  request.arguments = (*value)["arguments"];
  return request;
}

std::optional<nlohmann::json> parse_control_answer(std::string_view line) {
  auto value = object_of(line);
  if (value && value->value("more", nlohmann::json()) == true && value->contains("result"))
    return value;
  if (!value || !value->contains("ok") || !(*value)["ok"].is_boolean()) return std::nullopt;
  const bool ok = (*value)["ok"].get<bool>();
  if (ok ? !value->contains("result") : !value->contains("error") || !(*value)["error"].is_string())
    return std::nullopt;
  return value;
}

nlohmann::json control_success(nlohmann::json result) {
  return {{"ok", true}, {"result", std::move(result)}};
}

nlohmann::json control_failure(std::string_view error) { return {{"ok", false}, {"error", error}}; }

}  // namespace kurir::server
