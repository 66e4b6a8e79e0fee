#pragma once
// Character sets of mail to UTF-8, in slices of any size. US-ASCII and UTF-8 pass as they are;
// ISO-8859-1, ISO-8859-15 and windows-1252 have tables of ours; the others are ICU's. An unknown
// name makes a raw decoder that passes octets as they are, so the result is UTF-8 only as far as
// the sender's words are true. State is bounded. Core-local.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace kurir::wire {

// Appends one code point (at most U+10FFFF, no surrogate) as UTF-8.
void append_utf8_code_point(std::string& out, char32_t code_point);

class CharsetDecoder {
 public:
  explicit CharsetDecoder(std::string_view charset_name);
  CharsetDecoder(CharsetDecoder&&) noexcept;
  CharsetDecoder& operator=(CharsetDecoder&&) noexcept;
  ~CharsetDecoder();

  bool known() const { return method_ != Method::raw; }
  // Whether octets below 0x80 always mean ASCII and octets pass unchanged.
  bool passes_octets() const { return method_ == Method::pass || method_ == Method::raw; }
  void decode(std::string_view octets, std::string& out);
  // The end of the text: a sequence cut in the middle becomes a substitute (U+FFFD or U+001A).
  void finish(std::string& out);

 private:
  enum class Method : std::uint8_t { raw, pass, table, library };
  struct Library;

  void decode_by_table(std::string_view octets, std::string& out) const;

  Method method_ = Method::raw;
  const char16_t* upper_half_ = nullptr;  // what octets 0x80..0xFF mean
  std::unique_ptr<Library> library_;
};

}  // namespace kurir::wire
