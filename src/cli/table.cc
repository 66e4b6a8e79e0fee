#include "kurir/cli/table.hh"

#include <algorithm>

namespace kurir::cli {
namespace {

std::string dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  return GrowingTable().add(rows);
}

std::string GrowingTable::add(const std::vector<std::vector<std::string>>& rows) {
  for (const auto& row : rows) {
    widths_.resize(std::max(widths_.size(), row.size()));
    for (std::size_t column = 0; column < row.size(); ++column)
      widths_[column] = std::max(widths_[column], row[column].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      text += printable(row[column]);
      if (column + 1 < row.size()) text.append(widths_[column] - row[column].size() + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

std::string json_text(const nlohmann::json& value) {
  if (!value.is_array()) return dump(value);
  std::string text;
  for (const nlohmann::json& element : value) text += dump(element);
  return text;
}

std::string printable(std::string_view text) {
  std::string safe(text);
  std::ranges::replace_if(
      safe, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return safe;
}

}  // namespace kurir::cli
