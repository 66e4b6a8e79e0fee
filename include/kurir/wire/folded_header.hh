#pragma once
// FoldedHeader: the fields of a message that are searched most, decoded and folded once, so that a
// search compares octets (text_search.hh). Pure; any core.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "kurir/wire/text_search.hh"

namespace kurir::wire {

class FoldedHeader {
 public:
  explicit FoldedHeader(std::string_view header);

  // Whether a search for this field needs nothing else: without regard to ASCII case.
  static bool keeps(std::string_view field_name);
  // Whether any field of this name, which it keeps, matches. A header with so much in these fields
  // that none were kept: nullopt.
  std::optional<bool> matches(std::string_view field_name, const TextSearch& search) const;
  // The day of the Date field, in its own zone; nullopt: none that can be read.
  const std::optional<std::chrono::sys_days>& sent() const { return sent_; }
  std::size_t octets() const { return fields_.capacity(); }

 private:
  void keep(std::size_t name, std::string_view value);

  std::string fields_;  // each: u8 its name's number, u16 octets, the folded value
  bool is_complete_ = true;
  std::optional<std::chrono::sys_days> sent_;
};

}  // namespace kurir::wire
