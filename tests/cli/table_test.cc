#include "kurir/cli/table.hh"

#include <gtest/gtest.h>

namespace kurir::cli {
namespace {

TEST(Table, columns_are_aligned_and_cells_are_harmless) {
  EXPECT_EQ(table_text({{"A", "LONGER"}, {"wide cell", "x\x1b[31m\n"}}),
            "A          LONGER\nwide cell  x?[31m?\n");
  EXPECT_EQ(table_text({}), "");
}

TEST(Table, an_array_is_a_line_for_each_element) {
  EXPECT_EQ(json_text(nlohmann::json::parse(R"([{"a":1},2])")), "{\"a\":1}\n2\n");
  EXPECT_EQ(json_text(nlohmann::json::parse(R"({"a":[1,2]})")), "{\"a\":[1,2]}\n");
}

}  // namespace
}  // namespace kurir::cli
