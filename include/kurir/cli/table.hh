#pragma once
// Results for people and for programs.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace kurir::cli {

// Rows of equal length; the first is the heading. Columns are as wide as their widest cell; cells
// cannot hold what a terminal would act upon.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

// The same of a table that comes in parts: a column is as wide as its widest cell so far.
class GrowingTable {
 public:
  std::string add(const std::vector<std::vector<std::string>>& rows);

 private:
  std::vector<std::size_t> widths_;
};

// An array is one JSON value a line, anything else one line.
std::string json_text(const nlohmann::json& value);

// One line without control characters, for terminals.
std::string printable(std::string_view text);

}  // namespace kurir::cli
