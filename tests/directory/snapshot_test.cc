#include "kurir/directory/snapshot.hh"

#include <gtest/gtest.h>

#include <set>

#include "kurir/base/limits.hh"

namespace kurir::directory {
namespace {

class SnapshotTest : public ::testing::Test {
 protected:
  void domain(std::string_view name) { ASSERT_TRUE(builder_.add_domain(name)); }
  void user(std::uint64_t id, std::string address, bool disabled = false) {
    ASSERT_TRUE(
        builder_.add_user({AccountId(id), std::move(address), "$y$hash", 100 * id, disabled}));
  }
  void alias(std::string_view address, std::string_view target) {
    ASSERT_TRUE(builder_.add_alias(address, target));
  }
  void build() {
    auto built = builder_.build();
    ASSERT_TRUE(built);
    snapshot_ = std::move(*built);
  }
  // "account 2 'Folder'", "alias 1 2+Folder x@y", "unknown", "not local", "broken"
  std::string resolve(std::string_view address) const {
    const LocalRecipient found = snapshot_->resolve(address);
    switch (found.kind) {
      case Resolution::not_local:
        return "not local";
      case Resolution::unknown_user:
        return "unknown";
      case Resolution::broken_alias:
        return "broken";
      case Resolution::account:
        return "account " + std::to_string(found.account.id.value) + with(found.folder);
      case Resolution::alias:
        break;
    }
    std::string text = "alias";
    for (std::size_t at = 0; at < found.targets.size(); ++at) {
      const Target target = found.targets[at];
      text += ' ';
      text += target.local ? std::to_string(target.account.id.value) + with(target.folder)
                           : std::string(target.remote);
    }
    return text + with(found.folder);
  }
  static std::string with(std::string_view folder) {
    return folder.empty() ? "" : "+" + std::string(folder);
  }

  SnapshotBuilder builder_{0x1234567};
  Shared<const Snapshot> snapshot_;
};

TEST_F(SnapshotTest, an_empty_directory_knows_nobody) {
  build();
  EXPECT_EQ(resolve("bob@example.test"), "not local");
  EXPECT_EQ(resolve("postmaster"), "not local");
  EXPECT_FALSE(snapshot_->find_user("bob").has_value());
  EXPECT_FALSE(snapshot_->find_user("bob@example.test").has_value());
}

TEST_F(SnapshotTest, resolves_every_kind_of_address) {
  domain("example.test");
  domain("catch.test");
  domain("empty.test");
  ASSERT_TRUE(builder_.add_domain_alias("example.alias", "example.test"));
  user(1, "alice@example.test");
  user(2, "bob@example.test");
  user(3, "eve@catch.test");
  alias("sales@example.test", "alice@example.test");
  alias("sales@example.test", "bob@example.test");
  alias("sales@example.test", "alice@example.test");
  alias("away@example.test", "Bob.Far@remote.test");
  alias("bob+lists@example.test", "alice@example.test");
  alias("@catch.test", "eve@catch.test");
  alias("nested@example.test", "sales+Nested@example.test");
  alias("nested@example.test", "bob+Own@example.test");
  alias("viaalias@example.test", "bob@example.alias");
  alias("postmaster@catch.test", "bob@example.test");
  build();
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"alice@example.test", "account 1"},
      {"ALICE@Example.TEST", "account 1"},
      {"alice@example.test.", "account 1"},
      {"alice@example.alias", "account 1"},
      {"\"alice\"@example.test", "account 1"},
      {"\"al\\ice\"@example.test", "unknown"},
      {"\"\"@example.test", "unknown"},
      {"@example.test", "unknown"},
      {"alice", "not local"},
      {"", "not local"},
      {"alice@remote.test", "not local"},
      {"alice@sub.example.test", "not local"},
      {"alice@", "not local"},
      {"alice@example.test@remote.test", "not local"},
      {"v%remote.test@example.test", "unknown"},
      {"remote.test!v@example.test", "unknown"},
      {"\"v@remote.test\"@example.test", "unknown"},
      {"nobody@example.test", "unknown"},
      {"alice+Lists@example.test", "account 1+Lists"},
      {"alice+Lists+more@example.test", "account 1+Lists+more"},
      {"alice+@example.test", "account 1"},
      {"nobody+x@example.test", "unknown"},
      {"+x@example.test", "unknown"},
      {"bob+other@example.test", "account 2+other"},
      {"bob+lists@example.test", "alias 1"},
      {"sales@example.test", "alias 1 2"},
      {"sales+Work@example.test", "alias 1 2+Work"},
      {"away@example.test", "alias Bob.Far@remote.test"},
      {"nested@example.test", "alias 1+Nested 2+Nested 2+Own"},
      {"viaalias@example.test", "alias 2"},
      {"any.one@catch.test", "alias 3"},
      {"any+x@catch.test", "alias 3"},
      {"\"any \\\" one\"@catch.test", "alias 3"},
      {"eve@catch.test", "account 3"},
      {"postmaster", "account 1"},
      {"Postmaster@example.test", "account 1"},
      {"postmaster@example.alias", "account 1"},
      {"postmaster@catch.test", "alias 2"},
      {"POSTMASTER@empty.test", "account 1"},
      {"postmaster@remote.test", "not local"},
  };
  for (const auto& [address, expected] : rows) EXPECT_EQ(resolve(address), expected) << address;
  const std::string long_local(65, 'a');
  EXPECT_EQ(resolve(long_local + "@catch.test"), "unknown");
  EXPECT_EQ(resolve("a@" + std::string(300, 'b')), "not local");
}

