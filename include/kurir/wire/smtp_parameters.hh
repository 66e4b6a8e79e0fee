#pragma once
// ESMTP parameters of MAIL and RCPT (RFC 5321 4.1.2): keyword[=value], a row per keyword in a
// table. Only what the session offered is taken; twice the same is a fault. Views look into the
// command. Any core.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "kurir/wire/smtp_fault.hh"

namespace kurir::wire {

enum class SmtpParameter : std::uint8_t {
  size,
  body,
  auth,
  smtputf8,
  ret,
  envid,
  notify,
  orcpt,
  mt_priority,
  hold_for,
  hold_until,
  deliver_by,
  require_tls,
};

// The parameters that a session offered.
class SmtpParameterSet {
 public:
  constexpr SmtpParameterSet() = default;
  template <class... P>
  constexpr explicit SmtpParameterSet(P... parameters) : bits_((0u | ... | bit(parameters))) {}

  constexpr bool has(SmtpParameter parameter) const { return (bits_ & bit(parameter)) != 0; }
  constexpr void add(SmtpParameter parameter) { bits_ |= bit(parameter); }

 private:
  static constexpr std::uint32_t bit(SmtpParameter parameter) {
    return 1u << static_cast<unsigned>(parameter);
  }
  std::uint32_t bits_ = 0;
};

inline constexpr SmtpParameterSet smtp_dsn_parameters{SmtpParameter::ret, SmtpParameter::envid,
                                                      SmtpParameter::notify, SmtpParameter::orcpt};

// One keyword with its value as written. has_value tells "SIZE=" from "SIZE".
struct SmtpParameterText {
  std::string_view keyword;
  std::string_view value;
  bool has_value = false;
};

// Walks keyword[=value] *(SP keyword[=value]); spaces at the ends are allowed.
class SmtpParameterReader {
 public:
  explicit SmtpParameterReader(std::string_view text);
  bool at_end() const { return rest_.empty(); }
  std::expected<SmtpParameterText, SmtpFaultKind> next();

 private:
  std::string_view rest_;
};

// RFC 6152, RFC 3030 3.
enum class BodyType : std::uint8_t { seven_bit, eight_bit_mime, binary_mime };
enum class DsnReturn : std::uint8_t { unspecified, full, headers };  // RFC 3461 4.3

// RFC 2852 4: by-time, by-mode and by-trace.
struct DeliverBy {
  std::int64_t seconds = 0;  // from now on; negative only where it notifies
  bool notifies = false;     // N: the sender is told when it has passed; R, else: it comes back
  bool traces = false;       // T: also when it is passed on
  friend bool operator==(const DeliverBy&, const DeliverBy&) = default;
};

struct MailParameters {
  std::optional<std::uint64_t> size;  // RFC 1870
  BodyType body = BodyType::seven_bit;
  bool smtputf8 = false;  // RFC 6531
  DsnReturn ret = DsnReturn::unspecified;
  std::optional<std::string_view> auth;   // RFC 4954 5: "<>", or xtext of an address
  std::optional<std::string_view> envid;  // RFC 3461 4.4: xtext, at most 100 octets
  std::int8_t priority = 0;               // RFC 6710: -9 to 9
  // RFC 4865: one of them at most.
  std::optional<std::uint64_t> hold_for_seconds;
  std::optional<std::int64_t> hold_until_seconds;  // since 1970, UTC
  std::optional<DeliverBy> deliver_by;
  bool require_tls = false;  // RFC 8689
};

struct RcptParameters {
  // RFC 3461 4.1. never excludes the others; none given: the default, failure (and delay).
  struct Notify {
    bool given = false;
    bool never = false;
    bool success = false;
    bool failure = false;
    bool delay = false;
  };
  Notify notify;
  std::optional<std::string_view> orcpt;  // RFC 3461 4.2: type;xtext, at most 500 octets
};

std::expected<MailParameters, SmtpFaultKind> parse_mail_parameters(std::string_view text,
                                                                   SmtpParameterSet offered);
std::expected<RcptParameters, SmtpFaultKind> parse_rcpt_parameters(std::string_view text,
                                                                   SmtpParameterSet offered);

// xtext (RFC 3461 4): whether it is well-formed and decodes to visible ASCII or spaces only
// (threats.md D1: a CR, LF or NUL behind a "+0D" must never reach a file or a peer).
bool is_clean_xtext(std::string_view xtext);
// Precondition: is_clean_xtext. Allocates: for what is kept.
std::string decode_xtext(std::string_view xtext);
std::string encode_xtext(std::string_view text);

}  // namespace kurir::wire
