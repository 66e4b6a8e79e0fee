#pragma once
// AliasExpansion: one alias to the accounts and remote addresses that its mail goes to. Used while
// a snapshot is built.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kurir/directory/snapshot.hh"

namespace kurir::directory {

// Depth first, so that targets keep the order in which they were written. An alias may name itself
// where a user has its name: that is the user's own mailbox beside other targets. Any other way
// back to an alias that is being expanded is a cycle.
class AliasExpansion {
 public:
  struct Place {
    std::uint32_t user;     // Snapshot::none: remote
    std::string_view text;  // the folder, or the remote address
  };
  using DirectTargets = std::vector<std::vector<std::string>>;

  AliasExpansion(const Snapshot& snapshot, const DirectTargets& direct_targets)
      : snapshot_(snapshot), direct_targets_(direct_targets) {}

  // False: broken (a cycle, over a bound, or a target that does not exist).
  bool expand(std::uint32_t alias);
  const std::vector<Place>& places() const { return places_; }

 private:
  bool visit(std::uint32_t alias, std::string_view folder);
  bool visit_target(std::uint32_t alias, std::string_view target, std::string_view folder);
  bool visit_local(std::uint32_t alias, Snapshot::Found found, std::string_view folder);
  bool add(Place place);
  bool is_being_expanded(std::uint32_t alias) const;

  const Snapshot& snapshot_;
  const DirectTargets& direct_targets_;
  std::vector<std::uint32_t> open_;  // from the alias asked for down to the one being visited
  std::vector<Place> places_;
  std::set<std::pair<std::uint32_t, std::string_view>> seen_;
  std::size_t visits_ = 0;
};

}  // namespace kurir::directory
