#pragma once
// What came of a load run. Core-local while it runs; merged at its end.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "kurir/base/clock.hh"
#include "kurir/base/histogram.hh"

namespace kurir::blast {

enum class Stage : std::uint8_t {
  connect,  // until the connection stands
  tls,      // the handshake
  banner,   // then until 220
  hello,    // EHLO to its reply
  auth,
  mail,
  rcpt,
  data,     // DATA to 354
  content,  // the last octet of the content to 250
  message,  // all of a message: from when it was due (at a rate), or MAIL, to the last reply
  // Operations on a mailbox (Operation), in their order.
  login,
  select,
  fetch_flags,
  fetch_envelope,
  fetch_body,
  store,
  search,
  append,
  idle,
};
inline constexpr std::array<std::string_view, 19> stage_names = {
    "connect",    "tls",     "banner",  "hello",  "auth",   "mail",        "rcpt",
    "data",       "content", "message", "login",  "select", "fetch_flags", "fetch_envelope",
    "fetch_body", "store",   "search",  "append", "idle"};

// A reason why a message or a connection came to nothing that is no reply.
enum class Loss : std::uint8_t {
  refused,
  unreachable,
  closed,
  timed_out,
  exhausted,
  other,
  tls  // no agreement, or a certificate that is not believed
};
inline constexpr std::array<std::string_view, 7> loss_names = {
    "refused", "unreachable", "closed", "timed_out", "exhausted", "other", "tls"};

struct Report {
  std::uint64_t accepted = 0;    // messages, 250 for all their recipients
  std::uint64_t refused = 0;     // messages of which a recipient, or all, were refused
  std::uint64_t lost = 0;        // messages whose fate is unknown: the connection ended within
  std::uint64_t recipients = 0;  // accepted
  std::uint64_t connections = 0;
  std::uint64_t octets = 0;                          // of accepted content
  std::array<Histogram, stage_names.size()> stages;  // nanoseconds
  std::map<unsigned, std::uint64_t> refusals;        // by reply code
  std::array<std::uint64_t, loss_names.size()> losses{};
  Nanoseconds elapsed{};   // of what was measured
  double cpu_seconds = 0;  // of this process
  bool interrupted = false;
  bool of_mailboxes = false;  // operations, instead of messages

  void merge(const Report& other);
  bool all_accepted() const;
  double rate() const;  // accepted messages a second
};

// For people, several lines; one JSON object.
std::string text_of(const Report& report);
std::string json_of(const Report& report);

}  // namespace kurir::blast
