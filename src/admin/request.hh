#pragma once
// A request of the control socket. Pure; any core. Private to admin/.

#include <expected>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace kurir::admin {

struct Request {
  std::string command;
  nlohmann::json arguments;  // an object
};

// The error is a sentence for the one who sent it.
std::expected<Request, std::string> parse_request(std::string_view line);

// So much of a text that was sent as an error repeats.
std::string shown(std::string_view text);

}  // namespace kurir::admin
