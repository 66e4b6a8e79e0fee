#include "queue_arguments.hh"

#include "kurir/server/values.hh"

namespace kurir::server {

std::string text_argument(const nlohmann::json& arguments, const char* name) {
  const auto value = arguments.find(name);
  const bool is_text = value != arguments.end() && value->is_string();
  return is_text ? value->get<std::string>() : std::string();
}

std::uint64_t number_argument(const nlohmann::json& arguments, const char* name,
                              std::uint64_t otherwise) {
  const auto value = arguments.find(name);
  const bool is_number = value != arguments.end() && value->is_number_unsigned();
  return is_number ? value->get<std::uint64_t>() : otherwise;
}

bool flag_argument(const nlohmann::json& arguments, const char* name) {
  const auto value = arguments.find(name);
  return value != arguments.end() && value->is_boolean() && value->get<bool>();
}

std::expected<queue::Filter, std::string> filter_of(const nlohmann::json& arguments) {
  queue::FilterText text;
  text.domain = text_argument(arguments, "domain");
  text.site = text_argument(arguments, "site");
  text.sender = text_argument(arguments, "sender");
  text.recipient = text_argument(arguments, "recipient");
  text.state = text_argument(arguments, "state");
  text.everything = flag_argument(arguments, "everything");
  const std::string age = text_argument(arguments, "older_than");
  if (!age.empty()) {
    text.older_than = parse_duration(age);
    if (!text.older_than) return std::unexpected("'" + age + "' is no time: 2h, 1d12h, 30m are");
  }
  const auto ids = arguments.find("queue_ids");
  if (ids != arguments.end() && ids->is_array())
    for (const nlohmann::json& id : *ids)
      if (id.is_string()) text.ids.push_back(id.get<std::string>());
  return queue::Filter::parse(text);
}

}  // namespace kurir::server
