#pragma once
// Places: where mail for an address goes in the end, after aliases. Any core; pure.

#include <string>
#include <string_view>
#include <vector>

#include "kurir/directory/snapshot.hh"

namespace kurir::directory {

struct Place {
  std::string address;  // canonical, with its subaddress; or as given, elsewhere
  bool is_local = false;
  friend bool operator==(const Place&, const Place&) = default;
};

// `resolved` is what the snapshot said of the address. Each place once. Empty: an unknown user, or
// a broken alias.
std::vector<Place> places_of(std::string_view address, const LocalRecipient& resolved);

}  // namespace kurir::directory