TEST_F(SnapshotTest, an_alias_may_keep_a_copy_for_the_user_of_its_name) {
  domain("x.test");
  user(1, "bob@x.test");
  alias("bob@x.test", "bob@x.test");
  alias("bob@x.test", "copy@remote.test");
  alias("all@x.test", "bob@x.test");
  alias("self@x.test", "self@x.test");
  build();
  EXPECT_EQ(resolve("bob@x.test"), "alias 1 copy@remote.test");
  EXPECT_EQ(resolve("all@x.test"), "alias 1 copy@remote.test");
  EXPECT_EQ(resolve("self@x.test"), "broken");
}

TEST_F(SnapshotTest, an_alias_that_cannot_be_expanded_is_broken_as_a_whole) {
  domain("x.test");
  user(1, "bob@x.test");
  alias("a@x.test", "b@x.test");
  alias("b@x.test", "a@x.test");
  alias("b@x.test", "bob@x.test");
  alias("half@x.test", "bob@x.test");
  alias("half@x.test", "gone@x.test");
  alias("big@x.test", "u0@remote.test");
  for (std::size_t at = 1; at <= limits::alias_targets_max; ++at)
    alias("big@x.test", "u" + std::to_string(at) + "@remote.test");
  for (std::size_t at = 1; at < limits::alias_targets_max; ++at)
    alias("full@x.test", "u" + std::to_string(at) + "@remote.test");
  alias("full@x.test", "bob@x.test");
  alias("full@x.test", "bob@x.test");
  for (std::size_t level = 0; level < limits::alias_depth_max; ++level)
    alias("level" + std::to_string(level) + "@x.test",
          "level" + std::to_string(level + 1) + "@x.test");
  alias("level" + std::to_string(limits::alias_depth_max) + "@x.test", "bob@x.test");
  build();
  EXPECT_EQ(resolve("a@x.test"), "broken");
  EXPECT_EQ(resolve("b@x.test"), "broken");
  EXPECT_EQ(resolve("half@x.test"), "broken");
  EXPECT_EQ(resolve("big@x.test"), "broken");
  EXPECT_EQ(snapshot_->resolve("full@x.test").targets.size(), limits::alias_targets_max);
  EXPECT_EQ(resolve("level0@x.test"), "broken");
  EXPECT_EQ(resolve("level1@x.test"), "alias 1");
}

