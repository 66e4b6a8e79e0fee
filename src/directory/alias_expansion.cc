#include "alias_expansion.hh"

#include <algorithm>

#include "kurir/base/limits.hh"
#include "kurir/directory/address.hh"

namespace kurir::directory {

bool AliasExpansion::expand(std::uint32_t alias) {
  open_.clear();
  places_.clear();
  seen_.clear();
  visits_ = 0;
  return visit(alias, {});
}

bool AliasExpansion::visit(std::uint32_t alias, std::string_view folder) {
  if (open_.size() == limits::alias_depth_max || is_being_expanded(alias)) return false;
  open_.push_back(alias);
  for (const std::string& target : direct_targets_[alias])
    if (!visit_target(alias, target, folder)) return false;
  open_.pop_back();
  return true;
}

bool AliasExpansion::visit_target(std::uint32_t alias, std::string_view target,
                                  std::string_view folder) {
  if (++visits_ > limits::alias_visits_max) return false;
  const auto parts = split_address(target);
  KURIR_ASSERT(parts.has_value());
  const std::uint32_t domain = snapshot_.canonical_domain(parts->domain);
  if (domain == Snapshot::none) return add({Snapshot::none, target});
  const Snapshot::Found found = snapshot_.find(parts->local_part, snapshot_.domains_[domain]);
  // The folder nearest to the mailbox counts.
  return visit_local(alias, found, found.folder.empty() ? folder : found.folder);
}

bool AliasExpansion::visit_local(std::uint32_t alias, Snapshot::Found found,
                                 std::string_view folder) {
  switch (found.kind) {
    case Snapshot::Found::Kind::nothing:
      return false;
    case Snapshot::Found::Kind::user:
      return add({found.index, folder});
    case Snapshot::Found::Kind::alias:
      break;
  }
  if (found.index == alias) {
    const std::uint32_t user =
        snapshot_.user_named(snapshot_.text(snapshot_.aliases_[alias].address));
    return user != Snapshot::none && add({user, folder});
  }
  return visit(found.index, folder);
}

bool AliasExpansion::add(Place place) {
  if (!seen_.emplace(place.user, place.text).second) return true;
  if (places_.size() == limits::alias_targets_max) return false;
  places_.push_back(place);
  return true;
}

bool AliasExpansion::is_being_expanded(std::uint32_t alias) const {
  return std::ranges::find(open_, alias) != open_.end();
}

}  // namespace kurir::directory
