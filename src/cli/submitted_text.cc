#include "kurir/cli/submitted_text.hh"

#include <algorithm>

#include "kurir/wire/address.hh"
#include "kurir/wire/address_list.hh"
#include "kurir/wire/base64.hh"
#include "kurir/wire/header.hh"

namespace kurir::cli {
namespace {

constexpr std::size_t encoded_word_octets_max = 45;  // before base64: a line of 76 (RFC 2047 2)

bool is_ascii_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

// Where `text` is cut so that no UTF-8 character is.
std::size_t cut_of(std::string_view text) {
  if (text.size() <= encoded_word_octets_max) return text.size();
  std::size_t cut = encoded_word_octets_max;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0U) == 0x80) --cut;
  return cut == 0 ? encoded_word_octets_max : cut;
}

// A display name: quoted, or encoded where it is not ASCII (RFC 5322 3.2.4, RFC 2047).
std::string phrase_of(std::string_view name) {
  std::string phrase;
  if (is_ascii_text(name)) {
    phrase = '"';
    for (const char c : name) {
      if (c == '"' || c == '\\') phrase += '\\';
      phrase += c;
    }
    return phrase + '"';
  }
  while (!name.empty()) {
    const std::size_t cut = cut_of(name);
    if (!phrase.empty()) phrase += "\r\n ";
    phrase += "=?utf-8?B?" + wire::encode_base64(name.substr(0, cut)) + "?=";
    name.remove_prefix(cut);
  }
  return phrase;
}

// The section that the input begins with, and what of the input it takes.
struct Section {
  std::string_view fields;
  std::size_t octets = 0;
  bool is_cut = false;
};

bool begins_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  std::string_view name = line.substr(0, colon);
  while (name.ends_with(' ') || name.ends_with('\t')) name.remove_suffix(1);
  return !name.empty() && std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f; });
}

Section section_of(std::string_view input) {
  std::size_t begin = 0;
  if (input.starts_with("From ") || input.starts_with(">From "))  // of an mbox
    begin = std::min(input.find("\r\n") + 2, input.size());
  std::size_t at = begin;
  for (;;) {
    const std::size_t end = input.find("\r\n", at);
    if (end == std::string_view::npos) return {input.substr(begin, at - begin), at, true};
    const std::string_view line = input.substr(at, end - at);
    if (line.empty()) return {input.substr(begin, at - begin), end + 2};
    const bool is_folded = at > begin && (line.front() == ' ' || line.front() == '\t');
    if (!is_folded && !begins_field(line)) break;
    at = end + 2;
  }
  return {input.substr(begin, at - begin), at};
}

void add_addresses(std::vector<std::string>& into, std::string_view value,
                   std::string_view hostname) {
  for (const wire::ListedAddress& listed : wire::parse_address_list(value).addresses) {
    if (listed.kind != wire::AddressKind::mailbox || listed.local_part.empty()) continue;
    const std::string local_part = wire::quoted_local_part(listed.local_part);
    const std::string address =
        listed.domain.empty() ? local_part : local_part + '@' + listed.domain;
    into.push_back(qualified(address, hostname));
  }
}

const wire::HeaderNames dropped = {"Bcc", "Resent-Bcc", "Return-Path"};
const wire::HeaderNames addressing = {"To", "Cc", "Bcc"};
const wire::HeaderNames resent_addressing = {"Resent-To", "Resent-Cc", "Resent-Bcc"};

}  // namespace

// --- LineEnds

void LineEnds::feed(std::string_view octets, std::string& out) {
  for (const char c : octets) {
    if (ended_) return;
    take(c, out);
  }
}

void LineEnds::take(char c, std::string& out) {
  if (has_cr_) {
    has_cr_ = false;
    end_line(out);
    if (c == '\n' || ended_) return;
  }
  if (c == '\r') {
    has_cr_ = true;
  } else if (c == '\n') {
    end_line(out);
  } else {
    if (has_dot_) out += '.';
    has_dot_ = dot_ends_ && at_line_start_ && c == '.';
    at_line_start_ = false;
    is_8bit_ = is_8bit_ || static_cast<unsigned char>(c) >= 0x80;
    if (!has_dot_) out += c;
  }
}

void LineEnds::end_line(std::string& out) {
  ended_ = has_dot_;
  has_dot_ = false;
  at_line_start_ = true;
  if (!ended_) out += "\r\n";
}

void LineEnds::finish(std::string& out) {
  if (ended_) return;
  if (has_cr_ || !at_line_start_) end_line(out);
  has_cr_ = false;
}

// --- the header section

std::string qualified(std::string_view address, std::string_view hostname) {
  if (address.find('@') != std::string_view::npos) return std::string(address);
  return std::string(address) + '@' + std::string(hostname);
}

SubmittedHeader complete_header(std::string_view input, const HeaderOptions& options) {
  SubmittedHeader header;
  const Section section = section_of(input);
  header.octets_read = section.octets;
  header.is_cut = section.is_cut;
  std::string kept;
  std::vector<std::string> recipients, resent_recipients;
  bool has_date = false, has_id = false, has_from = false, is_addressed = false, is_resent = false;
  wire::HeaderReader reader(section.fields);
  while (const std::optional<wire::HeaderField> field = reader.next()) {
    if (addressing.contains(field->name)) add_addresses(recipients, field->value, options.hostname);
    if (resent_addressing.contains(field->name))
      add_addresses(resent_recipients, field->value, options.hostname);
    is_resent = is_resent || resent_addressing.contains(field->name);
    has_date = has_date || field->is("Date");
    has_id = has_id || field->is("Message-ID");
    has_from = has_from || field->is("From");
    if (dropped.contains(field->name)) continue;
    is_addressed = is_addressed || field->is("To") || field->is("Cc");
    kept += field->raw;
  }
  if (options.reads_recipients)
    header.recipients = std::move(is_resent ? resent_recipients : recipients);
  const std::string author =
      options.sender.empty() ? "MAILER-DAEMON@" + options.hostname : options.sender;
  if (!has_date) header.text += "Date: " + options.date + "\r\n";
  if (!has_id) header.text += "Message-ID: <" + options.unique + '@' + options.hostname + ">\r\n";
  if (!has_from)
    header.text +=
        "From: " +
        (options.full_name.empty() ? author : phrase_of(options.full_name) + " <" + author + '>') +
        "\r\n";
  if (!is_addressed) header.text += "To: undisclosed-recipients:;\r\n";
  header.text += kept + "\r\n";
  return header;
}

}  // namespace kurir::cli
