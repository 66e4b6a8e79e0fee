#pragma once
// The filter that the arguments of a control command describe (control_protocol.hh). Pure. Private
// to server/.

#include <expected>
#include <nlohmann/json.hpp>
#include <string>

#include "kurir/queue/filter.hh"

namespace kurir::server {

// The error is a sentence for the one who commanded.
std::expected<queue::Filter, std::string> filter_of(const nlohmann::json& arguments);

std::string text_argument(const nlohmann::json& arguments, const char* name);
std::uint64_t number_argument(const nlohmann::json& arguments, const char* name,
                              std::uint64_t otherwise);
bool flag_argument(const nlohmann::json& arguments, const char* name);

}  // namespace kurir::server
