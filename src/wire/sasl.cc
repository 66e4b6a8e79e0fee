#include "kurir/wire/sasl.hh"

#include "kurir/base/limits.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/base64.hh"

namespace kurir::wire {
namespace {

constexpr std::unexpected<SaslFault> bad_message{SaslFault::bad_message};

bool is_name(std::string_view text) {
  return text.size() <= limits::sasl_name_octets_max && is_clean_utf8(text);
}

// RFC 4616 asks for text; controls in it would only ever be an attack on what shows it.
bool is_password(std::string_view text) {
  return !text.empty() && text.size() <= limits::sasl_password_octets_max && is_clean_utf8(text);
}

}  // namespace

std::expected<std::string_view, SaslFault> decode_sasl(std::string_view line, std::span<char> out) {
  if (line == "*") return std::unexpected(SaslFault::cancelled);
  if (line.size() > limits::smtp_auth_octets_max) return std::unexpected(SaslFault::too_long);
  const auto decoded = decode_base64(line, out);
  if (decoded) return std::string_view(decoded->data(), decoded->size());
  const bool has_room = base64_decoded_octets_max(line.size()) <= out.size();
  return std::unexpected(has_room ? SaslFault::bad_base64 : SaslFault::too_long);
}

std::expected<std::string_view, SaslFault> decode_initial_response(std::string_view argument,
                                                                   std::span<char> out) {
  if (argument == "=") return std::string_view();
  if (argument.empty()) return std::unexpected(SaslFault::bad_base64);
  return decode_sasl(argument, out);
}

std::expected<SaslPlain, SaslFault> parse_sasl_plain(std::string_view message) {
  const std::size_t first = message.find('\0');
  if (first == std::string_view::npos) return bad_message;
  const std::size_t second = message.find('\0', first + 1);
  if (second == std::string_view::npos) return bad_message;
  const SaslPlain plain = {message.substr(0, first), message.substr(first + 1, second - first - 1),
                           message.substr(second + 1)};
  // A third NUL is in the password, and refused there.
  if (plain.authcid.empty() || !is_name(plain.authzid) || !is_name(plain.authcid) ||
      !is_password(plain.password)) {
    return bad_message;
  }
  return plain;
}

std::expected<std::string_view, SaslFault> check_sasl_login(std::string_view message) {
  if (!is_password(message)) return bad_message;
  return message;
}

}  // namespace kurir::wire
