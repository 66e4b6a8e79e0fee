#include "kurir/directory/places.hh"

#include <algorithm>

namespace kurir::directory {
namespace {

std::string with_folder(std::string_view account, std::string_view folder) {
  std::string text(account);
  if (!folder.empty()) text.insert(text.find('@'), "+" + std::string(folder));
  return text;
}

void add(std::vector<Place>& places, Place place) {
  if (std::ranges::find(places, place) == places.end()) places.push_back(std::move(place));
}

}  // namespace

std::vector<Place> places_of(std::string_view address, const LocalRecipient& resolved) {
  std::vector<Place> places;
  switch (resolved.kind) {
    case Resolution::not_local:
      places.push_back({std::string(address), false});
      break;
    case Resolution::account:
      places.push_back({with_folder(resolved.account.address, resolved.folder), true});
      break;
    case Resolution::alias:
      for (std::size_t index = 0; index < resolved.targets.size(); ++index) {
        const Target target = resolved.targets[index];
        const std::string_view folder = target.folder.empty() ? resolved.folder : target.folder;
        if (target.local)
          add(places, {with_folder(target.account.address, folder), true});
        else
          add(places, {std::string(target.remote), false});
      }
      break;
    case Resolution::unknown_user:
    case Resolution::broken_alias:
      break;
  }
  return places;
}

}  // namespace kurir::directory
