#pragma once
// Replies octet by octet, right and wrong ones: independent of the codec under test.

#include <cstdint>
#include <string>
#include <string_view>

#include "kurir/dns/answer.hh"

namespace kurir::dns::test {

inline std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}
inline std::string u32(std::uint32_t value) { return u16(value >> 16) + u16(value & 0xffff); }

// Uncompressed; "" is the root.
inline std::string wire_name(std::string_view text) {
  std::string wire;
  while (!text.empty()) {
    const std::string_view label = text.substr(0, text.find('.'));
    wire += static_cast<char>(label.size());
    wire += label;
    text.remove_prefix(std::min(label.size() + 1, text.size()));
  }
  return wire + '\0';
}

inline constexpr unsigned response = 0x8180;  // QR, RD, RA
inline constexpr unsigned truncated = 0x0200;
inline constexpr unsigned authentic = 0x0020;
inline const std::string to_question = u16(0xc00c);  // a pointer to the name that was asked for

inline std::string record(const std::string& owner, RecordType type, std::uint32_t ttl,
                          const std::string& data) {
  return owner + u16(static_cast<unsigned>(type)) + u16(1) + u32(ttl) +
         u16(static_cast<unsigned>(data.size())) + data;
}
inline std::string a(std::uint8_t last, std::uint32_t ttl = 300,
                     const std::string& owner = to_question) {
  return record(owner, RecordType::a, ttl, {127, 0, 0, static_cast<char>(last)});
}
inline std::string aaaa(std::uint8_t last, std::uint32_t ttl = 300) {
  return record(to_question, RecordType::aaaa, ttl,
                std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + char(last));
}
inline std::string cname(const std::string& target, const std::string& owner = to_question,
                         std::uint32_t ttl = 300) {
  return record(owner, RecordType::cname, ttl, wire_name(target));
}
inline std::string mx(unsigned preference, const std::string& exchange, std::uint32_t ttl = 300) {
  return record(to_question, RecordType::mx, ttl, u16(preference) + wire_name(exchange));
}
inline std::string txt(std::string_view text, std::uint32_t ttl = 300) {
  std::string data;
  do {
    const std::string_view piece = text.substr(0, 255);
    data += static_cast<char>(piece.size());
    data += piece;
    text.remove_prefix(piece.size());
  } while (!text.empty());
  return record(to_question, RecordType::txt, ttl, data);
}
inline std::string soa(std::uint32_t ttl, std::uint32_t minimum) {
  return record(
      to_question, static_cast<RecordType>(6), ttl,
      wire_name("ns") + wire_name("host") + u32(1) + u32(2) + u32(3) + u32(4) + u32(minimum));
}

// The question section of a query, its additional section left out.
inline std::string question_of(std::string_view query) {
  std::size_t at = 12;
  while (query[at] != 0) at += static_cast<unsigned char>(query[at]) + 1U;
  return std::string(query.substr(12, at + 5 - 12));
}
inline std::string asked_name(std::string_view query) {
  std::string text;
  for (std::size_t at = 12; query[at] != 0;) {
    const auto length = static_cast<unsigned char>(query[at]);
    for (const char c : query.substr(at + 1, length))
      text += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    text += '.';
    at += length + 1U;
  }
  if (!text.empty()) text.pop_back();
  return text;
}
inline RecordType asked_type(std::string_view query) {
  const std::string question = question_of(query);
  return static_cast<RecordType>(static_cast<unsigned char>(question[question.size() - 3]));
}
inline bool is_extended(std::string_view query) { return query[11] != 0; }

struct Sections {
  std::string answer, authority, additional;
  unsigned answers = 0, authorities = 0, additionals = 0;
};

inline std::string reply_to(std::string_view query, unsigned flags, const Sections& sections = {}) {
  return std::string(query.substr(0, 2)) + u16(flags) + u16(1) + u16(sections.answers) +
         u16(sections.authorities) + u16(sections.additionals) + question_of(query) +
         sections.answer + sections.authority + sections.additional;
}
inline std::string reply_to(std::string_view query, const std::string& answer,
                            unsigned answers = 1) {
  return reply_to(query, response, Sections{.answer = answer, .answers = answers});
}
inline std::string denial(std::string_view query, unsigned code, std::uint32_t minimum = 60) {
  return reply_to(query, response | code,
                  Sections{.authority = soa(3600, minimum), .authorities = 1});
}

}  // namespace kurir::dns::test
