// Time is linear, by counting and not by a clock (threats.md E1, E2): the parsers are compiled with
// a call at every edge of their control flow; the octets that they copy, search and allocate count
// too. Twice the input may cost at most 2.3 times the work, and no octet may cost much.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>
#include <string>

#include "kurir/wire/date.hh"
#include "kurir/wire/encoded_word.hh"
#include "kurir/wire/header.hh"
#include "kurir/wire/imap_structure.hh"
#include "kurir/wire/text_search.hh"

namespace {
std::uint64_t work = 0;
constexpr std::uint64_t octets_a_step = 16;  // what the machine copies in the time of a branch
}  // namespace

extern "C" {
void __sanitizer_cov_trace_pc_guard(std::uint32_t*) { ++work; }
void __sanitizer_cov_trace_pc_guard_init(std::uint32_t*, std::uint32_t*) {}

void* __real_memcpy(void* to, const void* from, std::size_t octets);
void* __real_memmove(void* to, const void* from, std::size_t octets);
void* __real_memchr(const void* in, int octet, std::size_t octets);

void* __wrap_memcpy(void* to, const void* from, std::size_t octets) {
  work += octets / octets_a_step;
  return __real_memcpy(to, from, octets);
}
void* __wrap_memmove(void* to, const void* from, std::size_t octets) {
  work += octets / octets_a_step;
  return __real_memmove(to, from, octets);
}
void* __wrap_memchr(const void* in, int octet, std::size_t octets) {
  void* const found = __real_memchr(in, octet, octets);
  const auto* const begin = static_cast<const char*>(in);
  const auto* const end = static_cast<const char*>(found);
  work += (found == nullptr ? octets : static_cast<std::size_t>(end - begin)) / octets_a_step;
  return found;
}
}

