#include "kurir/blast/letters.hh"

#include <algorithm>
#include <charconv>

#include "kurir/wire/header.hh"
#include "kurir/wire/load_stamp.hh"

namespace kurir::blast {
namespace {

constexpr std::size_t line_octets = 72;  // of a made body, with its CRLF

std::string with_crlf(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 16);
  for (const char c : text) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out;
}

// RFC 5321 4.5.2, and the dot line that ends it.
std::string stuffed(std::string_view body) {
  std::string out;
  out.reserve(body.size() + 8);
  bool at_line_start = true;
  for (const char c : body) {
    if (at_line_start && c == '.') out += '.';
    out += c;
    at_line_start = c == '\n';
  }
  return out + ".\r\n";
}

// What spreads numbers over choices (SplitMix64).
std::uint64_t mixed(std::uint64_t number) {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  return number ^ (number >> 31);
}

std::vector<Weighted> contents_of(const Options& options) {
  if (options.messages_of.empty()) return options.sizes;
  return std::vector<Weighted>(options.messages_of.size(), Weighted{});
}

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end);
}

}  // namespace

Options::Login Options::login(std::uint64_t turn) const {
  if (!logins.empty()) return logins[turn % logins.size()];
  Login login{user, password};
  if (const std::size_t place = user.find("%d"); place != std::string::npos)
    login.user.replace(place, 2, std::to_string(turn % users + 1));
  return login;
}

WeightedChoice::WeightedChoice(const std::vector<Weighted>& among) {
  std::uint64_t end = 0;
  for (const Weighted& one : among) ends_.push_back(end += one.weight);
}

std::size_t WeightedChoice::of(std::uint64_t number) const {
  if (ends_.size() < 2) return 0;
  const std::uint64_t place = mixed(number) % ends_.back();
  return static_cast<std::size_t>(std::ranges::upper_bound(ends_, place) - ends_.begin());
}

Letters::Letters(const Options& options)
    : options_(options), choice_(contents_of(options)), domains_(options.domains) {
  for (const std::string& message : options.messages_of)
    bodies_.push_back(body_of(with_crlf(message)));
  if (bodies_.empty())
    for (const Weighted& size : options.sizes)
      bodies_.push_back(body_of_size(std::stoull(size.value)));
  const std::size_t at = options.recipient.rfind('@');
  local_part_ = options.recipient.substr(0, at);
  if (const std::size_t place = local_part_.find("%d"); place != std::string::npos) {
    after_user_ = local_part_.substr(place + 2);
    local_part_.resize(place);
  }
  if (at != std::string::npos) domain_ = options.recipient.substr(at + 1);
  fields_ = "From: <" + options.sender + ">\r\nTo: <" + options.recipient +
            ">\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\nSubject: load test\r\n";
}

Letters::Body Letters::body_of(std::string_view whole) {
  Body body;
  const std::size_t header = wire::header_octets(whole);
  body.header = whole.substr(0, header);
  if (body.header.ends_with("\r\n\r\n")) body.header.resize(body.header.size() - 2);
  body.plain = whole.substr(header);
  body.stuffed = stuffed(body.plain);
  body.hash = wire::load_stamp_hash(body.plain);
  return body;
}

Letters::Body Letters::body_of_size(std::size_t octets) {
  Body body;
  body.plain.reserve(octets);
  while (body.plain.size() + line_octets + 2 <= octets) {
    body.plain.append(line_octets - 2, static_cast<char>('a' + body.plain.size() / 72 % 26));
    body.plain += "\r\n";
  }
  if (octets >= body.plain.size() + 2) {
    body.plain.append(octets - body.plain.size() - 2, 'z');
    body.plain += "\r\n";
  }
  body.stuffed = stuffed(body.plain);
  body.hash = wire::load_stamp_hash(body.plain);
  return body;
}

Letters::Letter Letters::letter(std::uint64_t number) const {
  const Body& chosen = body(number);
  return {chosen.stuffed, chosen.plain};
}

void Letters::append_header(std::string& out, std::uint64_t number) const {
  const Body& chosen = body(number);
  wire::append_load_stamp(out, {.run = options_.run_id,
                                .number = number,
                                .octets = chosen.plain.size(),
                                .hash = chosen.hash});
  if (!chosen.header.empty()) {
    out += chosen.header;
  } else {
    out += fields_;
    out += "Message-ID: <";
    append_number(out, number);
    out += '.';
    append_number(out, options_.run_id);
    out += '@';
    out += options_.hello;
    out += ">\r\n";
  }
  out += "\r\n";
}

void Letters::append_recipient(std::string& out, std::uint64_t number, unsigned ordinal) const {
  if (options_.recipients > 1) append_number(out, ordinal + 1);
  if (options_.number_recipients) append_number(out, number);
  out += local_part_;
  if (after_user_) {
    append_number(out, number % options_.users + 1);
    out += *after_user_;
  }
  const std::string_view domain =
      options_.domains.empty() ? domain_ : options_.domains[domains_.of(number)].value;
  if (domain.empty()) return;
  out += '@';
  out += domain;
}

}  // namespace kurir::blast
