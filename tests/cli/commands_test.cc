#include "kurir/cli/commands.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sysexits.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "kurir/directory/database.hh"
#include "kurir/directory/password.hh"
#include "kurir/io/file.hh"
#include "kurir/server/configuration.hh"

namespace kurir::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Runs commands as main() does, in a folder of its own, where no server runs.
class CommandsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/kurir-cli-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    data_ = folder_ + "/data";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  int run(std::vector<std::string> arguments) {
    int exit_code = EX_OK;
    CLI::App program("test", "kurir");
    program.require_subcommand(1);
    for (const auto add :
         {add_check, add_init, add_user, add_domain, add_alias, add_queue, add_stop})
      add(program, exit_code);
    std::ranges::reverse(arguments);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    try {
      program.parse(arguments);
    } catch (const CLI::ParseError& error) {
      exit_code = EX_USAGE;
    }
    output_ = testing::internal::GetCapturedStdout();
    errors_ = testing::internal::GetCapturedStderr();
    return exit_code;
  }
  // With --data.
  int on_data(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--data", data_});
    return run(arguments);
  }

  std::string folder_, data_, output_, errors_;
};

TEST_F(CommandsTest, the_directory_is_kept_without_a_server) {
  ASSERT_EQ(on_data({"domain", "add", "x.test"}), EX_OK) << errors_;
  EXPECT_EQ(output_, "x.test added\n");
  ASSERT_EQ(on_data({"domain", "add", "y.test", "--alias-of", "x.test"}), EX_OK);
  EXPECT_EQ(on_data({"domain", "list"}), EX_OK);
  EXPECT_EQ(output_, "DOMAIN  ALIAS OF\nx.test  \ny.test  x.test\n");
  ASSERT_EQ(on_data({"user", "add", "bob@x.test", "--password", "secret", "--quota", "1GB"}),
            EX_OK);
  EXPECT_EQ(on_data({"user", "list"}), EX_OK);
  EXPECT_EQ(output_, "USER        QUOTA  STATE\nbob@x.test  1GB    active\n");
  EXPECT_EQ(on_data({"user", "quota", "bob@x.test", "0"}), EX_OK);
  EXPECT_EQ(output_, "quota of bob@x.test is none\n");
  EXPECT_EQ(on_data({"user", "disable", "bob@x.test"}), EX_OK);
  EXPECT_EQ(on_data({"user", "list", "x.test", "--json"}), EX_OK);
  EXPECT_EQ(output_, "{\"address\":\"bob@x.test\",\"disabled\":true,\"id\":1,\"quota\":0}\n");
  EXPECT_EQ(on_data({"user", "enable", "bob@x.test"}), EX_OK);
  EXPECT_EQ(on_data({"alias", "add", "a@x.test", "bob@x.test", "far@remote.test"}), EX_OK);
  EXPECT_EQ(on_data({"alias", "list"}), EX_OK);
  EXPECT_EQ(output_, "ALIAS     TARGET\na@x.test  bob@x.test\na@x.test  far@remote.test\n");
  EXPECT_EQ(on_data({"alias", "remove", "a@x.test", "far@remote.test"}), EX_OK);
  EXPECT_EQ(on_data({"alias", "remove", "a@x.test"}), EX_OK);
  EXPECT_EQ(on_data({"user", "remove", "bob@x.test"}), EX_OK);
  EXPECT_EQ(on_data({"domain", "remove", "y.test"}), EX_OK);
  EXPECT_EQ(on_data({"domain", "remove", "x.test"}), EX_OK);
}

TEST_F(CommandsTest, passwords_are_stored_as_hashes) {
  ASSERT_EQ(on_data({"domain", "add", "x.test"}), EX_OK);
  ASSERT_EQ(on_data({"user", "add", "bob@x.test", "--password", "first"}), EX_OK);
  std::istringstream input("second\n");
  std::streambuf* before = std::cin.rdbuf(input.rdbuf());
  EXPECT_EQ(on_data({"user", "passwd", "bob@x.test"}), EX_OK) << errors_;
  EXPECT_EQ(on_data({"user", "passwd", "bob@x.test"}), EX_DATAERR);  // the end of the input
  EXPECT_THAT(errors_, HasSubstr("no password was given"));
  std::cin.rdbuf(before);
  std::cin.clear();
  auto database = directory::Database::open(data_ + "/directory.db").value();
  const std::string hash = database.user("bob@x.test").value().password_hash;
  EXPECT_THAT(hash, StartsWith("$y$"));
  EXPECT_EQ(directory::check_password("second", hash).value(), directory::PasswordCheck::match);
}

