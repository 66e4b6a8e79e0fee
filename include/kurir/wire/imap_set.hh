#pragma once
// Sequence sets and UID sets (RFC 9051 9 sequence-set, RFC 5182 "$"). ImapSet is what a client
// wrote, in which "*" still stands for the greatest number in use; NumberSet is a plain set of
// numbers. Pure; core-local values.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/parsed.hh"
#include "kurir/wire/imap_fault.hh"

namespace kurir::wire {

// first <= last, neither 0.
struct NumberRange {
  std::uint32_t first;
  std::uint32_t last;

  friend auto operator<=>(const NumberRange&, const NumberRange&) = default;
};

// Sorted ranges that neither overlap nor touch. Numbers are 1..2^32-1.
class NumberSet {
 public:
  class Iterator;

  NumberSet() = default;

  // Amortised O(1) when range begins at or behind the last number, O(ranges) otherwise.
  void add(NumberRange range);
  void add(std::uint32_t number) { add(NumberRange{number, number}); }
  // Any order, any overlap: sorts and merges, O(n log n).
  static NumberSet of(std::vector<NumberRange> ranges);

  bool empty() const { return ranges_.empty(); }
  bool contains(std::uint32_t number) const;  // O(log ranges)
  std::uint64_t count() const;                // how many numbers; O(ranges)
  std::uint32_t least() const;                // of a set that is not empty
  std::uint32_t greatest() const;
  std::span<const NumberRange> ranges() const { return ranges_; }
  // The part within range; O(log ranges + result).
  NumberSet within(NumberRange range) const;

  // Each number in rising order. A set of a client may span 2^32 numbers: walk within(...) of what
  // exists.
  Iterator begin() const;
  Iterator end() const;

  // "1:3,7", the shortest form; nothing for the empty set, which has no form on the wire.
  void append_to(std::string& out) const;
  std::string text() const;

  friend bool operator==(const NumberSet&, const NumberSet&) = default;

 private:
  std::vector<NumberRange> ranges_;
};

class NumberSet::Iterator {
 public:
  using value_type = std::uint32_t;
  using difference_type = std::ptrdiff_t;
  using iterator_concept = std::forward_iterator_tag;

  Iterator() = default;
  explicit Iterator(const NumberRange* range, const NumberRange* end)
      : range_(range), end_(end), number_(range == end ? 0 : range->first) {}

  std::uint32_t operator*() const { return number_; }
  Iterator& operator++() {
    if (number_ != range_->last) {
      ++number_;
    } else {
      number_ = ++range_ == end_ ? 0 : range_->first;
    }
    return *this;
  }
  Iterator operator++(int) {
    const Iterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Iterator&, const Iterator&) = default;

 private:
  const NumberRange* range_ = nullptr;
  const NumberRange* end_ = nullptr;
  std::uint32_t number_ = 0;
};

inline NumberSet::Iterator NumberSet::begin() const {
  return Iterator(ranges_.data(), ranges_.data() + ranges_.size());
}
inline NumberSet::Iterator NumberSet::end() const {
  const NumberRange* end = ranges_.data() + ranges_.size();
  return Iterator(end, end);
}

// What a client wrote. Its size is bounded by the command's.
class ImapSet {
 public:
  static constexpr std::uint32_t star = 0;  // "*"; not a number that a set may hold

  // The ends in the order written, star included.
  struct Span {
    std::uint32_t from;
    std::uint32_t to;
    friend bool operator==(const Span&, const Span&) = default;
  };

  ImapSet() = default;
  static ImapSet of_saved_result();  // "$"
  void add(Span span) { spans_.push_back(span); }

  bool is_saved_result() const { return saved_result_; }
  std::span<const Span> spans() const { return spans_; }
  // The greatest number written out, 0 if there is only "*": a sequence number beyond the mailbox's
  // count is BAD.
  std::uint32_t greatest_written() const;

  // What is meant when greatest is the greatest number in use, 0 for an empty mailbox, where "*"
  // means nothing. "9:*" includes greatest even if that is below 9 (RFC 9051 9 seq-range). Not for
  // "$", whose meaning the session keeps.
  NumberSet resolve(std::uint32_t greatest) const;

  friend bool operator==(const ImapSet&, const ImapSet&) = default;

 private:
  std::vector<Span> spans_;
  bool saved_result_ = false;
};

// Parses a set at the start of input, up to the first octet that cannot belong to it.
[[nodiscard]] Parsed<ImapSet, ImapSyntax> parse_imap_set(std::string_view input);

}  // namespace kurir::wire
