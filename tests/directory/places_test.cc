// Aliases become recipients of their own: where mail for an address goes in the end.

#include "kurir/directory/places.hh"

#include <gtest/gtest.h>

namespace kurir::directory {
namespace {

Shared<const Snapshot> snapshot() {
  SnapshotBuilder builder(0x1234567);
  EXPECT_TRUE(builder.add_domain("here.test"));
  EXPECT_TRUE(builder.add_user({AccountId(1), "bob@here.test", "$y$hash", 0, false}));
  EXPECT_TRUE(builder.add_user({AccountId(2), "eve@here.test", "$y$hash", 0, false}));
  const std::pair<const char*, const char*> aliases[] = {
      {"team@here.test", "bob@here.test"},    {"team@here.test", "eve+team@here.test"},
      {"team@here.test", "x@elsewhere.test"}, {"all@here.test", "team@here.test"},
      {"all@here.test", "bob@here.test"},     {"out@here.test", "x@elsewhere.test"},
      {"loop@here.test", "loop@here.test"},
  };
  for (const auto& [address, target] : aliases) EXPECT_TRUE(builder.add_alias(address, target));
  auto built = builder.build();
  EXPECT_TRUE(built.has_value());
  return std::move(*built);
}

TEST(Places, of_an_address_after_aliases) {
  const struct {
    std::string_view address, places;  // "<" stands before what is local
  } rows[] = {
      {"bob@here.test", "<bob@here.test"},
      {"BOB@HERE.test", "<bob@here.test"},
      {"bob+Work@here.test", "<bob+Work@here.test"},
      {"X@elsewhere.test", "X@elsewhere.test"},
      {"x+y@elsewhere.test", "x+y@elsewhere.test"},
      {"out@here.test", "x@elsewhere.test"},
      {"out+folder@here.test", "x@elsewhere.test"},
      {"team@here.test", "<bob@here.test <eve+team@here.test x@elsewhere.test"},
      {"team+f@here.test", "<bob+f@here.test <eve+team@here.test x@elsewhere.test"},
      {"all@here.test", "<bob@here.test <eve+team@here.test x@elsewhere.test"},
      {"nobody@here.test", ""},
      {"loop@here.test", ""},
      {"postmaster@here.test", "<bob@here.test"},
  };
  const Shared<const Snapshot> names = snapshot();
  for (const auto& row : rows) {
    std::string places;
    for (const Place& place : places_of(row.address, names->resolve(row.address))) {
      if (!places.empty()) places += ' ';
      places += (place.is_local ? "<" : "") + place.address;
    }
    // The order is the snapshot's; each place once.
    EXPECT_EQ(places, row.places) << row.address;
  }
}

// What was accepted for a place goes to the account that the place names, and nowhere else.
TEST(Places, that_are_local_are_accounts) {
  const Shared<const Snapshot> names = snapshot();
  for (const char* address : {"team+f@here.test", "all@here.test", "bob+a.b@here.test"})
    for (const Place& place : places_of(address, names->resolve(address))) {
      const LocalRecipient resolved = names->resolve(place.address);
      EXPECT_EQ(resolved.kind == Resolution::account, place.is_local) << place.address;
      if (!place.is_local) continue;
      const std::vector<Place> again = places_of(place.address, resolved);
      EXPECT_EQ(again, std::vector<Place>{place});
    }
}

}  // namespace
}  // namespace kurir::directory
