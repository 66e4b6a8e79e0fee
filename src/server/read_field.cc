#include "read_field.hh"

#include <algorithm>
#include <optional>

#include "kurir/server/values.hh"

namespace kurir::server {
namespace {

bool assign(const Flag& flag, const toml::node& node) {
  const auto value = node.value_exact<bool>();
  if (value) *flag.value = *value;
  return value.has_value();
}

bool assign_bounded(std::uint64_t* place, std::optional<std::uint64_t> value, std::uint64_t min,
                    std::uint64_t max) {
  if (!value || *value < min || *value > max) return false;
  *place = *value;
  return true;
}

std::optional<std::uint64_t> natural(const toml::node& node) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value || *value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

bool assign(const Number& number, const toml::node& node) {
  return assign_bounded(number.value, natural(node), number.min, number.max);
}

bool assign(const Size& size, const toml::node& node) {
  const auto text = node.value_exact<std::string_view>();
  return assign_bounded(size.value, text ? parse_size(*text) : natural(node), size.min, size.max);
}

bool assign(const Duration& duration, const toml::node& node) {
  const auto text = node.value_exact<std::string_view>();
  const auto value = text ? parse_duration(*text) : std::nullopt;
  if (!value || *value < duration.min || *value > duration.max) return false;
  *duration.value = *value;
  return true;
}

bool assign(const Text& text, const toml::node& node) {
  const auto value = node.value_exact<std::string_view>();
  if (!value || !text.accepts(*value)) return false;
  *text.value = *value;
  return true;
}

// One address may stand without a list around it.
bool assign(const AddressList& list, const toml::node& node) {
  Configuration::Addresses addresses;
  const auto add = [&](const toml::node& element) {
    const auto text = element.value_exact<std::string_view>();
    const auto address =
        text ? io::SocketAddress::parse(*text) : fail(Errc::invalid, Origin::configuration);
    if (address) addresses.push_back(*address);
    return address.has_value();
  };
  const toml::array* array = node.as_array();
  if (array == nullptr && !add(node)) return false;
  if (array != nullptr)
    for (const toml::node& element : *array)
      if (!add(element)) return false;
  *list.value = std::move(addresses);
  return true;
}

// One word may stand without a list around it.
bool assign(const WordList& list, const toml::node& node) {
  std::vector<std::string> words;
  const auto add = [&](const toml::node& element) {
    const auto text = element.value_exact<std::string_view>();
    const bool is_good = text && list.accepts(*text);
    if (is_good) words.emplace_back(*text);
    return is_good;
  };
  const toml::array* array = node.as_array();
  if (array == nullptr && !add(node)) return false;
  if (array != nullptr)
    for (const toml::node& element : *array)
      if (!add(element)) return false;
  *list.value = std::move(words);
  return true;
}

bool assign(const PathList& list, const toml::node& node) {
  const auto is_path = [](std::string_view text) { return !text.empty() && !text.contains('\0'); };
  return assign(WordList{list.value, is_path, {}}, node);
}

bool assign(const RateField& field, const toml::node& node) {
  const auto text = node.value_exact<std::string_view>();
  const auto rate = text ? parse_rate(*text) : std::nullopt;
  if (!rate) return false;
  *field.value = *rate;
  return true;
}

}  // namespace

bool read_field(const Field& field, Configuration& configuration, const toml::node& node) {
  if (const Choice* choice = std::get_if<Choice>(&field)) {
    const auto text = node.value_exact<std::string_view>();
    const auto found = std::ranges::find(choice->names, text.value_or(""));
    if (found == choice->names.end()) return false;
    choice->set(configuration, static_cast<std::size_t>(found - choice->names.begin()));
    return true;
  }
  return std::visit(
      [&](const auto& typed) {
        if constexpr (std::is_same_v<std::decay_t<decltype(typed)>, Choice>)
          return false;
        else
          return assign(typed, node);
      },
      field);
}

}  // namespace kurir::server
