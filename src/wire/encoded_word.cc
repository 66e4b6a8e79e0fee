#include "kurir/wire/encoded_word.hh"

#include <optional>

#include "kurir/wire/charset.hh"
#include "kurir/wire/header.hh"
#include "kurir/wire/transfer_encoding.hh"
#include "mail_ascii.hh"

namespace kurir::wire {

using namespace mail_ascii;

namespace {

struct EncodedWord {
  std::string_view charset;  // without RFC 2231's "*language"
  bool base64;
  std::string_view text;
  std::size_t octets;  // of the whole word
};

// "=?" charset "?" ("B" / "Q") "?" text "?=", at the front of the text. Each part ends at the next
// "?", so a failed attempt never reads what a later attempt reads again.
std::optional<EncodedWord> encoded_word_at(std::string_view text) {
  constexpr std::size_t frame_octets = 2;
  const std::size_t charset_end = text.find_first_of("? \t", frame_octets);
  if (charset_end == std::string_view::npos || text[charset_end] != '?') return std::nullopt;
  const std::string_view encoding = text.substr(charset_end + 1, 2);
  if (encoding.size() < 2 || encoding[1] != '?') return std::nullopt;
  if (lower(encoding[0]) != 'b' && lower(encoding[0]) != 'q') return std::nullopt;
  const std::size_t begin = charset_end + 3;
  const std::size_t end = text.find('?', begin);
  if (end == std::string_view::npos || text.substr(end, 2) != "?=") return std::nullopt;
  std::string_view charset = text.substr(frame_octets, charset_end - frame_octets);
  charset = charset.substr(0, charset.find('*'));
  return EncodedWord{charset, lower(encoding[0]) == 'b', text.substr(begin, end - begin), end + 2};
}

void append_q_decoded(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto high = text[i] == '=' && i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = high ? hex_digit(text[i + 2]) : std::nullopt;
    if (low) {
      out += static_cast<char>(*high << 4 | *low);
      i += 2;
    } else {
      out += text[i] == '_' ? ' ' : text[i];
    }
  }
}

// Gathers the octets of neighbouring words and converts them when the charset changes.
class WordRun {
 public:
  explicit WordRun(std::string& out) : out_(out) {}

  void add(const EncodedWord& word) {
    if (!decoder_ || !same(word.charset, charset_)) {
      flush();
      charset_ = word.charset;
      decoder_.emplace(charset_);
    }
    std::string octets;
    if (word.base64) {
      TransferDecoder base64(TransferEncoding::base64);
      base64.decode(word.text, octets);
      base64.finish(octets);
    } else {
      append_q_decoded(octets, word.text);
    }
    decoder_->decode(octets, out_);
    open_ = true;
  }

  void flush() {
    if (open_) decoder_->finish(out_);
    open_ = false;
  }
  bool open() const { return open_; }

 private:
  std::string& out_;
  std::string_view charset_;
  std::optional<CharsetDecoder> decoder_;  // kept over flush(): most headers use one charset
  bool open_ = false;
};

bool all_wsp(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

}  // namespace

std::string decode_header_text(std::string_view value) {
  const std::string unfolded = unfold(value);
  std::string text;
  WordRun run(text);
  std::string_view rest = unfolded;
  std::size_t plain = 0;  // octets of rest that are not decoded yet
  while (plain < rest.size()) {
    const std::size_t begin = rest.find("=?", plain);
    const auto word =
        begin == std::string_view::npos ? std::nullopt : encoded_word_at(rest.substr(begin));
    if (!word) {
      plain = begin == std::string_view::npos ? rest.size() : begin + 2;
      continue;
    }
    // White space between two encoded-words is there for folding only (RFC 2047 6.2).
    if (!run.open() || !all_wsp(rest.substr(0, begin))) {
      run.flush();
      text += rest.substr(0, begin);
    }
    run.add(*word);
    rest.remove_prefix(begin + word->octets);
    plain = 0;
  }
  run.flush();
  text += rest;
  return text;
}

}  // namespace kurir::wire