// Ten lists of ten lists each: every step costs, also those whose targets are all known already.
TEST_F(SnapshotTest, the_work_to_expand_an_alias_is_bounded) {
  domain("x.test");
  user(1, "bob@x.test");
  for (int level = 0; level < 8; ++level)
    for (int copy = 0; copy < 10; ++copy)
      alias("l" + std::to_string(level) + "@x.test",
            "l" + std::to_string(level + 1) + (copy % 2 == 0 ? "@x.test" : "+f@x.test"));
  alias("l8@x.test", "bob@x.test");
  build();
  EXPECT_EQ(resolve("l0@x.test"), "broken");
  EXPECT_EQ(resolve("l7@x.test"), "alias 1 1+f");
}

TEST_F(SnapshotTest, finds_users_for_login) {
  domain("example.test");
  domain("other.test");
  ASSERT_TRUE(builder_.add_domain_alias("example.alias", "example.test"));
  user(1, "alice@example.test", true);
  user(2, "alice@other.test");
  alias("list@example.test", "alice@example.test");
  build();
  const auto alice = snapshot_->find_user("Alice@EXAMPLE.test");
  ASSERT_TRUE(alice.has_value());
  EXPECT_EQ(alice->account.id, AccountId(1));
  EXPECT_EQ(alice->account.address, "alice@example.test");
  EXPECT_EQ(alice->account.quota_octets, 100u);
  EXPECT_TRUE(alice->account.disabled);
  EXPECT_EQ(alice->password_hash, "$y$hash");
  EXPECT_EQ(snapshot_->find_user("alice")->account.id, AccountId(1));
  EXPECT_EQ(snapshot_->find_user("alice@other.test")->account.id, AccountId(2));
  EXPECT_EQ(snapshot_->find_user("alice@example.alias")->account.id, AccountId(1));
  const std::string long_name(64 * 1024, 'a');
  for (const std::string_view name :
       {std::string_view("list@example.test"), std::string_view("alice+x@example.test"),
        std::string_view(""), std::string_view("@example.test"), std::string_view("%u%{env:HOME}"),
        std::string_view("a' OR 1=1--"), std::string_view("../.."), std::string_view(long_name),
        std::string_view("alice\0@example.test", 19), std::string_view("\xff\xfe@example.test"),
        std::string_view("postmaster")})
    EXPECT_FALSE(snapshot_->find_user(name).has_value()) << name.substr(0, 30);
}

TEST_F(SnapshotTest, refuses_what_may_not_be_stored) {
  domain("x.test");
  ASSERT_TRUE(builder_.add_domain_alias("y.test", "x.test"));
  user(1, "bob@x.test");
  EXPECT_EQ(builder_.add_domain("x.test").error().code, Errc::exists);
  EXPECT_EQ(builder_.add_domain("y.test").error().code, Errc::exists);
  EXPECT_EQ(builder_.add_domain("X.test").error().code, Errc::invalid);
  EXPECT_EQ(builder_.add_domain_alias("z.test", "y.test").error().code, Errc::not_found);
  EXPECT_EQ(builder_.add_user({AccountId(2), "bob@x.test", ""}).error().code, Errc::exists);
  EXPECT_EQ(builder_.add_user({AccountId(2), "bob@y.test", ""}).error().code, Errc::not_found);
  EXPECT_EQ(builder_.add_user({AccountId(2), "b+x@x.test", ""}).error().code, Errc::invalid);
  EXPECT_EQ(builder_.add_alias("a@z.test", "bob@x.test").error().code, Errc::not_found);
  EXPECT_EQ(builder_.add_alias("a@x.test", "|sh").error().code, Errc::invalid);
}

TEST_F(SnapshotTest, tables_hold_many_users) {
  domain("x.test");
  for (std::uint64_t id = 1; id <= 20000; ++id) user(id, "user" + std::to_string(id) + "@x.test");
  build();
  for (std::uint64_t id = 1; id <= 20000; ++id) {
    const auto found = snapshot_->find_user("user" + std::to_string(id));
    ASSERT_TRUE(found.has_value()) << id;
    ASSERT_EQ(found->account.id, AccountId(id));
  }
  EXPECT_FALSE(snapshot_->find_user("user20001").has_value());
  EXPECT_LT(snapshot_->memory_octets(), 20000u * 200);
}

}  // namespace
}  // namespace kurir::directory
