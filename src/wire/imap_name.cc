#include "kurir/wire/imap_name.hh"

#include <algorithm>

#include "imap_ascii.hh"
#include "imap_utf8.hh"
#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"

namespace kurir::wire {
namespace {

constexpr std::string_view inbox = "INBOX";
constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

bool is_forbidden(char32_t c) {
  const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
  return control || c == 0x2028 || c == 0x2029;
}

// Whether the first level is INBOX, in any case.
bool begins_in_inbox(std::string_view name) {
  const bool level_ends =
      name.size() == inbox.size() || (name.size() > inbox.size() && name[inbox.size()] == '/');
  return level_ends && is_inbox(name.substr(0, inbox.size()));
}

// Writes UTF-16 units as modified base64, between "&" and "-".
class Utf7Shift {
 public:
  explicit Utf7Shift(std::string& out) : out_(out) {}

  void put(char32_t point) {
    if (bits_ < 0) begin();
    if (point < 0x10000) return put_unit(static_cast<std::uint32_t>(point));
    const auto rest = static_cast<std::uint32_t>(point - 0x10000);
    put_unit(0xD800 | rest >> 10);
    put_unit(0xDC00 | (rest & 0x3FF));
  }
  void end() {
    if (bits_ < 0) return;
    if (bits_ > 0) out_.push_back(base64_digits[pending_ << (6 - bits_) & 0x3F]);
    out_.push_back('-');
    bits_ = -1;
  }

 private:
  void begin() {
    out_.push_back('&');
    bits_ = 0;
    pending_ = 0;
  }
  void put_unit(std::uint32_t unit) {
    pending_ = pending_ << 16 | unit;
    bits_ += 16;
    while (bits_ >= 6) {
      bits_ -= 6;
      out_.push_back(base64_digits[pending_ >> bits_ & 0x3F]);
    }
    pending_ &= (1u << bits_) - 1;
  }

  std::string& out_;
  std::uint32_t pending_ = 0;
  int bits_ = -1;  // how many of pending_ wait; -1 outside of a shift
};

// Appends what the base64 between "&" and "-" stands for; false where it is no UTF-16. Leftover
// bits and needless shifts are found by the caller, who encodes the result again.
bool append_shifted(std::string& out, std::string_view base64) {
  std::uint32_t pending = 0;
  int bits = 0;
  char32_t high = 0;  // a surrogate that waits for its other half
  for (const char digit : base64) {
    const std::size_t value = base64_digits.find(digit);
    if (value == std::string_view::npos) return false;
    pending = pending << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 16) continue;
    bits -= 16;
    const char32_t unit = pending >> bits & 0xFFFF;
    pending &= (1u << bits) - 1;
    const bool is_low = unit >= 0xDC00 && unit <= 0xDFFF;
    if (is_low != (high != 0)) return false;
    if (unit >= 0xD800 && unit <= 0xDBFF) {
      high = unit;
      continue;
    }
    append_utf8(out, is_low ? 0x10000 + ((high & 0x3FF) << 10 | (unit & 0x3FF)) : unit);
    high = 0;
  }
  return high == 0;
}

}  // namespace

std::string_view imap_name_fault_text(ImapNameFault fault) {
  switch (fault) {
    case ImapNameFault::empty:
      return "Mailbox name is empty";
    case ImapNameFault::too_long:
      return "Mailbox name is too long";
    case ImapNameFault::too_many_levels:
      return "Mailbox name has too many levels";
    case ImapNameFault::empty_level:
      return "Mailbox name has an empty level";
    case ImapNameFault::control_character:
      return "Mailbox name has a control character";
    case ImapNameFault::bad_utf7:
      return "Mailbox name is not valid modified UTF-7";
    case ImapNameFault::bad_utf8:
      return "Mailbox name is not valid UTF-8";
  }
  return "Mailbox name is not valid";
}

std::expected<std::string, ImapNameFault> decode_mailbox_name(std::string_view sent,
                                                              ImapNameEncoding encoding) {
  // Modified UTF-7 takes at most 3 octets for one of UTF-8, in "&...-" of its own.
  if (sent.size() > 5 * limits::mailbox_name_octets_max)
    return std::unexpected(ImapNameFault::too_long);
  std::expected<std::string, ImapNameFault> name(std::in_place, sent);
  if (encoding == ImapNameEncoding::modified_utf7) name = decode_modified_utf7(sent);
  if (!name) return name;
  if (const auto checked = check_mailbox_name(*name); !checked)
    return std::unexpected(checked.error());
  if (begins_in_inbox(*name)) name->replace(0, inbox.size(), inbox);
  return name;
}

std::string_view strip_create_suffix(std::string_view sent) {
  if (sent.size() > 1 && sent.ends_with(hierarchy_delimiter)) sent.remove_suffix(1);
  return sent;
}

