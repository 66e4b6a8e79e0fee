#include "kurir/wire/downgrade.hh"

#include <algorithm>
#include <vector>

#include "kurir/wire/ascii.hh"
#include "kurir/wire/base64.hh"
#include "kurir/wire/header.hh"
#include "kurir/wire/mime.hh"
#include "kurir/wire/smtp_data.hh"
#include "kurir/wire/transfer_encoding.hh"

namespace kurir::wire {
namespace {

constexpr std::size_t base64_line_octets = 57;  // 76 encoded

class Downgrader {
 public:
  Downgrader(std::string_view message, ContentClass to)
      : message_(message), to_(to), structure_(parse_mime(message)) {}

  std::optional<std::string> run() {
    is_sealed_.resize(structure_.parts.size());
    out_.reserve(message_.size() + message_.size() / 2);
    for (PartIndex index = 0; index < structure_.parts.size(); ++index)
      if (!take_part(index)) return std::nullopt;
    if (!take_between(message_.size())) return std::nullopt;
    return std::move(out_);
  }

 private:
  bool is_fit(std::string_view octets) const {
    ContentScanner scanner;
    scanner.feed(octets);
    const ContentFacts facts = scanner.facts();
    return !facts.nul && !facts.has_bare_line_end() && !facts.long_line &&
           (to_ == ContentClass::eight_bit || !facts.eight_bit);
  }

  // Parts come in the order of their begins, a container before what is in it.
  bool take_part(PartIndex index) {
    const MimePart& part = structure_.parts[index];
    is_sealed_[index] = seals(part) || (part.parent != no_part && is_sealed_[part.parent]);
    if (!take_between(part.header.begin)) return false;
    const std::string_view header = part.header.of(message_);
    at_ = part.header.end;
    if (!is_fit(header)) return false;
    if (part.kind != MimeKind::leaf) {
      append_container_header(part, header);
      return true;
    }
    at_ = part.body.end;
    return take_leaf(part, header, is_sealed_[index]);
  }

  // The octets of what was signed or encrypted are not ours to change.
  static bool seals(const MimePart& part) {
    return part.is_type("multipart") && (equals_ignoring_case(part.subtype, "signed") ||
                                         equals_ignoring_case(part.subtype, "encrypted"));
  }

  bool take_leaf(const MimePart& part, std::string_view header, bool is_sealed) {
    const std::string_view body = part.body.of(message_);
    if (is_fit(body)) {
      if (is_sealed) {
        out_ += header;
      } else {
        append_header(header, part, relabelled(part));
      }
      out_ += body;
      return true;
    }
    const bool is_identity = transfer_encoding(part.encoding) == TransferEncoding::identity;
    const bool has_header = !header.empty() || part.depth == 0;
    // RFC 2046 5.2: of the message types only message/global may be encoded (RFC 6532 3.7).
    const bool may_encode =
        !part.is_type("message") || equals_ignoring_case(part.subtype, "global");
    if (is_sealed || !is_identity || !has_header || !may_encode) return false;
    const bool as_text = part.is_type("text") && has_text_lines(body);
    append_header(header, part, as_text ? "quoted-printable" : "base64");
    if (as_text) {
      append_quoted_printable(out_, body);
    } else {
      append_base64_lines(body);
    }
    return true;
  }

  static bool has_text_lines(std::string_view body) {
    ContentScanner scanner;
    scanner.feed(body);
    return !scanner.facts().nul && !scanner.facts().has_bare_line_end();
  }

  void append_base64_lines(std::string_view body) {
    while (!body.empty()) {
      const std::string_view line = body.substr(0, base64_line_octets);
      append_base64(out_, line);
      out_ += "\r\n";
      body.remove_prefix(line.size());
    }
    // The line end before a boundary is the boundary's.
    const bool before_boundary = at_ < message_.size();
    if (before_boundary && out_.ends_with("\r\n")) out_.resize(out_.size() - 2);
  }

  // The label of what needs no encoding any more; empty: 7bit, which needs none.
  std::string_view relabelled(const MimePart& part) const {
    const bool was_wide = equals_ignoring_case(part.encoding, "8bit") ||
                          equals_ignoring_case(part.encoding, "binary");
    if (!was_wide) return part.encoding;
    return to_ == ContentClass::eight_bit ? "8bit" : "";
  }

  void append_container_header(const MimePart& part, std::string_view header) {
    append_header(header, part, relabelled(part));
  }

  // The header with another Content-Transfer-Encoding; as it stands where that is the same.
  void append_header(std::string_view header, const MimePart& part, std::string_view encoding) {
    if (equals_ignoring_case(encoding, part.encoding)) {
      out_ += header;
      return;
    }
    HeaderReader fields(header);
    std::size_t octets = 0;
    bool has_version = part.depth > 0, has_type = part.depth > 0;
    while (const auto field = fields.next()) {
      octets += field->raw.size();
      has_version = has_version || field->is("MIME-Version");
      has_type = has_type || field->is("Content-Type");
      if (!field->is("Content-Transfer-Encoding")) out_ += field->raw;
    }
    if (!out_.empty() && !out_.ends_with('\n')) out_ += "\r\n";
    if (!has_version) out_ += "MIME-Version: 1.0\r\n";
    // RFC 1428 3: nobody said which characters they are.
    if (!has_type) out_ += "Content-Type: text/plain; charset=unknown-8bit\r\n";
    if (!encoding.empty()) ((out_ += "Content-Transfer-Encoding: ") += encoding) += "\r\n";
    out_ += header.substr(octets);
  }

  // Boundaries, and what stands before the first and behind the last, which nobody reads.
  bool take_between(std::size_t end) {
    const std::string_view octets = message_.substr(at_, end - at_);
    at_ = end;
    if (is_fit(octets)) {
      out_ += octets;
      return true;
    }
    if (!has_text_lines(octets)) return false;
    for (const char c : octets) out_ += static_cast<unsigned char>(c) < 0x80 ? c : '?';
    return true;
  }

  std::string_view message_;
  ContentClass to_;
  MimeStructure structure_;
  std::vector<bool> is_sealed_;
  std::size_t at_ = 0;  // what was taken of the message
  std::string out_;
};

}  // namespace

std::optional<std::string> downgrade(std::string_view message, ContentClass to) {
  return Downgrader(message, to).run();
}

}  // namespace kurir::wire
