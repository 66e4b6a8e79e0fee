#pragma once
// The queue's answers for people. Private to cli/.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace kurir::cli {

std::string time_text(std::int64_t seconds);  // since 1970, as local time
std::string wait_text(std::int64_t seconds);  // "1h30m"

// A row for each recipient; with a heading, where it is the first piece.
std::vector<std::vector<std::string>> list_rows(const nlohmann::json& messages, bool with_heading);
std::string message_text(const nlohmann::json& message);
// by: "domain", "site", "state", "age"
std::string summary_text(const std::string& by, const nlohmann::json& summary);
std::string order_text(const std::string& order, const nlohmann::json& result);
std::string why_text(const nlohmann::json& explained);

}  // namespace kurir::cli
