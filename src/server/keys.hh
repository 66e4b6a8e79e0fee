#pragma once
// The table of keys: the one place that knows a key's name, its comment, its type and bounds, and
// where in Configuration it lies.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kurir/server/configuration.hh"

namespace kurir::server {

// A key's type, with the place of its value in one Configuration.
struct Flag {
  bool* value;
};
struct Number {
  std::uint64_t* value;
  std::uint64_t min, max;
};
struct Size {
  std::uint64_t* value;
  std::uint64_t min, max;
};
struct Duration {
  Nanoseconds* value;
  Nanoseconds min, max;
};
struct Text {
  std::string* value;
  bool (*accepts)(std::string_view);
  std::string_view expected;  // "a host name, like mail.example.org"
};
struct AddressList {
  Configuration::Addresses* value;
};
struct PathList {
  std::vector<std::string>* value;
};
// Words of a form of their own, one or a list.
struct WordList {
  std::vector<std::string>* value;
  bool (*accepts)(std::string_view);
  std::string_view expected;
};
// An enum's names in the order of its values.
struct Choice {
  std::span<const std::string_view> names;
  std::size_t now;
  void (*set)(Configuration&, std::size_t);
};
struct RateField {
  relay::Rate* value;
};
using Field = std::variant<Flag, Number, Size, Duration, Text, AddressList, PathList, WordList,
                           Choice, RateField>;

struct Key {
  std::string_view name;  // "smtp.recipients_max"; keys of one table stand together
  std::string_view comment;
  Field (*field)(Configuration&);
};

std::span<const Key> keys();
const Key* find_key(std::string_view name);
// What a mistyped name may have meant; empty: nothing is near.
std::string_view nearest_key(std::string_view name);

// "a duration, like 5m", for messages.
std::string expected_value(const Field& field);
// As a TOML string; as a TOML key, with quotes only where it needs them.
std::string quoted(std::string_view text);
std::string toml_key(std::string_view name);
// The lines of a text, each as a comment.
std::string commented(std::string_view text);
// The value as TOML.
std::string toml_value(const Field& field);

// Relations between keys; a text for each that does not hold.
std::vector<std::string> broken_relations(const Configuration& configuration);

}  // namespace kurir::server
