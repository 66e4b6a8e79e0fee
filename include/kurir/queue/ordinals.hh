#pragma once
// Ordinals: which of a message's recipients a job is about, in order. Of a single one nothing is on
// the heap: that is what most jobs have.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace kurir::queue {

class Ordinals {
 public:
  void push_back(std::uint16_t ordinal) {
    if (!has_one_ && !many_) {
      one_ = ordinal;
      has_one_ = true;
      return;
    }
    if (!many_) many_ = std::make_unique<std::vector<std::uint16_t>>(1, one_);
    has_one_ = false;
    many_->push_back(ordinal);
  }
  std::span<const std::uint16_t> all() const {
    return many_ ? std::span<const std::uint16_t>(*many_)
                 : std::span<const std::uint16_t>(&one_, has_one_ ? 1 : 0);
  }
  auto begin() const { return all().begin(); }
  auto end() const { return all().end(); }
  std::size_t size() const { return all().size(); }
  std::uint16_t front() const { return all().front(); }
  std::uint16_t operator[](std::size_t index) const { return all()[index]; }

 private:
  std::unique_ptr<std::vector<std::uint16_t>> many_;
  std::uint16_t one_ = 0;
  bool has_one_ = false;
};

}  // namespace kurir::queue
