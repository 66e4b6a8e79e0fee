#include "kurir/wire/mime.hh"

#include <algorithm>

#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"
#include "mail_ascii.hh"
#include "mime_fields.hh"

namespace kurir::wire {

using namespace mail_ascii;

namespace {

// A multipart or message whose end has not been seen.
struct OpenContainer {
  PartIndex part;
  PartIndex last_child = no_part;
  std::string boundary{};  // empty: nothing matches (a message, or a multipart that names none)
};

struct BoundaryLine {
  std::size_t container;  // index in the stack
  bool closing;           // "--boundary--"
};

class StructureParser {
 public:
  explicit StructureParser(std::string_view message) : message_(message) {}

  MimeStructure run() {
    begin_part(no_part, 0);
    while (at_ < message_.size()) take_line();
    while (in_header_) end_header(message_.size());
    end_containers(0, message_.size(), lines_);
    return std::move(structure_);
  }

 private:
  MimePart& part(PartIndex index) { return structure_.parts[index]; }
  bool full() const { return structure_.parts.size() >= limits::mime_parts_max; }

  void take_line() {
    const std::size_t octets = line_octets(message_.substr(at_));
    const std::string_view line = message_.substr(at_, octets);
    if (const auto boundary = boundary_line(line)) return take_boundary(*boundary, octets);
    at_ += octets;
    lines_ += line.ends_with('\n') ? 1 : 0;
    if (in_header_ && line.ends_with('\n') && without_line_end(line).empty()) end_header(at_);
  }

  // Innermost first: the same boundary at several levels means the inner one. The whole line must
  // match, else a boundary that begins with another would end the wrong part.
  std::optional<BoundaryLine> boundary_line(std::string_view line) const {
    if (boundaries_ == 0 || !line.starts_with("--")) return std::nullopt;
    line = without_line_end(line.substr(2));
    while (!line.empty() && is_wsp(line.back())) line.remove_suffix(1);
    if (line.size() > limits::mime_boundary_octets_max + 2) return std::nullopt;
    for (std::size_t i = open_.size(); i-- > 0;) {
      const std::string& boundary = open_[i].boundary;
      if (boundary.empty() || !line.starts_with(boundary)) continue;
      const std::string_view behind = line.substr(boundary.size());
      const bool closing = behind == "--";
      if (behind.empty() && full()) continue;  // the leaf goes on
      if (behind.empty() || closing) return BoundaryLine{i, closing};
    }
    return std::nullopt;
  }

  void take_boundary(BoundaryLine boundary, std::size_t line_size) {
    // The line end before belongs to the boundary, unless it ended a header or another boundary.
    const std::size_t line_end =
        at_ > content_begin_ ? line_end_octets(message_.substr(0, at_)) : 0;
    const std::size_t content_end = at_ - line_end;
    while (in_header_) end_header(content_end);
    end_containers(boundary.container + 1, content_end, lines_ - (line_end > 0 ? 1 : 0));
    at_ += line_size;
    lines_ += message_[at_ - 1] == '\n' ? 1 : 0;
    if (boundary.closing) {
      open_[boundary.container].boundary.clear();  // what follows is the epilogue
      --boundaries_;
    } else {
      begin_part(open_[boundary.container].part, at_);
    }
  }

  // The parent, if any, is the innermost open container.
  void begin_part(PartIndex parent, std::size_t begin) {
    const auto index = static_cast<PartIndex>(structure_.parts.size());
    MimePart& added = structure_.parts.emplace_back();
    added.parent = parent;
    added.header = {begin, begin};
    current_ = index;
    in_header_ = true;
    content_begin_ = begin;
    if (parent == no_part) return;
    added.depth = static_cast<std::uint16_t>(part(parent).depth + 1);
    OpenContainer& container = open_.back();
    KURIR_ASSERT(container.part == parent);
    if (container.last_child == no_part) {
      part(parent).first_child = index;
    } else {
      part(container.last_child).next_sibling = index;
    }
    container.last_child = index;
    ++part(parent).children;
  }

  void end_header(std::size_t end) {
    MimePart& ended = part(current_);
    ended.header.end = end;
    ended.body = {end, end};
    content_begin_ = end;
    ended.lines = lines_;  // until end_part(): those before the body
    in_header_ = false;
    read_mime_fields(ended, ended.header.of(message_), in_digest(ended));
    if (ended.is_type("multipart")) {
      begin_multipart(ended);
    } else if (ended.is_type("message") &&
               (same(ended.subtype, "rfc822") || same(ended.subtype, "global"))) {
      begin_message(ended);
    }
  }

  bool in_digest(const MimePart& child) {
    if (child.parent == no_part) return false;
    const MimePart& parent = part(child.parent);
    return parent.kind == MimeKind::multipart && same(parent.subtype, "digest");
  }

  bool may_have_parts(const MimePart& container) const {
    return container.depth < limits::mime_depth_max && !full();
  }

