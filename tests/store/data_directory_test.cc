#include "kurir/store/data_directory.hh"

#include <gtest/gtest.h>

#include <filesystem>

#include "support.hh"

namespace kurir::store {
namespace {

class DataDirectories : public ::testing::Test {
 protected:
  Result<DataDirectory> open(std::uint64_t new_instance = 0xabc, bool create = true) {
    return DataDirectory::open(data, {.create = create, .new_instance = new_instance});
  }
  Errc error_of_open() {
    const Result<DataDirectory> opened = open();
    return opened ? Errc{} : opened.error().code;
  }
  test::TemporaryDirectory parent;
  std::string data = parent.path() + "/data";
};

TEST_F(DataDirectories, one_is_made_and_opened_again) {
  EXPECT_EQ(open(1, false).error().code, Errc::not_found);
  {
    const Result<DataDirectory> made = open(0xabc);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->instance(), 0xabcU);
    EXPECT_EQ(made->epoch(), 1U);
    EXPECT_EQ(made->shard_directory(ShardIndex(3)).value_or(""), data + "/shard-03");
    EXPECT_EQ(made->shards_present().value_or(0), 4U);
  }
  const Result<DataDirectory> again = open(0xdef);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->instance(), 0xabcU);
  EXPECT_EQ(again->epoch(), 2U);
}

TEST_F(DataDirectories, a_second_user_is_refused) {
  const Result<DataDirectory> first = open();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(error_of_open(), Errc::busy);
}

TEST_F(DataDirectories, an_inspecting_tool_counts_no_start) {
  ASSERT_TRUE(open().has_value());
  const Result<DataDirectory> looked =
      DataDirectory::open(data, {.create = false, .count_start = false});
  ASSERT_TRUE(looked.has_value());
  EXPECT_EQ(looked->epoch(), 1U);
}

TEST_F(DataDirectories, a_newer_format_is_refused) {
  ASSERT_TRUE(open().has_value());
  test::write_octets(data + "/format", "kurir-data 2\n");
  EXPECT_EQ(error_of_open(), Errc::unsupported);
}

TEST_F(DataDirectories, damaged_files_are_refused) {
  for (const char* name : {"format", "instance", "epoch"}) {
    for (const char* content : {"", "x", "x\n", "12", "kurir-data \n", "-000000000000001\n"}) {
      std::filesystem::remove_all(data);
      ASSERT_TRUE(open().has_value());
      test::write_octets(data + "/" + name, content);
      const Errc code = error_of_open();
      EXPECT_TRUE(code == Errc::corrupt || code == Errc::invalid) << name << " " << content;
    }
  }
}

TEST_F(DataDirectories, an_emptied_disk_is_refused) {
  ASSERT_TRUE(open().has_value());
  for (const auto& entry : std::filesystem::directory_iterator(data))
    std::filesystem::remove_all(entry.path());
  std::filesystem::create_directory(data + "/lost+found");
  EXPECT_EQ(error_of_open(), Errc::not_found);
  std::filesystem::remove(data + ".marker");
  EXPECT_TRUE(open().has_value());
}

TEST_F(DataDirectories, another_stores_disk_is_refused) {
  ASSERT_TRUE(open(1).has_value());
  std::filesystem::rename(data, data + "-1");
  std::filesystem::rename(data + ".marker", data + "-1.marker");
  ASSERT_TRUE(open(2).has_value());
  std::filesystem::remove_all(data);
  std::filesystem::rename(data + "-1", data);
  EXPECT_EQ(error_of_open(), Errc::invalid);
}

TEST_F(DataDirectories, a_moved_one_is_accepted_and_marked) {
  ASSERT_TRUE(open(1).has_value());
  std::filesystem::rename(data, parent.path() + "/moved");
  data = parent.path() + "/moved";
  EXPECT_TRUE(open(2).has_value());
  EXPECT_TRUE(std::filesystem::exists(data + ".marker"));
}

TEST_F(DataDirectories, a_removed_one_is_made_anew) {
  ASSERT_TRUE(open(1).has_value());
  std::filesystem::remove_all(data);
  const Result<DataDirectory> opened = open(2);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->instance(), 2U);
}

TEST_F(DataDirectories, somebody_elses_folder_is_left_alone) {
  std::filesystem::create_directory(data);
  test::write_octets(data + "/thesis.tex", "years of work");
  EXPECT_EQ(error_of_open(), Errc::invalid);
  EXPECT_FALSE(std::filesystem::exists(data + "/lock"));
}

TEST_F(DataDirectories, an_interrupted_creation_is_completed) {
  std::filesystem::create_directory(data);
  test::write_octets(data + "/instance", "00000000000000ff\n");
  test::write_octets(data + "/epoch.new", "");
  ASSERT_TRUE(open(2).has_value());
}

TEST_F(DataDirectories, the_layout_is_what_was_said_last) {
  const Result<DataDirectory> opened = open(1);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->layout()->shards, 0U);
  ASSERT_TRUE(opened->set_layout({.shards = 3, .is_changing = true}).has_value());
  EXPECT_EQ(opened->layout()->shards, 3U);
  EXPECT_TRUE(opened->layout()->is_changing);
  ASSERT_TRUE(opened->set_layout({.shards = 12, .is_changing = false}).has_value());
  EXPECT_EQ(opened->layout()->shards, 12U);
  EXPECT_FALSE(opened->layout()->is_changing);
}

TEST_F(DataDirectories, a_damaged_layout_is_not_guessed) {
  const Result<DataDirectory> opened = open(1);
  ASSERT_TRUE(opened.has_value());
  for (const char* text : {"", "3", "0\n", "x\n", "3 chang\n", "3  changing\n", "-1\n"}) {
    test::write_octets(data + "/shards", text);
    EXPECT_EQ(opened->layout().error().code, Errc::corrupt) << text;
  }
}

}  // namespace
}  // namespace kurir::store
