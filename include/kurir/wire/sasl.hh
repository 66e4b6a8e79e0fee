#pragma once
// SASL messages as SMTP, POP3 and IMAP carry them: a line of base64, "*" to cancel, "=" for an
// initial response of no octets (RFC 4954 4, RFC 5034, RFC 9051 6.2.2); PLAIN (RFC 4616) and LOGIN.
// What a message says is checked for form only: who it is, is the directory's to judge. Any core.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

namespace kurir::wire {

enum class SaslFault : std::uint8_t {
  cancelled,    // "*": 501 5.7.0, BAD
  bad_base64,   // 501 5.5.2, BAD
  too_long,     // 500 5.5.6
  bad_message,  // base64, and not what the mechanism says: 501 5.5.2; not counted as a bad password
};

// The client's message decoded into `out`, of which it returns the part used. The caller wipes it
// after use. An empty line is a message of no octets.
std::expected<std::string_view, SaslFault> decode_sasl(std::string_view line, std::span<char> out);
// The same for an initial response, where "=" stands for no octets, and nothing is a fault.
std::expected<std::string_view, SaslFault> decode_initial_response(std::string_view argument,
                                                                   std::span<char> out);

struct SaslPlain {
  std::string_view authzid;  // whom to act as; empty: the same as authcid
  std::string_view authcid;
  std::string_view password;
};
// message = [authzid] NUL authcid NUL passwd, all UTF-8 without NUL (RFC 4616 2), authcid and
// passwd not empty. Views into the message.
std::expected<SaslPlain, SaslFault> parse_sasl_plain(std::string_view message);

// One answer of LOGIN (user name or password): UTF-8 without NUL, not empty.
std::expected<std::string_view, SaslFault> check_sasl_login(std::string_view message);
inline constexpr std::string_view sasl_login_user_prompt = "VXNlcm5hbWU6";      // "Username:"
inline constexpr std::string_view sasl_login_password_prompt = "UGFzc3dvcmQ6";  // "Password:"

}  // namespace kurir::wire
