#include "kurir/wire/imap_structure.hh"

#include "imap_text.hh"

namespace kurir::wire {

namespace {

class StructureWriter {
 public:
  StructureWriter(ImapWriter& writer, const MimeStructure& structure, std::string_view message,
                  StructureForm form)
      : writer_(writer), structure_(structure), message_(message), form_(form) {}

  // Goes down to first children, then to the next sibling of the nearest part that has one.
  void run() {
    PartIndex at = 0;
    begin(at);
    while (true) {
      if (const PartIndex child = part(at).first_child; child != no_part) {
        at = child;
      } else {
        end(at);
        while (part(at).next_sibling == no_part) {
          at = part(at).parent;
          if (at == no_part) return;
          end(at);
        }
        at = part(at).next_sibling;
      }
      begin(at);
    }
  }

 private:
  const MimePart& part(PartIndex index) const { return structure_.parts[index]; }

  // What stands before the parts of a part.
  void begin(PartIndex index) {
    const MimePart& begun = part(index);
    writer_.raw("(");
    if (begun.kind == MimeKind::multipart) return;
    fields(begun);
    if (begun.kind != MimeKind::message) return;
    append_envelope(writer_.raw(" "), part(begun.first_child).header.of(message_));
    writer_.raw(" ");
  }

  // What stands behind them.
  void end(PartIndex index) {
    const MimePart& ended = part(index);
    if (ended.kind == MimeKind::multipart) {
      append_text(writer_.raw(" "), ended.subtype);
      if (form_ == StructureForm::body_structure) parameters(ended.parameters);
    } else {
      if (ended.kind == MimeKind::message || ended.is_type("text"))
        writer_.raw(" ").number(ended.lines);
      if (form_ == StructureForm::body_structure) {
        writer_.raw(" ");
        append_text_or_nil(writer_, ended.md5);
      }
    }
    if (form_ == StructureForm::body_structure) extensions(ended);
    writer_.raw(")");
  }

  void fields(const MimePart& shown) {
    append_text(writer_, shown.type);
    append_text(writer_.raw(" "), shown.subtype);
    if (shown.is_type("text") && shown.parameter("charset") == nullptr) {
      default_charset(shown);
    } else {
      parameters(shown.parameters);
    }
    append_text_or_nil(writer_.raw(" "), shown.id);
    append_text_or_nil(writer_.raw(" "), shown.description);
    append_text(writer_.raw(" "), shown.encoding.empty() ? "7bit" : shown.encoding);
    writer_.raw(" ").number(shown.body.size());
  }

  // RFC 2046 4.1.2: text is US-ASCII where nothing else is said.
  void default_charset(const MimePart& shown) {
    std::vector<MimeParameter> all = shown.parameters;
    all.insert(all.begin(), {.name = "charset", .value = "us-ascii"});
    parameters(all);
  }

  void parameters(const std::vector<MimeParameter>& all) {
    if (all.empty()) {
      writer_.raw(" NIL");
      return;
    }
    std::string_view separator = " (";
    for (const MimeParameter& parameter : all) {
      writer_.raw(separator);
      append_text(writer_, parameter.extended ? parameter.name + "*" : parameter.name);
      append_text(writer_.raw(" "), parameter.value);
      separator = " ";
    }
    writer_.raw(")");
  }

  void extensions(const MimePart& shown) {
    if (shown.disposition.value.empty()) {
      writer_.raw(" NIL");
    } else {
      append_text(writer_.raw(" ("), shown.disposition.value);
      parameters(shown.disposition.parameters);
      writer_.raw(")");
    }
    languages(shown.languages);
    append_text_or_nil(writer_.raw(" "), shown.location);
  }

  void languages(const std::vector<std::string>& all) {
    if (all.size() == 1) return append_text(writer_.raw(" "), all[0]);
    if (all.empty()) {
      writer_.raw(" NIL");
      return;
    }
    std::string_view separator = " (";
    for (const std::string& language : all) {
      append_text(writer_.raw(separator), language);
      separator = " ";
    }
    writer_.raw(")");
  }

  ImapWriter& writer_;
  const MimeStructure& structure_;
  std::string_view message_;
  StructureForm form_;
};

}  // namespace

void append_structure(ImapWriter& writer, const MimeStructure& structure, std::string_view message,
                      StructureForm form) {
  StructureWriter(writer, structure, message, form).run();
}

}  // namespace kurir::wire
