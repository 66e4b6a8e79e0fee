#include "kurir/server/configuration.hh"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>

#include "keys.hh"
#include "kurir/io/file.hh"
#include "read_field.hh"
#include "shaping_examples.hh"
#include "shaping_sections.hh"

namespace kurir::server {
namespace {

constexpr std::size_t file_octets_max = 1 << 20;

// What is being loaded, and what was wrong with it so far.
class Loader {
 public:
  Configuration configuration;
  std::vector<ConfigurationFault> faults;
  toml::table section_settings;  // what settings said in sections about the way out

  void read_file(std::string_view toml, const std::string& path) {
    place_ = path;
    try {
      const toml::table table = toml::parse(toml, path);
      read_table(table, "");
    } catch (const toml::parse_error& error) {
      add_fault(error.source(), std::string(error.description()));
    }
    // A table has its keys in the order of the alphabet.
    std::ranges::sort(faults, {}, [](const ConfigurationFault& fault) {
      return std::pair(fault.line, fault.column);
    });
  }

  // "KEY=VALUE"
  void read_setting(const std::string& setting) {
    place_ = "--set " + setting;
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) return add_fault({}, "KEY=VALUE is expected");
    const std::string name = setting.substr(0, equals);
    const std::string text = setting.substr(equals + 1);
    const std::optional<toml::table> parsed = parse_value(text);
    const Key* key = find_key(name);
    if (key == nullptr) return read_section_setting(name, text, parsed);
    const toml::value<std::string> plain(text);
    const Field field = key->field(configuration);
    const bool is_text =
        std::holds_alternative<Text>(field) || std::holds_alternative<Choice>(field);
    // `hostname=1.test` is no TOML, `tls.minimum_version=1.3` is a number: both mean the text.
    const toml::node* node = parsed ? parsed->get("value") : nullptr;
    const bool as_it_is = node == nullptr || (is_text && !node->is_string());
    read_value(*key, as_it_is ? plain : *node, {});
  }

  void check_relations(const std::string& place) {
    place_ = place;
    if (!faults.empty()) return;
    for (std::string& text : broken_relations(configuration)) add_fault({}, std::move(text));
  }

 private:
  static std::optional<toml::table> parse_value(const std::string& text) {
    try {
      toml::table table = toml::parse("value = " + text);
      if (table.size() == 1) return table;
    } catch (const toml::parse_error&) {
      // A bare word.
    }
    return std::nullopt;
  }

  // KEY may have quotes, like TOML's: "slow.test".connection_limit
  void read_section_setting(const std::string& name, const std::string& text,
                            const std::optional<toml::table>& value) {
    toml::table table;
    try {
      table = toml::parse(name + " = 0");
    } catch (const toml::parse_error&) {
      return add_unknown(name, {});
    }
    toml::table* inner = &table;
    while (inner->size() == 1 && inner->begin()->second.is_table())
      inner = inner->begin()->second.as_table();
    if (inner->size() != 1) return add_unknown(name, {});
    const auto& top = table.begin()->first;
    if (!ShapingReader::takes(top.str())) return add_unknown(name, {});
    const std::string leaf(inner->begin()->first.str());
    if (value)
      inner->insert_or_assign(leaf, *value->get("value"));
    else
      inner->insert_or_assign(leaf, text);
    ShapingReader(configuration, place_, false, faults).read(top, table.begin()->second);
    merge(section_settings, table);
  }

  static void merge(toml::table& into, const toml::table& from) {
    for (const auto& [name, node] : from) {
      const toml::table* inner = node.as_table();
      toml::table* there = into[name.str()].as_table();
      if (inner != nullptr && there != nullptr)
        merge(*there, *inner);
      else
        into.insert_or_assign(name.str(), node);
    }
  }

  void read_table(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      const std::string full = prefix + std::string(name.str());
      if (prefix.empty() && ShapingReader::takes(name.str()))
        ShapingReader(configuration, place_, true, faults).read(name, node);
      else if (const Key* key = find_key(full))
        read_value(*key, node, node.source());
      else if (const toml::table* inner = node.as_table(); inner != nullptr && is_table(full))
        read_table(*inner, full + '.');
      else if (inner != nullptr && !inner->empty())
        read_unknown_table(*inner, full + '.');
      else
        add_unknown(full, name.source());
    }
  }

