#pragma once
// A directory for tests: bob@example.test, account 7, password "secret"; and others, as asked.

#include <gtest/gtest.h>

#include <string>

#include "kurir/directory/password.hh"
#include "kurir/directory/scram_keys.hh"
#include "kurir/directory/snapshot.hh"

namespace kurir::test {

inline constexpr AccountId bob(7), alice(8), carol(9);

struct DirectoryOptions {
  std::uint64_t quota_octets = 0;  // of bob's
  bool with_others = false;        // alice@; carol@ is disabled; team@: bob, alice, elsewhere
  bool without_bob = false;
  AccountId bobs_account = bob;
};

inline directory::User make_user(AccountId id, std::string address) {
  static const std::string hash = *directory::hash_password("secret", "0123456789abcdef");
  directory::User user;
  user.id = id;
  user.address = std::move(address);
  user.password_hash = hash;
  static const std::string scram = *directory::make_scram_text("secret", "0123456789abcdef");
  user.scram = scram;
  return user;
}

inline Shared<const directory::Snapshot> bobs_directory(const DirectoryOptions& options = {}) {
  directory::SnapshotBuilder builder(1);
  EXPECT_TRUE(builder.add_domain("example.test"));
  directory::User bob_himself = make_user(options.bobs_account, "bob@example.test");
  bob_himself.quota_octets = options.quota_octets;
  if (!options.without_bob) {
    EXPECT_TRUE(builder.add_user(bob_himself));
  }
  if (options.with_others) {
    EXPECT_TRUE(builder.add_user(make_user(alice, "alice@example.test")));
    directory::User carol_herself = make_user(carol, "carol@example.test");
    carol_herself.disabled = true;
    EXPECT_TRUE(builder.add_user(carol_herself));
    for (const char* target : {"bob@example.test", "alice@example.test", "x@elsewhere.test"})
      EXPECT_TRUE(builder.add_alias("team@example.test", target));
    EXPECT_TRUE(builder.add_alias("loop@example.test", "loop@example.test"));
  }
  return *builder.build();
}

}  // namespace kurir::test