  void begin_multipart(MimePart& multipart) {
    if (!may_have_parts(multipart)) return make_opaque(multipart);
    multipart.kind = MimeKind::multipart;
    OpenContainer& container = open_.emplace_back();
    container.part = current_;
    current_ = no_part;  // the preamble belongs to no part
    const MimeParameter* boundary = multipart.parameter("boundary");
    if (boundary == nullptr || boundary->value.size() > limits::mime_boundary_octets_max) return;
    std::string_view value = boundary->value;
    while (!value.empty() && is_wsp(value.back())) value.remove_suffix(1);
    container.boundary = value;
    if (!value.empty()) ++boundaries_;
  }

  void begin_message(MimePart& outer) {
    if (!may_have_parts(outer)) return make_opaque(outer);
    outer.kind = MimeKind::message;
    open_.emplace_back().part = current_;
    begin_part(current_, outer.body.begin);
  }

  // Ends the current part and all containers of the stack from first on.
  void end_containers(std::size_t first, std::size_t end, std::size_t lines) {
    if (current_ != no_part) end_part(part(current_), end, lines);
    current_ = no_part;
    while (open_.size() > first) {
      const PartIndex index = open_.back().part;
      if (!open_.back().boundary.empty()) --boundaries_;
      end_part(part(index), end, lines);
      open_.pop_back();
      if (part(index).children == 0) add_only_part(index);
    }
  }

  void end_part(MimePart& ended, std::size_t end, std::size_t lines) {
    ended.body.end = end;
    ended.lines = end > ended.body.begin ? lines - ended.lines : 0;
  }

  // A multipart in which no boundary was found: its text is shown as one part, for IMAP has no
  // multipart without parts.
  void add_only_part(PartIndex multipart) {
    if (full()) return make_opaque(part(multipart));
    const auto index = static_cast<PartIndex>(structure_.parts.size());
    MimePart& added = structure_.parts.emplace_back();
    MimePart& parent = part(multipart);
    added.parent = multipart;
    added.depth = static_cast<std::uint16_t>(parent.depth + 1);
    added.header = {parent.body.begin, parent.body.begin};
    added.body = parent.body;
    added.lines = parent.lines;
    parent.first_child = index;
    parent.children = 1;
  }

  std::string_view message_;
  std::size_t at_ = 0;             // the line to be read
  std::size_t lines_ = 0;          // line ends before at_
  std::size_t content_begin_ = 0;  // where the current header or body begins
  MimeStructure structure_{};
  std::vector<OpenContainer> open_{};
  std::size_t boundaries_ = 0;   // in open_
  PartIndex current_ = no_part;  // whose header or body the line is in
  bool in_header_ = false;
};

}  // namespace

bool MimePart::is_type(std::string_view wanted) const { return same(type, wanted); }

const MimeParameter* MimePart::parameter(std::string_view name) const {
  const auto found = std::ranges::find_if(parameters, [name](const auto& p) { return p.is(name); });
  return found == parameters.end() ? nullptr : &*found;
}

// A number counts the children of a multipart. In a message that is no multipart, the number 1 is
// the message's own body.
std::optional<PartIndex> MimeStructure::find_part(std::span<const std::uint32_t> numbers) const {
  if (numbers.empty()) return std::nullopt;
  PartIndex at = 0;
  bool entering = true;  // at is a message that the next number looks into
  for (const std::uint32_t number : numbers) {
    if (!entering && parts[at].kind == MimeKind::leaf) return std::nullopt;
    if (!entering && parts[at].kind == MimeKind::message) at = parts[at].first_child;
    entering = false;
    if (parts[at].kind != MimeKind::multipart) {
      if (number != 1) return std::nullopt;
      continue;
    }
    if (number == 0 || number > parts[at].children) return std::nullopt;
    at = parts[at].first_child;
    for (std::uint32_t i = 1; i < number; ++i) at = parts[at].next_sibling;
  }
  return at;
}

std::optional<OctetRange> MimeStructure::section(std::span<const std::uint32_t> numbers,
                                                 SectionText text) const {
  const MimePart* whole = nullptr;  // the message that HEADER and TEXT speak of
  if (numbers.empty()) {
    whole = &parts[0];
    if (text == SectionText::whole) return OctetRange{0, whole->body.end};
    if (text == SectionText::mime) return std::nullopt;
  } else {
    const auto found = find_part(numbers);
    if (!found) return std::nullopt;
    const MimePart& part = parts[*found];
    if (text == SectionText::whole) return part.body;
    if (text == SectionText::mime) return part.header;
    if (part.kind != MimeKind::message) return std::nullopt;
    whole = &parts[part.first_child];
  }
  return text == SectionText::text ? whole->body : whole->header;
}

MimeStructure parse_mime(std::string_view message) { return StructureParser(message).run(); }

}  // namespace kurir::wire