std::expected<void, ImapNameFault> check_mailbox_name(std::string_view name) {
  if (name.empty()) return std::unexpected(ImapNameFault::empty);
  if (name.size() > limits::mailbox_name_octets_max)
    return std::unexpected(ImapNameFault::too_long);
  std::size_t levels = 1;
  char32_t before = hierarchy_delimiter;
  while (!name.empty()) {
    const auto point = first_code_point(name);
    if (!point) return std::unexpected(ImapNameFault::bad_utf8);
    if (is_forbidden(point->value)) return std::unexpected(ImapNameFault::control_character);
    if (point->value == hierarchy_delimiter) {
      if (before == hierarchy_delimiter) return std::unexpected(ImapNameFault::empty_level);
      if (++levels > limits::mailbox_levels_max)
        return std::unexpected(ImapNameFault::too_many_levels);
    }
    before = point->value;
    name.remove_prefix(point->octets);
  }
  if (before == hierarchy_delimiter) return std::unexpected(ImapNameFault::empty_level);
  return {};
}

bool is_inbox(std::string_view name) { return same_ignoring_case(name, inbox); }

std::string_view parent_name(std::string_view name) {
  const std::size_t end = name.rfind(hierarchy_delimiter);
  return end == std::string_view::npos ? std::string_view{} : name.substr(0, end);
}

std::expected<std::string, ImapNameFault> decode_modified_utf7(std::string_view sent) {
  const std::unexpected bad(ImapNameFault::bad_utf7);
  std::string name;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (static_cast<signed char>(sent[i]) < 0) return bad;
    if (sent[i] != '&') {
      name.push_back(sent[i]);
      continue;
    }
    const std::size_t end = sent.find('-', i);
    if (end == std::string_view::npos) return bad;
    const std::string_view shifted = sent.substr(i + 1, end - i - 1);
    if (shifted.empty()) {
      name.push_back('&');
    } else if (!append_shifted(name, shifted)) {
      return bad;
    }
    i = end;
  }
  std::string again;
  append_modified_utf7(again, name);
  if (again != sent) return bad;
  return name;
}

void append_modified_utf7(std::string& out, std::string_view name) {
  Utf7Shift shift(out);
  while (!name.empty()) {
    const auto point = first_code_point(name);
    KURIR_ASSERT(point.has_value());
    name.remove_prefix(point->octets);
    if (point->value < 0x20 || point->value > 0x7E) {
      shift.put(point->value);
      continue;
    }
    shift.end();
    out.push_back(static_cast<char>(point->value));
    if (point->value == '&') out.push_back('-');
  }
  shift.end();
}

ListPattern::ListPattern(std::string_view pattern) {
  std::string elements;
  std::size_t octets = 0;
  for (const char c : pattern) {
    const bool wild = c == '*' || c == '%';
    octets += wild ? 0 : 1;
    if (octets > limits::mailbox_name_octets_max) hopeless_ = true;
    if (hopeless_) return;
    const bool joins =
        wild && !elements.empty() && (elements.back() == '*' || elements.back() == '%');
    if (!joins) elements.push_back(c);
    if (joins && c == '*') elements.back() = '*';
  }
  elements_ = elements.size();
  words_ = elements_ / 64 + 1;
  star_.resize(words_);
  percent_.resize(words_);
  literals_.resize(words_);
  std::uint8_t rows = 0;
  for (std::size_t i = 0; i < elements_; ++i) {
    const char c = elements[i];
    if (c == '*' || c == '%') {
      set(c == '*' ? star_ : percent_, i);
      continue;
    }
    // Two octets of 256 are wildcards, so that rows fit 8 bits.
    std::uint8_t& row = row_of_[static_cast<unsigned char>(c)];
    if (row == 0) {
      row = ++rows;
      literals_.resize(literals_.size() + words_);
    }
    set(literals_, i, row * words_);
  }
}

void ListPattern::set(Words& words, std::size_t bit, std::size_t from) const {
  words[from + bit / 64] |= std::uint64_t{1} << bit % 64;
}

// A wildcard may stand for nothing. No two are neighbours, so that one pass is enough.
void ListPattern::skip_wildcards(Words& states) const {
  std::uint64_t carry = 0;
  for (std::size_t w = 0; w < words_; ++w) {
    const std::uint64_t wild = states[w] & (star_[w] | percent_[w]);
    states[w] |= wild << 1 | carry;
    carry = wild >> 63;
  }
}

void ListPattern::step(Words& states, char octet, bool any_case) const {
  const std::uint64_t* row = &literals_[row_of_[static_cast<unsigned char>(octet)] * words_];
  const char other = any_case ? static_cast<char>(octet ^ 0x20) : octet;
  const std::uint64_t* other_row = &literals_[row_of_[static_cast<unsigned char>(other)] * words_];
  const std::uint64_t within_level = octet == hierarchy_delimiter ? 0 : ~std::uint64_t{0};
  std::uint64_t carry = 0;
  for (std::size_t w = 0; w < words_; ++w) {
    const std::uint64_t literal = states[w] & (row[w] | other_row[w]);
    const std::uint64_t staying = states[w] & (star_[w] | (percent_[w] & within_level));
    states[w] = literal << 1 | carry | staying;
    carry = literal >> 63;
  }
  skip_wildcards(states);
}

bool ListPattern::matches(std::string_view name) const {
  if (hopeless_) return false;
  const std::size_t any_case = begins_in_inbox(name) ? inbox.size() : 0;
  Words states(words_);
  set(states, 0);
  skip_wildcards(states);
  for (std::size_t i = 0; i < name.size(); ++i) step(states, name[i], i < any_case);
  return states[elements_ / 64] >> elements_ % 64 & 1;
}

}  // namespace kurir::wire
