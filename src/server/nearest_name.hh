#pragma once
// What a mistyped name may have meant.

#include <cstddef>
#include <string_view>

namespace kurir::server {

// Keeps the nearest of the names that are offered, if one is near enough. Borrows all texts.
class NearestName {
 public:
  explicit NearestName(std::string_view name);

  // Letters to add, drop or replace.
  std::size_t distance(std::string_view candidate) const;
  void offer(std::string_view candidate) { offer(candidate, distance(candidate)); }
  void offer(std::string_view candidate, std::size_t distance);

  std::string_view found() const { return nearest_; }  // empty: nothing is near

 private:
  std::string_view name_;
  std::string_view nearest_;
  std::size_t least_;
};

}  // namespace kurir::server