  // Each key is named, so that the nearest one is found for [smpt] too.
  void read_unknown_table(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      const std::string full = prefix + std::string(name.str());
      const toml::table* inner = node.as_table();
      if (inner != nullptr && !inner->empty())
        read_unknown_table(*inner, full + '.');
      else
        add_unknown(full, name.source());
    }
  }

  static bool is_table(const std::string& name) {
    return std::ranges::any_of(keys(),
                               [&](const Key& key) { return key.name.starts_with(name + '.'); });
  }

  void read_value(const Key& key, const toml::node& node, const toml::source_region& source) {
    const Field field = key.field(configuration);
    if (!read_field(field, configuration, node))
      add_fault(source, std::string(key.name) + " must be " + expected_value(field));
    configuration.origins[std::string(key.name)] =
        source.begin.line == 0 ? place_ : place_ + ':' + std::to_string(source.begin.line);
  }

  void add_unknown(const std::string& name, const toml::source_region& source) {
    std::string text = "unknown key " + name;
    std::string nearest = misplaced_limit(name);
    if (nearest.empty()) nearest = nearest_key(name);
    if (!nearest.empty()) text += "; did you mean " + nearest + "?";
    add_fault(source, std::move(text));
  }

  void add_fault(const toml::source_region& source, std::string text) {
    faults.push_back({place_, source.begin.line, source.begin.column, std::move(text)});
  }

  std::string place_;
};

Configured<Configuration> finish(Loader& loader, const std::vector<std::string>& settings,
                                 const std::string& place) {
  for (const std::string& setting : settings) loader.read_setting(setting);
  loader.check_relations(place);
  if (!loader.faults.empty()) return std::unexpected(std::move(loader.faults));
  return std::move(loader.configuration);
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

}  // namespace

std::string ConfigurationFault::message() const {
  if (line == 0) return place + ": " + text;
  return place + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + text;
}

std::string Configuration::origin_of(const std::string& key) const {
  const auto said = origins.find(key);
  return said == origins.end() ? "built in" : said->second;
}

Configured<Configuration> parse_configuration(std::string_view toml, const std::string& path,
                                              const std::vector<std::string>& settings) {
  Loader loader;
  loader.read_file(toml, path);
  const std::string folder = folder_of(path);
  const auto place = [&](std::string& named) {
    if (!named.empty() && !named.starts_with('/')) named.insert(0, folder);
  };
  place(loader.configuration.data);
  place(loader.configuration.tls.ca_file);
  place(loader.configuration.tls.client_ca_file);
  place(loader.configuration.auth.token_keys_file);
  place(loader.configuration.relay.certificate);
  place(loader.configuration.relay.private_key);
  std::ranges::for_each(loader.configuration.tls.certificates, place);
  std::ranges::for_each(loader.configuration.tls.private_keys, place);
  return finish(loader, settings, path);
}

Configured<Configuration> load_configuration(const std::string& path,
                                             const std::vector<std::string>& settings) {
  const auto text = io::read_file(path, file_octets_max);
  if (text) return parse_configuration(*text, path, settings);
  const char* why = text.error().code == Errc::not_found   ? "there is no such file"
                    : text.error().code == Errc::too_large ? "the file is too large"
                                                           : "the file cannot be read";
  return std::unexpected(std::vector<ConfigurationFault>{{path, 0, 0, why}});
}

Configured<Configuration> demo_configuration(const std::string& data, DemoPorts ports,
                                             const std::vector<std::string>& settings) {
  const auto loopback = [&](std::uint16_t port) {
    if (ports == DemoPorts::free) port = 0;
    return Configuration::Addresses{io::SocketAddress::ipv4({127, 0, 0, 1}, port)};
  };
  Loader loader;
  loader.configuration.data = data;
  loader.configuration.listen = {loopback(2525), loopback(2587), loopback(2465), loopback(2143),
                                 loopback(2993), loopback(2110), loopback(2995), {}};
  loader.configuration.auth.allow_plaintext = true;
  return finish(loader, settings, "demo");
}

Configured<std::string> default_file(const std::vector<std::string>& settings) {
  Loader loader;
  for (const std::string& setting : settings) loader.read_setting(setting);
  loader.check_relations("kurir.toml");
  if (!loader.faults.empty()) return std::unexpected(std::move(loader.faults));
  const auto is_set = [&](std::string_view name) {
    return std::ranges::any_of(settings, [&](const std::string& setting) {
      return setting.starts_with(std::string(name) + '=');
    });
  };
  std::string file =
      "# Kurir's configuration. Every key is here; what is commented out has the value shown, or "
      "is\n"
      "# an example.\n"
      "# `kurir check` tells what is wrong; `--set KEY=VALUE` overrides a key for one start.\n";
  std::string_view table;
  for (const Key& key : keys()) {
    const std::size_t dot = key.name.rfind('.');
    const std::string_view its_table =
        dot == std::string_view::npos ? std::string_view() : key.name.substr(0, dot);
    file += '\n';
    if (its_table != table) file += "[" + std::string(its_table) + "]\n\n";
    table = its_table;
    file += commented(key.comment);
    if (!is_set(key.name)) file += '#';
    file += std::string(key.name.substr(dot + 1)) + " = " +
            toml_value(key.field(loader.configuration)) + '\n';
  }
  return file + shaping_text(loader.configuration.shaping, loader.section_settings);
}

}  // namespace kurir::server
