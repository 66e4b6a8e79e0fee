#pragma once
// The control socket, DATA/control.sock (unix, mode 0600): how commands reach a running server. A
// client sends one line, a JSON object, and reads one line back; then the server closes.
//
//   {"command":"user add","arguments":{"address":"bob@example.test", ...}}
//   {"ok":true,"result":...}        or  {"ok":false,"error":"what to do about it"}
//
// Commands about the directory: server/directory_commands.hh. The others, with their results:
//   stop            {}                  null; the answer comes when the server begins to stop
//   queue summary   {}                  {"messages":N,"recipients":N,"octets":N,
//                                        "domains":[{"domain":D,"recipients":N},...]}
//   queue list      {"limit":N}         an array of messages, oldest first, 0: all
//   queue show      {"queue_id":ID}     one message, with "headers": the text of its header section
//   queue remove    {"queue_ids":[...]} {"removed":N}
// A message has the fields of postqueue -j: queue_name, queue_id, arrival_time (seconds since
// 1970), message_size, sender, recipients: [{address, orig_address?, delay_reason?}].

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace kurir::server {

inline constexpr std::size_t control_request_octets_max = 1 << 20;
inline constexpr std::size_t control_answer_octets_max = 1 << 30;

std::string control_socket_path(const std::string& data);
std::string directory_database_path(const std::string& data);

struct ControlRequest {
  std::string command;
  nlohmann::json arguments = nlohmann::json::object();
};

// One line, its end included.
std::string control_line(const ControlRequest& request);
std::string control_line(const nlohmann::json& answer);
// nullopt: not a request.
std::optional<ControlRequest> parse_control_request(std::string_view line);
// nullopt: neither an answer of success nor of failure.
std::optional<nlohmann::json> parse_control_answer(std::string_view line);

nlohmann::json control_success(nlohmann::json result);
nlohmann::json control_failure(std::string_view error);

}  // namespace kurir::server
