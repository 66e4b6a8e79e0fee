#include "kurir/server/directory_commands.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace kurir::server {
namespace {

using nlohmann::json;

class DirectoryCommandsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/kurir-commands-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    auto opened = directory::Database::open(folder_ + "/directory.db");
    ASSERT_TRUE(opened);
    database_.emplace(std::move(*opened));
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  json run(std::string_view command, const json& arguments = json::object()) {
    return handle_directory_command(*database_, command, arguments, {.quota_default = 700});
  }
  json result(std::string_view command, const json& arguments = json::object()) {
    const json answer = run(command, arguments);
    EXPECT_TRUE(answer["ok"]) << command << answer;
    return answer.value("result", json());
  }
  std::string error(std::string_view command, const json& arguments = json::object()) {
    const json answer = run(command, arguments);
    EXPECT_FALSE(answer["ok"]) << command << answer;
    return answer.value("error", "");
  }

  std::string folder_;
  std::optional<directory::Database> database_;
};

TEST_F(DirectoryCommandsTest, every_command_does_its_work) {
  result("domain add", {{"name", "X.test"}});
  result("domain add", {{"name", "y.test"}, {"alias_of", "x.test"}});
  EXPECT_EQ(result("domain list"),
            json::parse(R"([{"name":"x.test"},{"name":"y.test","alias_of":"x.test"}])"));
  EXPECT_GT(result("user add", {{"address", "bob@x.test"}, {"password_hash", ""}})["id"], 0);
  result("user add", {{"address", "eve@x.test"}, {"password_hash", ""}, {"quota", 0}});
  result("user passwd", {{"address", "bob@x.test"}, {"password_hash", ""}});
  result("user disable", {{"address", "bob@x.test"}});
  EXPECT_EQ(result("user list")[0]["disabled"], true);
  EXPECT_EQ(result("user list")[0]["quota"], 700);
  EXPECT_EQ(result("user list")[1]["quota"], 0);
  EXPECT_EQ(result("user list", {{"domain", "z.test"}}), json::array());
  result("user enable", {{"address", "bob@x.test"}});
  result("user quota", {{"address", "bob@x.test"}, {"quota", 9}});
  EXPECT_EQ(result("user list")[0]["disabled"], false);
  EXPECT_EQ(result("user list")[0]["quota"], 9);
  result("alias add", {{"address", "a@x.test"}, {"target", "bob@x.test"}});
  result("alias add", {{"address", "a@x.test"}, {"target", "far@remote.test"}});
  EXPECT_EQ(result("alias list", {{"domain", "x.test"}}),
            json::parse(R"([{"address":"a@x.test","targets":["bob@x.test","far@remote.test"]}])"));
  result("alias remove", {{"address", "a@x.test"}, {"target", "far@remote.test"}});
  result("alias remove", {{"address", "a@x.test"}});
  result("user remove", {{"address", "bob@x.test"}});
  result("user remove", {{"address", "eve@x.test"}});
  result("domain remove", {{"name", "y.test"}});
  result("domain remove", {{"name", "x.test"}});
  EXPECT_EQ(result("domain list"), json::array());
}

TEST_F(DirectoryCommandsTest, refusals_say_what_to_do) {
  using ::testing::HasSubstr;
  result("domain add", {{"name", "x.test"}});
  result("user add", {{"address", "bob@x.test"}, {"password_hash", ""}});
  result("alias add", {{"address", "a@x.test"}, {"target", "bob@x.test"}});
  struct Row {
    std::string_view command;
    json arguments;
    std::string text;
  };
  const Row rows[] = {
      {"domain add", {{"name", "a b"}}, "not a domain name"},
      {"domain add", {{"name", "x.test"}}, "there already"},
      {"domain add", {{"name", "y.test"}, {"alias_of", "z.test"}}, "not a local domain"},
      {"domain remove", {{"name", "x.test"}}, "still has users"},
      {"domain remove", {{"name", "z.test"}}, "no such domain"},
      {"user add", {{"address", "b@z.test"}, {"password_hash", ""}}, "kurir domain add"},
      {"user add", {{"address", "b+c@x.test"}, {"password_hash", ""}}, "without '+'"},
      {"user add", {{"address", "c@x.test"}, {"password_hash", "secret"}}, "crypt(5)"},
      {"user add", {{"address", "bob@x.test"}, {"password_hash", ""}}, "there already"},
      {"user add", {{"address", "c@x.test"}}, "argument password_hash must be a text"},
      {"user add", {{"address", 5}, {"password_hash", ""}}, "argument address must be a text"},
      {"user quota", {{"address", "bob@x.test"}, {"quota", -1}}, "argument quota must be a number"},
      {"user quota", {{"address", "bob@x.test"}}, "argument quota must be a number"},
      {"user remove", {{"address", "bob@x.test"}}, "an alias still leads"},
      {"user remove", {{"address", "c@x.test"}}, "no such user"},
      {"alias add", {{"address", "a@x.test"}, {"target", "a@x.test"}}, "back to itself"},
      {"alias add", {{"address", "a@x.test"}, {"target", "no@x.test"}}, "does not exist"},
      {"alias remove", {{"address", "b@x.test"}}, "no such alias"},
      {"user frobnicate", json::object(), "unknown command"},
      {"user list", json::array(), "must be an object"},
  };
  for (const Row& row : rows)
    EXPECT_THAT(error(row.command, row.arguments), HasSubstr(row.text)) << row.arguments;
  EXPECT_EQ(result("user list").size(), 1u);
}

TEST_F(DirectoryCommandsTest, commands_know_whether_they_change_something) {
  EXPECT_TRUE(is_directory_command("user list"));
  EXPECT_FALSE(is_directory_command("queue list"));
  EXPECT_TRUE(changes_directory("user add"));
  EXPECT_FALSE(changes_directory("user list"));
  EXPECT_FALSE(changes_directory("stop"));
}

}  // namespace
}  // namespace kurir::server
