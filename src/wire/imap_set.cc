#include "kurir/wire/imap_set.hh"

#include <algorithm>
#include <charconv>

#include "imap_parts.hh"
#include "kurir/base/assert.hh"

namespace kurir::wire {
namespace {

// Whether next can be one range with the range before it, which does not begin behind it.
bool joins(const NumberRange& before, const NumberRange& next) {
  return std::uint64_t{before.last} + 1 >= next.first;
}

// Merges neighbours of a sorted sequence in place.
void merge_sorted(std::vector<NumberRange>& ranges) {
  std::size_t kept = 0;
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (joins(ranges[kept], ranges[i])) {
      ranges[kept].last = std::max(ranges[kept].last, ranges[i].last);
    } else {
      ranges[++kept] = ranges[i];
    }
  }
  if (!ranges.empty()) ranges.resize(kept + 1);
}

void append_decimal(std::string& out, std::uint32_t number) {
  char text[10];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  out.append(text, end);
}

// seq-number = nz-number / "*"
std::uint32_t read_seq_number(ImapCursor& cursor) {
  if (cursor.accept('*')) return ImapSet::star;
  if (!is_in(ImapClass::digit, cursor.peek()) || cursor.peek() == '0')
    cursor.fail(ImapSyntax::bad_set);
  return static_cast<std::uint32_t>(cursor.nz_number(number32_max));
}

}  // namespace

void NumberSet::add(NumberRange range) {
  KURIR_ASSERT(range.first != 0);
  KURIR_ASSERT(range.first <= range.last);
  if (ranges_.empty() || !joins(ranges_.back(), range)) {
    ranges_.push_back(range);
  } else if (range.first >= ranges_.back().first) {
    ranges_.back().last = std::max(ranges_.back().last, range.last);
  } else {
    ranges_.insert(std::ranges::lower_bound(ranges_, range), range);
    merge_sorted(ranges_);
  }
}

NumberSet NumberSet::of(std::vector<NumberRange> ranges) {
  NumberSet set;
  std::ranges::sort(ranges);
  merge_sorted(ranges);
  set.ranges_ = std::move(ranges);
  return set;
}

bool NumberSet::contains(std::uint32_t number) const {
  const auto found = std::ranges::lower_bound(ranges_, number, {}, &NumberRange::last);
  return found != ranges_.end() && found->first <= number;
}

std::uint64_t NumberSet::count() const {
  std::uint64_t total = 0;
  for (const NumberRange& range : ranges_) total += std::uint64_t{range.last} - range.first + 1;
  return total;
}

std::uint32_t NumberSet::least() const {
  KURIR_ASSERT(!empty());
  return ranges_.front().first;
}

std::uint32_t NumberSet::greatest() const {
  KURIR_ASSERT(!empty());
  return ranges_.back().last;
}

NumberSet NumberSet::within(NumberRange range) const {
  NumberSet part;
  auto next = std::ranges::lower_bound(ranges_, range.first, {}, &NumberRange::last);
  for (; next != ranges_.end() && next->first <= range.last; ++next) {
    part.ranges_.push_back({std::max(next->first, range.first), std::min(next->last, range.last)});
  }
  return part;
}

void NumberSet::append_to(std::string& out) const {
  for (const NumberRange& range : ranges_) {
    if (&range != ranges_.data()) out.push_back(',');
    append_decimal(out, range.first);
    if (range.first == range.last) continue;
    out.push_back(':');
    append_decimal(out, range.last);
  }
}

std::string NumberSet::text() const {
  std::string out;
  append_to(out);
  return out;
}

ImapSet ImapSet::of_saved_result() {
  ImapSet set;
  set.saved_result_ = true;
  return set;
}

std::uint32_t ImapSet::greatest_written() const {
  std::uint32_t greatest = 0;
  for (const Span& span : spans_) greatest = std::max({greatest, span.from, span.to});
  return greatest;
}

NumberSet ImapSet::resolve(std::uint32_t greatest) const {
  KURIR_ASSERT(!saved_result_);
  std::vector<NumberRange> ranges;
  ranges.reserve(spans_.size());
  for (const Span& span : spans_) {
    const std::uint32_t from = span.from == star ? greatest : span.from;
    const std::uint32_t to = span.to == star ? greatest : span.to;
    if (from == 0 || to == 0) continue;
    ranges.push_back({std::min(from, to), std::max(from, to)});
  }
  return NumberSet::of(std::move(ranges));
}

// sequence-set = (seq-number / seq-range) *("," (seq-number / seq-range)) / "$"
ImapSet read_set(ImapCursor& cursor) {
  if (cursor.accept('$')) return ImapSet::of_saved_result();
  if (cursor.at_line_end()) cursor.fail(ImapSyntax::missing_argument);
  ImapSet set;
  do {
    const std::uint32_t from = read_seq_number(cursor);
    const std::uint32_t to = cursor.accept(':') ? read_seq_number(cursor) : from;
    set.add({from, to});
  } while (cursor.accept(','));
  return set;
}

Parsed<ImapSet, ImapSyntax> parse_imap_set(std::string_view input) {
  ImapCursor cursor(input);
  ImapSet set = read_set(cursor);
  return finished(cursor, std::move(set));
}

}  // namespace kurir::wire
