#pragma once
// i;unicode-casemap (RFC 5051): text of any slices to the octets that are compared. Core-local.

#include <string>
#include <string_view>

namespace kurir::wire {

// ASCII letters fold to upper case.
constexpr char fold_ascii(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
}

class TextFolder {
 public:
  // Appends what the slice folds to. An octet that is no UTF-8 stays itself, so that undeclared
  // text finds undeclared text.
  void fold(std::string_view utf8, std::string& out);
  void finish(std::string& out);

 private:
  // Takes the sequence at the front off; false when more octets could make it whole.
  bool fold_sequence(std::string_view& utf8, std::string& out);

  std::string cut_{};  // the beginning of a sequence that the slice ended in
};

[[nodiscard]] std::string folded(std::string_view utf8);

}  // namespace kurir::wire