void* operator new(std::size_t octets) {
  work += octets / octets_a_step + 1;
  if (void* const memory = std::malloc(octets)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace kurir::wire {
namespace {

std::string times(std::size_t n, std::string_view text) {
  std::string all;
  all.reserve(n * text.size());
  for (std::size_t i = 0; i < n; ++i) all += text;
  return all;
}

std::string numbered(std::size_t n, std::string_view before, std::string_view behind) {
  std::string all;
  for (std::size_t i = 0; i < n; ++i) all.append(before).append(std::to_string(i)).append(behind);
  return all;
}

// Everything that is done to a message that somebody looks at.
std::uint64_t work_on(const std::string& message) {
  const HeaderNames names{"From", "Subject", "X-Absent"};
  const TextSearch search("no such text");
  std::string text;
  text.reserve(message.size() * 16);
  work = 0;
  const MimeStructure structure = parse_mime(message);
  const std::string_view header = structure.parts[0].header.of(message);
  ImapWriter writer(text);
  append_envelope(writer, header);
  append_structure(writer, structure, message, StructureForm::body_structure);
  append_selected_fields(text, header, names, HeaderSelection::others);
  (void)search.matches_text(message, structure);
  HeaderReader reader(header);
  while (const auto field = reader.next()) {
    (void)parse_mail_date(field->value);
  }
  for (const MimeParameter& parameter : structure.parts[0].parameters) (void)parameter.decoded();
  return work;
}

struct Generator {
  std::string_view name;
  std::size_t n;
  std::function<std::string(std::size_t n)> message;
};

const Generator generators[] = {
    {"lines", 4000,
     [](auto n) { return "\r\n" + times(n, "a line of text that says nothing\r\n"); }},
    {"one line", 200'000, [](auto n) { return "\r\n" + std::string(n, 'n'); }},
    {"From fields", 4000, [](auto n) { return times(n, "From: a@b\r\n") + "\r\n"; }},
    {"addresses", 4000, [](auto n) { return "To: " + times(n, "a,") + "\r\n\r\n"; }},
    {"no addresses", 100'000, [](auto n) { return "To: " + times(n, ",") + "\r\n\r\n"; }},
    {"groups", 2000, [](auto n) { return "To: " + times(n, "a:b;") + "\r\n\r\n"; }},
    {"colons", 4000, [](auto n) { return "To: " + times(n, ":") + "\r\n\r\n"; }},
    {"angles", 50'000, [](auto n) { return "To: " + times(n, "<") + "\r\n\r\n"; }},
    {"ats", 50'000, [](auto n) { return "To: " + times(n, "@") + "\r\n\r\n"; }},
    {"route", 50'000, [](auto n) { return "To: <" + times(n, "@a,") + "\r\n\r\n"; }},
    {"words", 50'000, [](auto n) { return "To: " + times(n, "a ") + "\r\n\r\n"; }},
    {"quotes", 50'000, [](auto n) { return "To: " + times(n, "\"") + "\r\n\r\n"; }},
    {"escapes", 50'000, [](auto n) { return "To: \"" + times(n, "\\\"") + "\r\n\r\n"; }},
    {"comments", 50'000, [](auto n) { return "To: " + times(n, "(a)") + "\r\n\r\n"; }},
    {"nested comments", 50'000, [](auto n) { return "To: " + times(n, "(") + "\r\n\r\n"; }},
    {"comments in a date", 50'000, [](auto n) { return "Date: " + times(n, "(") + "\r\n\r\n"; }},
    {"folded lines", 20'000, [](auto n) { return "Subject: a" + times(n, "\r\n b") + "\r\n\r\n"; }},
    {"References", 5000, [](auto n) { return times(n, "References: <a@b>\r\n") + "\r\n"; }},
    {"lines without colon", 20'000, [](auto n) { return times(n, "no\r\n") + "\r\n"; }},
    {"encoded-words", 5000,
     [](auto n) { return "Subject: " + times(n, "=?utf-8?q?a?= ") + "\r\n\r\n"; }},
    {"charsets", 2000,
     [](auto n) { return "Subject: " + numbered(n, "=?x-", "?q?a?= ") + "\r\n\r\n"; }},
    {"open words", 20'000, [](auto n) { return "Subject: " + times(n, "=?a") + "\r\n\r\n"; }},
    {"open texts", 20'000, [](auto n) { return "Subject: " + times(n, "=?a?q?b") + "\r\n\r\n"; }},
    {"parameters", 400,
     [](auto n) { return "Content-Type: text/plain" + times(n, "; x=y") + "\r\n\r\n"; }},
    {"continuations", 400,
     [](auto n) { return "Content-Type: text/plain" + numbered(n, "; a*", "*=%41") + "\r\n\r\n"; }},
    {"same continuation", 400,
     [](auto n) { return "Content-Type: text/plain" + times(n, "; a*0*=b") + "\r\n\r\n"; }},
    {"semicolons", 50'000,
     [](auto n) { return "Content-Type: text/plain" + times(n, ";") + "\r\n\r\n"; }},
    {"percent signs", 50'000,
     [](auto n) { return "Content-Type: text/plain; a*=" + times(n, "%") + "\r\n\r\n"; }},
    {"languages", 400, [](auto n) { return "Content-Language: " + times(n, "de,") + "\r\n\r\n"; }},
    {"empty parts", 4000,
     [](auto n) {
       return "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + times(n, "--b\r\n\r\n");
     }},
    {"digest parts", 2000,
     [](auto n) {
       return "Content-Type: multipart/digest; boundary=b\r\n\r\n" + times(n, "--b\r\n\r\n\r\n");
     }},
    {"multiparts in parts", 1500,
     [](auto n) {
       return "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
              times(n, "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n");
     }},
    {"nested multiparts", 2000,
     [](auto n) {
       return numbered(n, "Content-Type: multipart/a; boundary=b\r\n\r\n--b\r\n", "\r\n");
     }},
    {"nested messages", 5000,
     [](auto n) { return times(n, "Content-Type: message/rfc822\r\n\r\n"); }},
    {"dashes", 50'000,
     [](auto n) {
       std::string head;
       for (int i = 0; i < 100; ++i) head += "Content-Type: multipart/a; boundary=-\r\n\r\n---\r\n";
       return head + times(n, "--\r\n");
     }},
    {"boundary", 100'000,
     [](auto n) {
       const std::string b(n, 'b');
       return "Content-Type: multipart/a; boundary=" + b + "\r\n\r\n--" + b + "\r\n\r\n--" + b;
     }},
    {"base64", 5000,
     [](auto n) {
       return "Content-Transfer-Encoding: base64\r\n\r\n" + times(n, "bm8gc3VjaCB0ZXg=\r\n");
     }},
    {"white space", 200'000,
     [](auto n) {
       return "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + std::string(n, ' ');
     }},
    {"soft breaks", 50'000,
     [](auto n) {
       return "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + times(n, "=\r\n");
     }},
    {"leads of UTF-8", 100'000, [](auto n) { return "\r\n" + times(n, "\xF0\x90"); }},
};

TEST(Work, is_linear_in_the_message) {
  for (const Generator& generator : generators) {
    const std::string once = generator.message(generator.n);
    const std::string twice = generator.message(generator.n * 2);
    const auto work_once = static_cast<double>(work_on(once));
    const auto work_twice = static_cast<double>(work_on(twice));
    EXPECT_LE(work_twice / work_once, 2.3) << generator.name;
    EXPECT_LE(work_twice / static_cast<double>(twice.size()), 200) << generator.name;
    EXPECT_GT(work_once, 0) << generator.name;
  }
}

// The count itself: a search that starts over at each octet is seen to be quadratic.
TEST(Work, counts_what_is_not_linear) {
  const auto spent = [](std::size_t n) {
    const std::string text(n, 'a');
    work = 0;
    for (std::size_t i = 0; i < n; ++i) (void)header_octets(std::string_view(text).substr(i));
    return static_cast<double>(work);
  };
  EXPECT_GE(spent(8000) / spent(4000), 3);
}

}  // namespace
}  // namespace kurir::wire
