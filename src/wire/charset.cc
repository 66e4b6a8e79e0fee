#include "kurir/wire/charset.hh"

#include <unicode/ucnv.h>
#include <unicode/utf16.h>

#include <algorithm>
#include <array>

#include "kurir/base/limits.hh"
#include "mail_ascii.hh"

namespace kurir::wire {

using namespace mail_ascii;

namespace {

using UpperHalf = std::array<char16_t, 128>;

constexpr UpperHalf latin1 = [] {
  UpperHalf table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<char16_t>(0x80 + i);
  return table;
}();

constexpr UpperHalf latin9 = [] {
  UpperHalf table = latin1;
  table[0xA4 - 0x80] = 0x20AC;
  table[0xA6 - 0x80] = 0x0160;
  table[0xA8 - 0x80] = 0x0161;
  table[0xB4 - 0x80] = 0x017D;
  table[0xB8 - 0x80] = 0x017E;
  table[0xBC - 0x80] = 0x0152;
  table[0xBD - 0x80] = 0x0153;
  table[0xBE - 0x80] = 0x0178;
  return table;
}();

constexpr UpperHalf windows1252 = [] {
  constexpr std::array<char16_t, 32> c1 = {
      0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};
  UpperHalf table = latin1;
  std::ranges::copy(c1, table.begin());
  return table;
}();

constexpr std::string_view passing[] = {"utf-8", "us-ascii", "utf8", "ascii"};

struct TableName {
  std::string_view name;
  const UpperHalf* table;
};
constexpr TableName tables[] = {{"iso-8859-1", &latin1},        {"latin1", &latin1},
                                {"iso-8859-15", &latin9},       {"latin-9", &latin9},
                                {"windows-1252", &windows1252}, {"cp1252", &windows1252}};

// ICU takes more in a name than registered names have (options behind commas, for one).
bool is_registered_form(std::string_view name) {
  const auto allowed = [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("-_.:+()").contains(c);
  };
  return !name.empty() && name.size() <= limits::charset_name_octets_max &&
         std::ranges::all_of(name, allowed);
}

}  // namespace

void append_utf8_code_point(std::string& out, char32_t code_point) {
  const auto put = [&out](char32_t octet) { out.push_back(static_cast<char>(octet)); };
  if (code_point < 0x80) return put(code_point);
  if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
  } else {
    if (code_point < 0x10000) {
      put(0xE0 | code_point >> 12);
    } else {
      put(0xF0 | code_point >> 18);
      put(0x80 | (code_point >> 12 & 0x3F));
    }
    put(0x80 | (code_point >> 6 & 0x3F));
  }
  put(0x80 | (code_point & 0x3F));
}

// An open converter of ICU, and the first half of a surrogate pair that fell on the end of a slice.
struct CharsetDecoder::Library {
  UConverter* converter = nullptr;
  char16_t lead = 0;

  Library() = default;
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() { ucnv_close(converter); }

  void append_units(std::string& out, const char16_t* units, const char16_t* end) {
    for (; units < end; ++units) {
      if (lead != 0 && U16_IS_TRAIL(*units)) {
        append_utf8_code_point(out, static_cast<char32_t>(U16_GET_SUPPLEMENTARY(lead, *units)));
        lead = 0;
        continue;
      }
      append_lone_lead(out);
      if (U16_IS_LEAD(*units)) {
        lead = *units;
      } else {
        append_utf8_code_point(out, U16_IS_TRAIL(*units) ? 0xFFFD : *units);
      }
    }
  }

  void append_lone_lead(std::string& out) {
    if (lead != 0) append_utf8_code_point(out, 0xFFFD);
    lead = 0;
  }

  void decode(std::string_view octets, std::string& out, bool last) {
    std::array<char16_t, 1024> units;
    const char* source = octets.data();
    const char* const end = source + octets.size();
    UErrorCode status = U_BUFFER_OVERFLOW_ERROR;
    while (status == U_BUFFER_OVERFLOW_ERROR) {
      status = U_ZERO_ERROR;
      char16_t* target = units.data();
      ucnv_toUnicode(converter, &target, units.data() + units.size(), &source, end, nullptr, last,
                     &status);
      append_units(out, units.data(), target);
    }
    if (last) append_lone_lead(out);
    if (last || U_FAILURE(status)) ucnv_resetToUnicode(converter);
  }
};

CharsetDecoder::CharsetDecoder(std::string_view charset_name) {
  if (!is_registered_form(charset_name)) return;
  for (const std::string_view name : passing) {
    if (same(name, charset_name)) method_ = Method::pass;
  }
  for (const TableName& row : tables) {
    if (!same(row.name, charset_name)) continue;
    method_ = Method::table;
    upper_half_ = row.table->data();
  }
  if (method_ != Method::raw) return;
  auto library = std::make_unique<Library>();
  UErrorCode status = U_ZERO_ERROR;
  library->converter = ucnv_open(std::string(charset_name).c_str(), &status);
  if (U_FAILURE(status) || library->converter == nullptr) return;
  method_ = Method::library;
  library_ = std::move(library);
}

CharsetDecoder::CharsetDecoder(CharsetDecoder&&) noexcept = default;
CharsetDecoder& CharsetDecoder::operator=(CharsetDecoder&&) noexcept = default;
CharsetDecoder::~CharsetDecoder() = default;

void CharsetDecoder::decode(std::string_view octets, std::string& out) {
  switch (method_) {
    case Method::raw:
    case Method::pass:
      out += octets;
      return;
    case Method::table:
      return decode_by_table(octets, out);
    case Method::library:
      return library_->decode(octets, out, false);
  }
}

void CharsetDecoder::finish(std::string& out) {
  if (library_) library_->decode({}, out, true);
}

void CharsetDecoder::decode_by_table(std::string_view octets, std::string& out) const {
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x80) {
      out.push_back(c);
    } else {
      append_utf8_code_point(out, upper_half_[octet - 0x80]);
    }
  }
}

}  // namespace kurir::wire
