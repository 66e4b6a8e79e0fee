#include "kurir/wire/smtp_data.hh"

#include "kurir/base/assert.hh"
#include "kurir/wire/ascii.hh"

namespace kurir::wire {
namespace {

constexpr std::string_view received_name = "received:";
constexpr std::string_view tls_required_name = "tls-required:";
constexpr std::size_t names_octets_max = tls_required_name.size();
static_assert(received_name.size() <= names_octets_max);
constexpr std::string_view held_cr = "\r";
constexpr std::string_view added_dot = ".";

}  // namespace

void HeaderWatch::take_name_octet(char c) {
  if (column_ == 0) {
    first_is_cr_ = c == '\r';
    name_ = to_lower(c) == 't' ? tls_required_name : received_name;
  }
  const bool matches = !first_is_cr_ && column_ < name_.size() && to_lower(c) == name_[column_];
  const bool may_be_empty_line = column_ == 0 && first_is_cr_;
  // Of a line that is neither, only its end matters.
  column_ = matches || may_be_empty_line ? column_ + 1 : names_octets_max;
  if (!matches || column_ < name_.size()) return;
  column_ = names_octets_max;
  is_tls_required_ = name_ == tls_required_name;
  if (!is_tls_required_) ++received_fields_;
}

void HeaderWatch::take_value(std::string_view text) {
  for (const char c : text) {
    if (value_octets_ == value_.size()) return;
    if (c != ' ' && c != '\t' && c != '\r') value_[value_octets_++] = c;
  }
}

void HeaderWatch::end_line() {
  header_ended_ = column_ == 0 || (column_ == 1 && first_is_cr_);
  const std::string_view value(value_.data(), value_octets_);
  if (is_tls_required_ && equals_ignoring_case(value, "no")) tls_is_optional_ = true;
  column_ = 0;
  value_octets_ = 0;
  is_tls_required_ = false;
}

void HeaderWatch::feed(std::string_view content) {
  while (!header_ended_ && !content.empty()) {
    if (column_ < names_octets_max && content[0] != '\n') {
      take_name_octet(content[0]);
      content.remove_prefix(1);
      continue;
    }
    const std::size_t lf = content.find('\n');
    if (is_tls_required_) take_value(content.substr(0, lf));
    if (lf == std::string_view::npos) return;  // the column stays past the name
    end_line();
    content.remove_prefix(lf + 1);
  }
}

void ContentScanner::take(std::string_view piece) {
  octets_ += piece.size();
  if (!header_.header_ended()) header_.feed(piece);
}

void ContentScanner::feed(std::string_view slice) {
  take(slice);
  while (!slice.empty()) {
    slice.remove_prefix(scan_to_dot_line(scan_, slice));
    if (slice.empty()) return;
    // A dot begins this line: it is content like the rest, so the scan is told to go over it.
    dot_line_ = true;
    scan_.at_line_start = false;
  }
}

ContentFacts ContentScanner::facts() const {
  return {.octets = octets_,
          .received_fields = header_.received_fields(),
          .bare_cr = scan_.bare_cr || scan_.after_cr,
          .bare_lf = scan_.bare_lf,
          .nul = scan_.nul,
          .eight_bit = scan_.eight_bit,
          .long_line = scan_.long_line,
          .dot_line = dot_line_,
          .tls_optional = header_.tls_is_optional(),
          .ends_line = scan_.at_line_start};
}

DataScanner::Step DataScanner::step(std::string_view slice) {
  KURIR_ASSERT(!slice.empty());
  KURIR_ASSERT(!finished());
  return held_ == Held::nothing ? scan_from(slice, 0) : resolve_held(slice, 0);
}

// Scans what lies behind `skipped` octets of the slice, which were taken and dropped.
DataScanner::Step DataScanner::scan_from(std::string_view slice, std::size_t skipped) {
  const std::string_view rest = slice.substr(skipped);
  const std::string_view piece = rest.substr(0, scan_to_dot_line(content_.scan_, rest));
  content_.take(piece);
  const std::size_t consumed = skipped + piece.size();
  if (consumed == slice.size()) return {piece, consumed, false};
  held_ = Held::dot;
  return piece.empty() ? resolve_held(slice, consumed + 1) : Step{piece, consumed + 1, false};
}

// Behind the dot, `consumed` octets into the slice, CRLF ends the content; anything else makes the
// dot stuffing, and it is dropped.
DataScanner::Step DataScanner::resolve_held(std::string_view slice, std::size_t consumed) {
  if (held_ == Held::dot && consumed < slice.size() && slice[consumed] == '\r') {
    held_ = Held::dot_cr;
    ++consumed;
  }
  if (consumed == slice.size()) return {{}, consumed, false};
  content_.scan_.at_line_start = false;
  if (held_ == Held::dot) {
    held_ = Held::nothing;
    content_.dot_line_ |= slice[consumed] == '.';
    return scan_from(slice, consumed);
  }
  if (slice[consumed] == '\n') {
    content_.scan_.at_line_start = true;  // as the CRLF before the dot left it
    held_ = Held::finished;
    return {{}, consumed + 1, true};
  }
  // The CR may have come in an earlier slice, so a static one stands for it.
  held_ = Held::nothing;
  scan_to_dot_line(content_.scan_, held_cr);
  content_.take(held_cr);
  return {held_cr, consumed, false};
}

DotStuffer::Step DotStuffer::step(std::string_view slice) {
  KURIR_ASSERT(!slice.empty());
  const std::size_t scanned = scan_to_dot_line(scan_, slice);
  if (scanned > 0) return {slice.substr(0, scanned), scanned};
  scan_.at_line_start = false;
  return {added_dot, 0};
}

std::string_view DotStuffer::terminator() const {
  return scan_.at_line_start ? ".\r\n" : "\r\n.\r\n";
}

}  // namespace kurir::wire
