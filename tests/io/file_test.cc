#include "kurir/io/file.hh"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "support/on_cores.hh"

namespace kurir::io {
namespace {

std::string directory;

Task<void> write_and_read() {
  Result<File> made =
      co_await File::open(directory + "/file", {.mode = OpenMode::create_exclusive});
  EXPECT_TRUE(made.has_value());
  const std::string text = "durable";
  const Result<void> written = co_await made->write_at(text, 4096);
  EXPECT_TRUE(written.has_value());
  const Result<void> synced = co_await made->sync_data();
  EXPECT_TRUE(synced.has_value());
  std::string back(100, '?');
  const Result<std::size_t> count = co_await made->read_at(back, 4096);
  EXPECT_EQ(count.value_or(0), text.size());
  EXPECT_EQ(back.substr(0, text.size()), text);
  const Result<File> again =
      co_await File::open(directory + "/file", {.mode = OpenMode::create_exclusive});
  EXPECT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Errc::exists);
}

TEST(File, writes_syncs_and_reads_through_the_ring) {
  char name[] = "/tmp/kurir-file-XXXXXX";
  directory = mkdtemp(name);
  test::on_one_core(&write_and_read);
}

TEST(FileLock, a_second_holder_is_refused) {
  char name[] = "/tmp/kurir-lock-XXXXXX";
  const std::string path = std::string(mkdtemp(name)) + "/lock";
  auto first = FileLock::acquire(path);
  ASSERT_TRUE(first.has_value());
  const auto second = FileLock::acquire(path);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::busy);
}

TEST(ReplaceFile, leaves_the_new_content_and_no_rest) {
  char name[] = "/tmp/kurir-replace-XXXXXX";
  const std::string path = std::string(mkdtemp(name)) + "/state";
  ASSERT_TRUE(replace_file(path, "one").has_value());
  ASSERT_TRUE(replace_file(path, "two").has_value());
  EXPECT_EQ(read_file(path).value_or(""), "two");
  EXPECT_FALSE(file_exists(path + ".new"));
}

}  // namespace
}  // namespace kurir::io
