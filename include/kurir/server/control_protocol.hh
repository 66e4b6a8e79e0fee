#pragma once
// The control socket, DATA/control.sock (unix, mode 0600): how commands reach a running server. A
// client sends one line, a JSON object, and reads one or more lines back; then the server closes.
//
//   {"command":"user add","arguments":{"address":"bob@example.test", ...}}
//   {"more":true,"result":[...]}       any number of these: the first elements of a long array
//   {"ok":true,"result":...}           or  {"ok":false,"error":"what to do about it"}
//
// Commands about the directory: server/directory_commands.hh. The others, with their results:
//   stop            {}                  null; the answer comes when the server begins to stop
//   queue summary   {"limit":N,         {"messages","octets","recipients" and each state: numbers,
//                    "domain","site"}    "age_minutes":[...], "ages":[...], "oldest":T,
//                                        "domains_total":N, "domains":[{"domain","site",
//                                        "recipients", states, "ages", "oldest"},...],
//                                        "sites":[{"site","domains":N,...}]}; the largest come
//                                        first, `limit` of them (100); messages and octets are
//                                        those of the whole queue
//   queue list      filter, "limit":N   an array of messages in the order of arrival, 0: all. What
//                                        a list that long promises: queue/walk.hh
//   queue show      {"queue_id":ID}     one message, with "headers": the text of its header section
//   why             {"queue_id":ID}     {"queue_id","state","sender","arrival_time","expiry",
//                                        "max_age","recipients":[{"address","state","attempts",
//                                        "waits_for","site","last_reply","last_attempt",
//                                        "next_attempt"}]}
//   queue retry, hold, release, bounce, remove
//                   filter, "dry_run":B {"messages":N,"recipients":N,"busy":N,"dry_run":B}: what it
//                   "reason":TEXT        was done for, and what was in flight; durable by then
//   sendmail        {"user":NAME}       true in a line of its own; from then on the connection is
//                                        an SMTP session of a local user
// A filter: "domain", "site", "sender", "recipient" (patterns with *), "state", "older_than"
// ("2h"), "queue_ids":[...], or "everything":true (queue/filter.hh). A message has the fields of
// postqueue -j: queue_name, queue_id, arrival_time (seconds since 1970), message_size, sender,
// recipients: [{address, orig_address?, delay_reason?, ...}].

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace kurir::server {

inline constexpr std::size_t control_request_octets_max = 1 << 20;
inline constexpr std::size_t control_answer_octets_max = 64 << 20;  // a line

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
// nullopt: neither an answer of success nor of failure, nor a piece that has more behind it.
std::optional<nlohmann::json> parse_control_answer(std::string_view line);

nlohmann::json control_success(nlohmann::json result);
nlohmann::json control_failure(std::string_view error);

}  // namespace kurir::server
