#include "request.hh"

#include "kurir/base/limits.hh"

namespace kurir::admin {

using nlohmann::json;

std::expected<Request, std::string> parse_request(std::string_view line) {
  bool is_too_deep = false;
  // What is too deep is dropped while it is read: neither a handler nor dump() recurses into it.
  const auto bound_depth = [&is_too_deep](int depth, json::parse_event_t, json&) {
    const bool is_fine = static_cast<std::size_t>(depth) <= limits::control_depth_max;
    is_too_deep = is_too_deep || !is_fine;
    return is_fine;
  };
  json value = json::parse(line, bound_depth, false);
  if (is_too_deep) return std::unexpected("the request is nested too deeply");
  if (value.is_discarded()) return std::unexpected("the request is not JSON");
  if (!value.is_object()) return std::unexpected("the request is not a JSON object");
  const auto command = value.find("command");
  if (command == value.end() || !command->is_string())
    return std::unexpected("the request has no \"command\" that is a text");
  Request request{command->get<std::string>(), json::object()};
  const auto arguments = value.find("arguments");
  if (arguments == value.end()) return request;
  if (!arguments->is_object()) return std::unexpected("\"arguments\" is not an object");
  request.arguments = std::move(*arguments);
  return request;
}

std::string shown(std::string_view text) {
  constexpr std::size_t octets_max = 100;
  std::string part(text.substr(0, octets_max));
  if (text.size() > octets_max) part += "...";
  return part;
}

}  // namespace kurir::admin
