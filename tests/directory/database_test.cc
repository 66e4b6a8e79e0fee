#include "kurir/directory/database.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "kurir/base/limits.hh"

namespace kurir::directory {
namespace {

using ::testing::ElementsAre;

class DatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/kurir-directory-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    path_ = folder_ + "/directory.db";
    reopen();
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  void reopen() {
    database_.reset();
    auto opened = Database::open(path_);
    ASSERT_TRUE(opened);
    database_.emplace(std::move(*opened));
  }
  void run_sql(const char* sql) {
    sqlite3* connection = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &connection), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(connection, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(connection);
  }
  static Errc code(const auto& result) {
    EXPECT_FALSE(result.has_value());
    return result.has_value() ? Errc::closed : result.error().code;
  }
  AccountId add_user(std::string_view address) {
    return database_->add_user({address, {}}).value();
  }

  std::string folder_;
  std::string path_;
  std::optional<Database> database_;
};

constexpr std::string_view hash =
    "$y$j9T$k2XAnEHBqQ1Ct2aMXFKNa/$qdVSV23znpN3oRX4v17E59IodBxO1bzdFa3VKKRlE98";

TEST_F(DatabaseTest, is_private_and_survives_reopening) {
  struct stat status;
  for (const char* suffix : {"", "-wal", "-shm"}) {
    ASSERT_EQ(stat((path_ + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << suffix;
  }
  ASSERT_TRUE(database_->add_domain("Example.TEST"));
  reopen();
  EXPECT_THAT(database_->domains().value(), ElementsAre("example.test"));
}

TEST_F(DatabaseTest, newer_and_foreign_files_are_refused) {
  database_.reset();
  run_sql("PRAGMA user_version = 3");
  EXPECT_EQ(code(Database::open(path_)), Errc::unsupported);
  run_sql("PRAGMA user_version = 2; PRAGMA application_id = 1");
  EXPECT_EQ(code(Database::open(path_)), Errc::corrupt);
  const std::string other = folder_ + "/other.db";
  std::ofstream(other) << std::string(5000, 'x');
  EXPECT_EQ(code(Database::open(other)), Errc::corrupt);
  EXPECT_EQ(code(Database::open(folder_ + "/no/such.db")), Errc::not_found);
}

TEST_F(DatabaseTest, domains_and_their_aliases) {
  ASSERT_TRUE(database_->add_domain("b.test"));
  ASSERT_TRUE(database_->add_domain("a.test"));
  ASSERT_TRUE(database_->add_domain_alias("C.test", "A.test"));
  EXPECT_THAT(database_->domains().value(), ElementsAre("a.test", "b.test"));
  EXPECT_EQ(database_->domain_aliases().value().at(0).domain, "a.test");
  EXPECT_EQ(code(database_->add_domain("B.TEST")), Errc::exists);
  EXPECT_EQ(code(database_->add_domain("c.test")), Errc::exists);
  EXPECT_EQ(code(database_->add_domain_alias("b.test", "a.test")), Errc::exists);
  EXPECT_EQ(code(database_->add_domain_alias("d.test", "c.test")), Errc::not_found);
  EXPECT_EQ(code(database_->add_domain("x'; DROP TABLE domain;--")), Errc::invalid);
  EXPECT_EQ(code(database_->add_domain_alias("", "a.test")), Errc::invalid);
  EXPECT_EQ(code(database_->remove_domain("a.test")), Errc::refused);
  EXPECT_TRUE(database_->remove_domain_alias("c.test"));
  EXPECT_EQ(code(database_->remove_domain_alias("c.test")), Errc::not_found);
  EXPECT_TRUE(database_->remove_domain("a.test"));
  EXPECT_EQ(code(database_->remove_domain("a.test")), Errc::not_found);
}

TEST_F(DatabaseTest, users_are_added_changed_listed_and_removed) {
  ASSERT_TRUE(database_->add_domain("x.test"));
  ASSERT_TRUE(database_->add_domain("y.test"));
  const AccountId bob = database_->add_user({"Bob@X.test", hash, 5000}).value();
  const AccountId eve = add_user("eve@y.test");
  EXPECT_NE(bob, eve);
  EXPECT_EQ(code(database_->add_user({"bob@x.test", hash})), Errc::exists);
  EXPECT_EQ(code(database_->add_user({"bob@z.test", hash})), Errc::not_found);
  EXPECT_EQ(code(database_->add_user({"bob", hash})), Errc::invalid);
  EXPECT_EQ(code(database_->add_user({"joe@x.test", "plain text"})), Errc::invalid);
  EXPECT_EQ(code(database_->add_user({"joe@x.test", hash, ~std::uint64_t{0}})), Errc::invalid);
  User user = database_->user("BOB@x.test").value();
  EXPECT_EQ(user.id, bob);
  EXPECT_EQ(user.address, "bob@x.test");
  EXPECT_EQ(user.password_hash, hash);
  EXPECT_EQ(user.quota_octets, 5000u);
  EXPECT_FALSE(user.disabled);
  EXPECT_TRUE(database_->set_disabled("bob@x.test", true));
  EXPECT_TRUE(database_->set_quota("bob@x.test", Database::quota_octets_max));
  EXPECT_TRUE(database_->set_password_hash("bob@x.test", ""));
  user = database_->user("bob@x.test").value();
  EXPECT_TRUE(user.disabled);
  EXPECT_EQ(user.quota_octets, Database::quota_octets_max);
  EXPECT_EQ(user.password_hash, "");
  EXPECT_EQ(code(database_->set_disabled("no@x.test", true)), Errc::not_found);
  EXPECT_EQ(code(database_->set_quota("no@x.test", 1)), Errc::not_found);
  EXPECT_EQ(code(database_->set_password_hash("bob@x.test", "*")), Errc::invalid);
  EXPECT_EQ(database_->users().value().size(), 2u);
  EXPECT_EQ(database_->users("y.test").value().at(0).address, "eve@y.test");
  EXPECT_EQ(code(database_->user("a' OR 1=1--")), Errc::not_found);
  EXPECT_EQ(code(database_->remove_domain("x.test")), Errc::refused);
  EXPECT_TRUE(database_->remove_user("bob@x.test"));
  EXPECT_EQ(code(database_->remove_user("bob@x.test")), Errc::not_found);
}

TEST_F(DatabaseTest, account_ids_are_never_used_again) {
  ASSERT_TRUE(database_->add_domain("x.test"));
  const AccountId first = add_user("bob@x.test");
  ASSERT_TRUE(database_->remove_user("bob@x.test"));
  reopen();
  EXPECT_GT(add_user("bob@x.test"), first);
}

TEST_F(DatabaseTest, aliases_lead_to_what_exists) {
  ASSERT_TRUE(database_->add_domain("x.test"));
  ASSERT_TRUE(database_->add_domain_alias("xx.test", "x.test"));
  add_user("bob@x.test");
  EXPECT_TRUE(database_->add_alias("Sales@x.test", "Bob+Work@XX.test"));
  EXPECT_TRUE(database_->add_alias("sales@x.test", "Far@Remote.test"));
  EXPECT_EQ(code(database_->add_alias("sales@x.test", "bob+work@x.test")), Errc::exists);
  EXPECT_EQ(code(database_->add_alias("sales@x.test", "nobody@x.test")), Errc::not_found);
  EXPECT_EQ(code(database_->add_alias("sales@xx.test", "bob@x.test")), Errc::not_found);
  EXPECT_EQ(code(database_->add_alias("sales", "bob@x.test")), Errc::invalid);
  EXPECT_EQ(code(database_->add_alias("sales@x.test", "|sh")), Errc::invalid);
  const auto aliases = database_->aliases().value();
  ASSERT_EQ(aliases.size(), 1u);
  EXPECT_EQ(aliases[0].address, "sales@x.test");
  EXPECT_THAT(aliases[0].targets, ElementsAre("Bob+Work@x.test", "Far@remote.test"));
  EXPECT_TRUE(database_->aliases("y.test").value().empty());
  EXPECT_TRUE(database_->remove_alias("sales@x.test", "FAR@remote.test"));
  EXPECT_EQ(code(database_->remove_alias("sales@x.test", "far@remote.test")), Errc::not_found);
  EXPECT_TRUE(database_->remove_alias("sales@x.test", std::nullopt));
  EXPECT_EQ(code(database_->remove_alias("sales@x.test", std::nullopt)), Errc::not_found);
}

TEST_F(DatabaseTest, alias_cycles_are_refused_and_undone) {
  ASSERT_TRUE(database_->add_domain("x.test"));
  add_user("bob@x.test");
  ASSERT_TRUE(database_->add_alias("c@x.test", "bob@x.test"));
  ASSERT_TRUE(database_->add_alias("b@x.test", "c@x.test"));
  ASSERT_TRUE(database_->add_alias("a@x.test", "b@x.test"));
  EXPECT_EQ(code(database_->add_alias("c@x.test", "a+x@x.test")), Errc::refused);
  EXPECT_EQ(code(database_->add_alias("c@x.test", "c@x.test")), Errc::refused);
  EXPECT_TRUE(database_->add_alias("bob@x.test", "bob@x.test"));
  EXPECT_THAT(database_->aliases().value().at(3).targets, ElementsAre("bob@x.test"));
  const auto snapshot = database_->read_snapshot(1).value();
  EXPECT_EQ(snapshot->resolve("a@x.test").kind, Resolution::alias);
}

TEST_F(DatabaseTest, alias_chains_are_bounded) {
  ASSERT_TRUE(database_->add_domain("x.test"));
  add_user("level0@x.test");
  const auto level = [](std::size_t n) { return "level" + std::to_string(n) + "@x.test"; };
  for (std::size_t n = 1; n <= limits::alias_depth_max; ++n)
    ASSERT_TRUE(database_->add_alias(level(n), level(n - 1)));
  const std::size_t last = limits::alias_depth_max;
  EXPECT_EQ(code(database_->add_alias(level(last + 1), level(last))), Errc::refused);
}

TEST_F(DatabaseTest, nothing_that_an_alias_needs_is_removed) {
  ASSERT_TRUE(database_->add_domain("x.test"));
  ASSERT_TRUE(database_->add_domain("y.test"));
  add_user("bob@x.test");
  add_user("bob_1@x.test");
  add_user("eve@x.test");
  ASSERT_TRUE(database_->add_alias("folder@x.test", "Bob+Work@x.test"));
  ASSERT_TRUE(database_->add_alias("@y.test", "eve@x.test"));
  ASSERT_TRUE(database_->add_alias("any@x.test", "whoever@y.test"));
  EXPECT_EQ(code(database_->remove_user("bob@x.test")), Errc::refused);
  EXPECT_TRUE(database_->user("bob@x.test"));
  EXPECT_TRUE(database_->remove_user("bob_1@x.test"));
  EXPECT_EQ(code(database_->remove_alias("@y.test", std::nullopt)), Errc::refused);
  EXPECT_EQ(code(database_->remove_user("eve@x.test")), Errc::refused);
  ASSERT_TRUE(database_->remove_alias("any@x.test", std::nullopt));
  EXPECT_TRUE(database_->remove_alias("@y.test", std::nullopt));
  EXPECT_TRUE(database_->remove_user("eve@x.test"));
  ASSERT_TRUE(database_->add_alias("bob@x.test", "bob@x.test"));
  EXPECT_EQ(code(database_->remove_user("bob@x.test")), Errc::refused);
}

TEST_F(DatabaseTest, the_snapshot_has_it_all) {
  ASSERT_TRUE(database_->add_domain("z.test"));
  ASSERT_TRUE(database_->add_domain("a.test"));
  ASSERT_TRUE(database_->add_domain_alias("zz.test", "z.test"));
  const AccountId bob = database_->add_user({"bob@z.test", hash, 7}).value();
  ASSERT_TRUE(database_->add_alias("@a.test", "bob+A@z.test"));
  const auto snapshot = database_->read_snapshot(42).value();
  EXPECT_EQ(snapshot->domains(), 3u);
  EXPECT_EQ(snapshot->find_user("bob")->password_hash, hash);  // z.test came first
  EXPECT_EQ(snapshot->resolve("bob@zz.test").account.id, bob);
  const LocalRecipient any = snapshot->resolve("any@a.test");
  ASSERT_EQ(any.targets.size(), 1u);
  EXPECT_EQ(any.targets[0].account.quota_octets, 7u);
  EXPECT_EQ(any.targets[0].folder, "A");
}

TEST_F(DatabaseTest, two_connections_see_each_other) {
  auto other = Database::open(path_);
  ASSERT_TRUE(other);
  ASSERT_TRUE(database_->add_domain("x.test"));
  EXPECT_THAT(other->domains().value(), ElementsAre("x.test"));
  ASSERT_TRUE(other->add_user({"bob@x.test", hash}));
  EXPECT_TRUE(database_->user("bob@x.test"));
}

}  // namespace
}  // namespace kurir::directory
