#include "kurir/wire/parameter.hh"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "kurir/base/limits.hh"
#include "kurir/wire/charset.hh"
#include "kurir/wire/encoded_word.hh"
#include "mail_ascii.hh"
#include "rfc5322_lexer.hh"

namespace kurir::wire {

using namespace mail_ascii;

namespace {

constexpr std::string_view parameter_specials = ";=";

// One "name=value" as written. A continuation "name*2*" is section 2 of name (RFC 2231 3).
struct Segment {
  std::string name;
  std::string value;
  std::optional<std::uint32_t> section;
  bool extended;
  std::size_t order = 0;  // among all as written
};

Segment make_segment(std::string name, std::string value) {
  Segment segment{std::move(name), std::move(value), std::nullopt, false};
  std::string_view rest = segment.name;
  if (rest.size() > 1 && rest.ends_with('*')) {
    segment.extended = true;
    rest.remove_suffix(1);
  }
  const std::size_t star = rest.rfind('*');
  if (star != std::string_view::npos && star > 0) {
    const std::string_view digits = rest.substr(star + 1);
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && end == digits.data() + digits.size()) {
      segment.section = number;
      rest = rest.substr(0, star);
    }
  }
  segment.name.resize(rest.size());
  return segment;
}

// Text that is not percent-encoded goes into a value that is.
void append_percent_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (is_letter(c) || is_digit(c) || std::string_view("-._~").contains(c)) {
      out += c;
    } else {
      out += {'%', digits[octet >> 4], digits[octet & 15]};
    }
  }
}

std::string percent_decoded(std::string_view text) {
  std::string octets;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = high ? hex_digit(text[i + 2]) : std::nullopt;
    octets += low ? static_cast<char>(*high << 4 | *low) : text[i];
    i += low ? 2 : 0;
  }
  return octets;
}

class ParameterParser {
 public:
  explicit ParameterParser(std::string_view field_value)
      : lexer_(field_value, parameter_specials) {}

  ParameterizedValue run() {
    ParameterizedValue result;
    while (advance() && !at(';')) result.value += token_.text;
    while (token_.kind != LexKind::end && segments_.size() < limits::mime_parameters_max)
      take_segment();
    for (Segment& segment : segments_) {
      if (!segment.section) add_whole(result, std::move(segment));
    }
    join_sections(result);
    return result;
  }

 private:
  bool at(char special) const {
    return token_.kind == LexKind::special && token_.special == special;
  }

  bool advance() {
    do token_ = lexer_.next();
    while (token_.kind == LexKind::comment);
    return token_.kind != LexKind::end;
  }

  // Stands on the ";" before. A value goes on to the next ";": senders leave out quotes.
  void take_segment() {
    std::string name;
    std::string value;
    while (advance() && !at(';') && !at('=')) name += token_.text;
    const bool valued = at('=');
    while (token_.kind != LexKind::end && !at(';')) {
      if (!advance() || at(';')) break;
      if (token_.after_space && !value.empty()) value += ' ';
      if (at('=')) {
        value += '=';
      } else {
        value += token_.text;
      }
    }
    if (!valued || name.empty()) return;
    segments_.push_back(make_segment(std::move(name), std::move(value)));
    segments_.back().order = segments_.size();
  }

  static void add_whole(ParameterizedValue& result, Segment segment) {
    result.parameters.push_back(
        {std::move(segment.name), std::move(segment.value), segment.extended});
  }

  // Sections may come in any order and may be missing: a name's value ends at its first gap.
  void join_sections(ParameterizedValue& result) {
    std::erase_if(segments_, [](const Segment& segment) { return !segment.section; });
    for (Segment& segment : segments_)
      std::ranges::transform(segment.name, segment.name.begin(), lower);
    std::ranges::sort(segments_, [](const Segment& a, const Segment& b) {
      if (const int order = a.name.compare(b.name); order != 0) return order < 0;
      return std::pair(*a.section, a.order) < std::pair(*b.section, b.order);
    });
    for (std::size_t first = 0; first < segments_.size();) {
      std::size_t end = first;
      while (end < segments_.size() && segments_[end].name == segments_[first].name) ++end;
      if (segments_[first].section == 0u) join_run(result, first, end);
      first = end;
    }
  }

  void join_run(ParameterizedValue& result, std::size_t first, std::size_t end) {
    const auto begin = segments_.begin() + static_cast<std::ptrdiff_t>(first);
    const auto stop = segments_.begin() + static_cast<std::ptrdiff_t>(end);
    MimeParameter joined{.name = begin->name, .value = {}, .extended = false};
    joined.extended = std::any_of(begin, stop, [](const Segment& s) { return s.extended; });
    if (joined.extended && !begin->extended) joined.value = "''";  // the charset is not said
    std::uint32_t wanted = 0;
    for (auto segment = begin; segment != stop && segment->section == wanted; ++segment, ++wanted) {
      if (joined.extended && !segment->extended) {
        append_percent_encoded(joined.value, segment->value);
      } else {
        joined.value += segment->value;
      }
    }
    result.parameters.push_back(std::move(joined));
  }

  Rfc5322Lexer lexer_;
  LexToken token_{};
  std::vector<Segment> segments_{};
};

}  // namespace

bool MimeParameter::is(std::string_view other) const { return same(name, other); }

std::string MimeParameter::decoded() const {
  if (!extended) return decode_header_text(value);
  std::string_view rest = value;
  const std::size_t charset_end = rest.find('\'');
  const std::size_t language_end =
      charset_end == std::string_view::npos ? charset_end : rest.find('\'', charset_end + 1);
  if (language_end == std::string_view::npos) return percent_decoded(rest);
  CharsetDecoder decoder(rest.substr(0, charset_end));
  std::string text;
  decoder.decode(percent_decoded(rest.substr(language_end + 1)), text);
  decoder.finish(text);
  return text;
}

const MimeParameter* ParameterizedValue::find(std::string_view name) const {
  const auto found = std::ranges::find_if(parameters, [name](const auto& p) { return p.is(name); });
  return found == parameters.end() ? nullptr : &*found;
}

ParameterizedValue parse_parameterized(std::string_view field_value) {
  return ParameterParser(field_value).run();
}

}  // namespace kurir::wire