TEST_F(CommandsTest, what_fails_is_told_with_its_exit_code) {
  EXPECT_EQ(on_data({"user", "add", "bob@x.test", "--password", "p"}), EX_DATAERR);
  EXPECT_EQ(errors_, "kurir: the domain is not local: add it with `kurir domain add`\n");
  EXPECT_EQ(output_, "");
  EXPECT_EQ(on_data({"user", "quota", "bob@x.test", "much"}), EX_USAGE);
  EXPECT_EQ(on_data({"user"}), EX_USAGE);
  EXPECT_EQ(on_data({"frobnicate"}), EX_USAGE);
  EXPECT_EQ(on_data({"queue", "list"}), EX_UNAVAILABLE);
  EXPECT_EQ(errors_, "kurir: no server runs on " + data_ + "\n");
  EXPECT_EQ(on_data({"stop"}), EX_UNAVAILABLE);
  EXPECT_EQ(on_data({"user", "list", "--config", "x"}), EX_USAGE);  // not both
}

TEST_F(CommandsTest, a_locked_data_directory_is_left_alone) {
  ASSERT_EQ(on_data({"domain", "add", "x.test"}), EX_OK);
  const auto lock = io::FileLock::acquire(data_ + "/lock");
  ASSERT_TRUE(lock);
  EXPECT_EQ(on_data({"domain", "list"}), EX_TEMPFAIL);
  EXPECT_THAT(errors_, HasSubstr("does not answer"));
}

TEST_F(CommandsTest, a_configuration_is_written_checked_and_used) {
  const std::string file = folder_ + "/kurir.toml";
  ASSERT_EQ(run({"init", "--config", file, "--set", "hostname=mail.test", "--set",
                 "mailbox.quota_default=5MB"}),
            EX_OK)
      << errors_;
  EXPECT_THAT(output_, HasSubstr("kurir user add bob@example.org --config " + file));
  EXPECT_EQ(run({"init", "--config", file}), EX_CANTCREAT);
  EXPECT_EQ(run({"check", "--config", file}), EX_OK);
  EXPECT_EQ(run({"check", "--config", file, "--set", "cores=x"}), EX_CONFIG);
  EXPECT_THAT(errors_, StartsWith("--set cores=x: cores must be a number"));
  EXPECT_EQ(run({"check", "--config", file, "--set", "listen.smtp=[\"127.0.0.1:1\", '[::1]:2']",
                 "--set", "cores=2"}),
            EX_OK)
      << errors_;
  ASSERT_EQ(run({"domain", "add", "x.test", "--config", file}), EX_OK) << errors_;
  ASSERT_EQ(run({"user", "add", "bob@x.test", "--password", "p", "--config", file}), EX_OK);
  EXPECT_EQ(run({"user", "list", "--config", file}), EX_OK);
  EXPECT_THAT(output_, HasSubstr("bob@x.test  5MB"));
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/kurir-data/directory.db"));
  std::ofstream(file) << "hostnam = 'x'\n";
  EXPECT_EQ(run({"check", "--config", file}), EX_CONFIG);
  EXPECT_EQ(errors_, file + ":1:1: unknown key hostnam; did you mean hostname?\n");
  EXPECT_EQ(run({"user", "list", "--config", file}), EX_CONFIG);
  EXPECT_EQ(run({"init", "--config", file, "--force"}), EX_OK);
  EXPECT_EQ(run({"init", "--config", file, "--force", "--set", "no=1"}), EX_CONFIG);
}

TEST_F(CommandsTest, the_version_names_the_build) {
  EXPECT_THAT(version_text(), StartsWith("kurir "));
  EXPECT_THAT(version_text(), HasSubstr("io_uring: "));
}

}  // namespace
}  // namespace kurir::cli
