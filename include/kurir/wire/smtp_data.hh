#pragma once
// Message content on its way in and out: the end of DATA, dots (RFC 5321 4.5.2), and what content
// holds that the next host would not take. All are state machines over slices as they arrive, in
// constant memory; the pieces that they emit are views of the slice (or of static octets), so the
// caller copies once or keeps the slices. Core-local.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kurir/wire/scan.hh"

namespace kurir::wire {

// What is known of content after it was scanned.
struct ContentFacts {
  std::uint64_t octets = 0;           // unstuffed, without the terminator
  std::uint64_t received_fields = 0;  // Received: in the header section, RFC 5321 6.3
  bool bare_cr = false;
  bool bare_lf = false;
  bool nul = false;
  bool eight_bit = false;
  bool long_line = false;
  bool dot_line = false;      // some line begins with a dot: it must be stuffed when it is sent
  bool tls_optional = false;  // the header section has "TLS-Required: No" (RFC 8689 3)
  bool ends_line = true;      // ends with CRLF, or is empty

  bool has_bare_line_end() const { return bare_cr || bare_lf; }
  friend bool operator==(const ContentFacts&, const ContentFacts&) = default;
};

// Counts the Received: fields in the header section and looks for "TLS-Required: No"; stops looking
// at its end.
class HeaderWatch {
 public:
  void feed(std::string_view content);
  std::uint64_t received_fields() const { return received_fields_; }
  bool tls_is_optional() const { return tls_is_optional_; }
  bool header_ended() const { return header_ended_; }

 private:
  void take_name_octet(char c);
  void take_value(std::string_view text);
  void end_line();

  std::uint64_t received_fields_ = 0;
  std::size_t column_ = 0;       // octets of this line so far; not counted beyond a name
  std::string_view name_;        // that this line may begin with; static
  std::array<char, 3> value_{};  // of TLS-Required, without white space
  std::size_t value_octets_ = 0;
  bool is_tls_required_ = false;  // this line's name
  bool first_is_cr_ = false;
  bool tls_is_optional_ = false;
  bool header_ended_ = false;
};

// Content whose length is told beforehand: BDAT, APPEND, what a program injects. Nothing is
// unstuffed.
class ContentScanner {
 public:
  void feed(std::string_view slice);
  ContentFacts facts() const;  // as if the content ended here

 private:
  friend class DataScanner;
  void take(std::string_view piece);  // already scanned

  ContentScan scan_;
  HeaderWatch header_;
  std::uint64_t octets_ = 0;
  bool dot_line_ = false;
};

// The content of DATA. Only CRLF.CRLF ends it (threats.md A1). A fault in the content does not end
// the scan: it is a fact to be answered after the end was found, or the rest of the body would be
// read as commands.
//
//   while (!slice.empty()) {
//     const DataScanner::Step step = scanner.step(slice);
//     keep(step.piece);
//     slice.remove_prefix(step.consumed);
//     if (step.finished) break;
//   }
class DataScanner {
 public:
  struct Step {
    std::string_view piece;  // content to keep, maybe empty; of the slice, or static octets
    std::size_t consumed;    // 0 only where the piece is a CR that an earlier slice brought
    bool finished;           // CRLF.CRLF was seen; the rest of the slice is commands
  };
  // Precondition: the slice is not empty and the content has not finished.
  Step step(std::string_view slice);
  bool finished() const { return held_ == Held::finished; }
  ContentFacts facts() const { return content_.facts(); }

 private:
  // What was taken at a line start and is not known yet to be content.
  enum class Held : std::uint8_t { nothing, dot, dot_cr, finished };
  Step scan_from(std::string_view slice, std::size_t skipped);
  Step resolve_held(std::string_view slice, std::size_t consumed);

  ContentScanner content_;
  Held held_ = Held::nothing;
};

// The other way: stored content to what DATA, RETR and TOP send, with a dot before each line that
// begins with one. Not needed where ContentFacts::dot_line is false: content, then terminator.
class DotStuffer {
 public:
  struct Step {
    std::string_view piece;  // to send, not empty; of the slice, or static octets
    std::size_t consumed;    // 0 where the piece is an added dot
  };
  // Precondition: the slice is not empty.
  Step step(std::string_view slice);
  // What ends the content: "." CRLF, after a CRLF where the content lacks its own. Static.
  std::string_view terminator() const;

 private:
  ContentScan scan_;
};

}  // namespace kurir::wire
