#include "kurir/sink/personality.hh"

#include <toml++/toml.h>

namespace kurir::sink {
namespace {

// Collects; the first fault counts.
class Reader {
 public:
  Reader(Options& options, const std::string& name) : options_(options), name_(name) {}

  void read(const toml::table& table) {
    for (const auto& [key, value] : table)
      if (key.str() == "domain") read_domains(value);
    for (const auto& [key, value] : table) read_key(key.str(), value);
  }
  const std::string& fault() const { return fault_; }

 private:
  void read_key(std::string_view key, const toml::node& value) {
    if (key == "domain") return;
    if (key == "rules") return read_rules(value, {});
    if (key == "greylist") {
      const auto wanted = value.is_boolean() ? value.value<bool>() : std::nullopt;
      if (wanted) options_.greylist = *wanted;
      return wanted ? void() : fail(value, "greylist is true or false");
    }
    const auto number = value.is_integer() ? value.value<std::int64_t>() : std::nullopt;
    const bool is_number = number && *number >= 0;
    if (key == "read_rate") {
      if (is_number) options_.octets_per_second = static_cast<std::uint64_t>(*number);
      return is_number ? void() : fail(value, "read_rate is a number of octets a second");
    }
    if (key == "seed") {
      if (is_number) options_.seed = static_cast<std::uint64_t>(*number);
      return is_number ? void() : fail(value, "seed is a number");
    }
    fail(value, "unknown key " + std::string(key) +
                    "; there are rules, domain, greylist, read_rate and seed");
  }

  void read_domains(const toml::node& value) {
    if (!value.is_table()) return fail(value, "domain is a table of domains");
    for (const auto& [domain, node] : *value.as_table()) {
      const toml::table* table = node.as_table();
      if (table == nullptr) return fail(node, "a domain is a table with rules");
      for (const auto& [key, rules] : *table) {
        if (key.str() != "rules") return fail(rules, "a domain has rules, no more");
        read_rules(rules, domain.str());
      }
    }
  }

  void read_rules(const toml::node& value, std::string_view domain) {
    const toml::array* array = value.as_array();
    if (array == nullptr) return fail(value, "rules is an array of texts");
    for (const toml::node& node : *array) {
      const auto text = node.value<std::string_view>();
      if (!text) return fail(node, "a rule is a text");
      auto rule = parse_rule(*text, domain);
      if (!rule) return fail(node, rule.error());
      options_.rules.push_back(std::move(*rule));
    }
  }

  void fail(const toml::node& node, const std::string& why) {
    if (fault_.empty())
      fault_ = name_ + ":" + std::to_string(node.source().begin.line) + ": " + why;
  }

  Options& options_;
  const std::string& name_;
  std::string fault_;
};

}  // namespace

std::expected<void, std::string> add_personality(Options& options, std::string_view toml,
                                                 const std::string& name) {
  toml::table parsed;
  try {
    parsed = toml::parse(toml);
  } catch (const toml::parse_error& error) {
    return std::unexpected(name + ":" + std::to_string(error.source().begin.line) + ": " +
                           std::string(error.description()));
  }
  Reader reader(options, name);
  reader.read(parsed);
  if (!reader.fault().empty()) return std::unexpected(reader.fault());
  return {};
}

}  // namespace kurir::sink
