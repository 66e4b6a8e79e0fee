#include "kurir/wire/smtp_parameters.hh"

#include <algorithm>
#include <array>
#include <span>

#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/internet_date.hh"

namespace kurir::wire {
namespace {

using Fault = std::optional<SmtpFaultKind>;
constexpr SmtpFaultKind bad = SmtpFaultKind::bad_parameter;

struct DecodedOctet {
  char octet;
  std::size_t consumed;  // 0: not xtext
};

// xchar = "!"-"~" except "+" and "="; hexchar = "+" and two upper-case hexadecimal digits.
DecodedOctet decode_xtext_octet(std::string_view rest) {
  if (rest[0] != '+') return {rest[0], is_graphic(rest[0]) && rest[0] != '=' ? 1u : 0u};
  if (rest.size() < 3 || (rest[1] >= 'a' && rest[1] <= 'f') || (rest[2] >= 'a' && rest[2] <= 'f')) {
    return {0, 0};
  }
  const auto high = hex_value(rest[1]);
  const auto low = hex_value(rest[2]);
  if (!high || !low) return {0, 0};
  return {static_cast<char>(*high << 4 | *low), 3};
}

// AUTH=<> or an xtext that decodes to an address (RFC 4954 5).
bool is_auth_value(std::string_view value) {
  if (value == "<>") return true;
  if (!is_clean_xtext(value)) return false;
  std::array<char, limits::path_octets_max> decoded;
  std::size_t octets = 0;
  while (!value.empty()) {
    if (octets == decoded.size()) return false;
    const DecodedOctet next = decode_xtext_octet(value);
    decoded[octets++] = next.octet;
    value.remove_prefix(next.consumed);
  }
  return parse_address({decoded.data(), octets}).has_value();
}

Fault take_size(MailParameters& into, std::string_view value) {
  constexpr std::size_t digits_max = 20;  // RFC 1870 4
  into.size = value.size() > digits_max ? std::nullopt : parse_decimal(value);
  return into.size ? Fault() : bad;
}

Fault take_body(MailParameters& into, std::string_view value) {
  if (equals_ignoring_case(value, "8BITMIME")) {
    into.body = BodyType::eight_bit_mime;
  } else if (equals_ignoring_case(value, "BINARYMIME")) {
    into.body = BodyType::binary_mime;
  } else if (!equals_ignoring_case(value, "7BIT")) {
    return bad;
  }
  return {};
}

Fault take_auth(MailParameters& into, std::string_view value) {
  into.auth = value;
  return is_auth_value(value) ? Fault() : bad;
}

Fault take_smtputf8(MailParameters& into, std::string_view) {
  into.smtputf8 = true;
  return {};
}

Fault take_ret(MailParameters& into, std::string_view value) {
  if (equals_ignoring_case(value, "FULL")) {
    into.ret = DsnReturn::full;
  } else if (equals_ignoring_case(value, "HDRS")) {
    into.ret = DsnReturn::headers;
  } else {
    return bad;
  }
  return {};
}

Fault take_envid(MailParameters& into, std::string_view value) {
  into.envid = value;
  return value.size() <= limits::dsn_envid_octets_max && is_clean_xtext(value) ? Fault() : bad;
}

// priority-value = (["-"] NZDIGIT) / "0"
Fault take_priority(MailParameters& into, std::string_view value) {
  const bool is_negative = value.starts_with('-');
  if (is_negative) value.remove_prefix(1);
  if (value.size() != 1 || value[0] < '0' || value[0] > '9') return bad;
  if (is_negative && value[0] == '0') return bad;
  into.priority = static_cast<std::int8_t>(is_negative ? '0' - value[0] : value[0] - '0');
  return {};
}

// future-release-integer = %x31-39 *8DIGIT
Fault take_hold_for(MailParameters& into, std::string_view value) {
  constexpr std::size_t digits_max = 9;
  if (value.size() > digits_max || value.starts_with('0') || into.hold_until_seconds) return bad;
  into.hold_for_seconds = parse_decimal(value);
  return into.hold_for_seconds ? Fault() : bad;
}

Fault take_hold_until(MailParameters& into, std::string_view value) {
  if (into.hold_for_seconds) return bad;
  into.hold_until_seconds = parse_internet_date(value);
  return into.hold_until_seconds ? Fault() : bad;
}

// by-value = by-time ";" by-mode [by-trace]; by-time = ["-" / "+"] 1*9DIGIT
Fault take_deliver_by(MailParameters& into, std::string_view value) {
  constexpr std::size_t digits_max = 9;
  const bool is_negative = value.starts_with('-');
  if (is_negative || value.starts_with('+')) value.remove_prefix(1);
  const std::string_view digits = value.substr(0, value.find(';'));
  const auto seconds = digits.size() > digits_max ? std::nullopt : parse_decimal(digits);
  if (!seconds || digits.size() == value.size()) return bad;
  value.remove_prefix(digits.size() + 1);
  const bool traces = value.size() == 2 && to_lower(value[1]) == 't';
  if (value.size() != (traces ? 2U : 1U)) return bad;
  DeliverBy by{.seconds = static_cast<std::int64_t>(*seconds), .traces = traces};
  if (is_negative) by.seconds = -by.seconds;
  by.notifies = to_lower(value[0]) == 'n';
  const bool returns = to_lower(value[0]) == 'r';
  if (!by.notifies && (!returns || by.seconds <= 0)) return bad;
  into.deliver_by = by;
  return {};
}

Fault take_require_tls(MailParameters& into, std::string_view) {
  into.require_tls = true;
  return {};
}

// notify-esmtp-value = "NEVER" / 1#( "SUCCESS" / "FAILURE" / "DELAY" )
Fault take_notify(RcptParameters& into, std::string_view value) {
  RcptParameters::Notify& notify = into.notify;
  notify.given = true;
  notify.never = equals_ignoring_case(value, "NEVER");
  if (notify.never) return {};
  for (;;) {
    const std::string_view word = value.substr(0, value.find(','));
    bool* const flag = equals_ignoring_case(word, "SUCCESS")   ? &notify.success
                       : equals_ignoring_case(word, "FAILURE") ? &notify.failure
                       : equals_ignoring_case(word, "DELAY")   ? &notify.delay
                                                               : nullptr;
    if (flag == nullptr || *flag) return bad;
    *flag = true;
    if (word.size() == value.size()) return {};
    value.remove_prefix(word.size() + 1);
  }
}

// original-recipient-address = addr-type ";" xtext
Fault take_orcpt(RcptParameters& into, std::string_view value) {
  into.orcpt = value;
  const std::size_t semicolon = value.find(';');
  if (semicolon == 0 || semicolon == std::string_view::npos) return bad;
  if (value.size() > limits::dsn_orcpt_octets_max) return bad;
  const auto is_type_octet = [](char c) { return is_alphanumeric(c) || c == '-'; };
  if (!std::ranges::all_of(value.substr(0, semicolon), is_type_octet)) return bad;
  const std::string_view xtext = value.substr(semicolon + 1);
  return !xtext.empty() && is_clean_xtext(xtext) ? Fault() : bad;
}

enum class Value : std::uint8_t { none, required };

template <class Into>
struct Row {
  SmtpParameter parameter;
  std::string_view keyword;
  Value value;
  Fault (*take)(Into& into, std::string_view value);
};

constexpr Row<MailParameters> mail_rows[] = {
    {SmtpParameter::size, "SIZE", Value::required, take_size},
    {SmtpParameter::body, "BODY", Value::required, take_body},
    {SmtpParameter::smtputf8, "SMTPUTF8", Value::none, take_smtputf8},
    {SmtpParameter::auth, "AUTH", Value::required, take_auth},
    {SmtpParameter::ret, "RET", Value::required, take_ret},
    {SmtpParameter::envid, "ENVID", Value::required, take_envid},
    {SmtpParameter::mt_priority, "MT-PRIORITY", Value::required, take_priority},
    {SmtpParameter::hold_for, "HOLDFOR", Value::required, take_hold_for},
    {SmtpParameter::hold_until, "HOLDUNTIL", Value::required, take_hold_until},
    {SmtpParameter::deliver_by, "BY", Value::required, take_deliver_by},
    {SmtpParameter::require_tls, "REQUIRETLS", Value::none, take_require_tls},
};

constexpr Row<RcptParameters> rcpt_rows[] = {
    {SmtpParameter::notify, "NOTIFY", Value::required, take_notify},
    {SmtpParameter::orcpt, "ORCPT", Value::required, take_orcpt},
};

template <class Into>
const Row<Into>* find_row(std::span<const Row<Into>> rows, std::string_view keyword,
                          SmtpParameterSet offered) {
  for (const Row<Into>& row : rows) {
    if (equals_ignoring_case(row.keyword, keyword)) {
      return offered.has(row.parameter) ? &row : nullptr;
    }
  }
  return nullptr;
}

template <class Into>
std::expected<Into, SmtpFaultKind> parse_parameters(std::span<const Row<Into>> rows,
                                                    std::string_view text,
                                                    SmtpParameterSet offered) {
  Into into;
  SmtpParameterSet seen;
  SmtpParameterReader reader(text);
  while (!reader.at_end()) {
    const auto next = reader.next();
    if (!next) return std::unexpected(next.error());
    const Row<Into>* row = find_row(rows, next->keyword, offered);
    if (row == nullptr) return std::unexpected(SmtpFaultKind::unknown_parameter);
    const bool takes_value = row->value == Value::required;
    if (seen.has(row->parameter) || next->has_value != takes_value) return std::unexpected(bad);
    seen.add(row->parameter);
    const Fault fault = row->take(into, next->value);
    if (fault) return std::unexpected(*fault);
  }
  return into;
}

bool is_keyword(std::string_view text) {
  const auto is_keyword_octet = [](char c) { return is_alphanumeric(c) || c == '-'; };
  return !text.empty() && text.front() != '-' && std::ranges::all_of(text, is_keyword_octet);
}

// esmtp-value = 1*(%d33-60 / %d62-126)
bool is_value(std::string_view text) {
  const auto is_value_octet = [](char c) { return is_graphic(c) && c != '='; };
  return !text.empty() && std::ranges::all_of(text, is_value_octet);
}

}  // namespace

SmtpParameterReader::SmtpParameterReader(std::string_view text) : rest_(text) {
  while (rest_.starts_with(' ')) rest_.remove_prefix(1);
}

std::expected<SmtpParameterText, SmtpFaultKind> SmtpParameterReader::next() {
  KURIR_ASSERT(!at_end());
  const std::string_view word = take_word(rest_);
  const std::size_t equals = word.find('=');
  const std::string_view keyword = word.substr(0, equals);
  if (!is_keyword(keyword)) return std::unexpected(SmtpFaultKind::syntax);
  if (equals == std::string_view::npos) return SmtpParameterText{keyword, {}, false};
  const std::string_view value = word.substr(equals + 1);
  if (!is_value(value)) return std::unexpected(bad);
  return SmtpParameterText{keyword, value, true};
}

std::expected<MailParameters, SmtpFaultKind> parse_mail_parameters(std::string_view text,
                                                                   SmtpParameterSet offered) {
  return parse_parameters<MailParameters>(mail_rows, text, offered);
}

std::expected<RcptParameters, SmtpFaultKind> parse_rcpt_parameters(std::string_view text,
                                                                   SmtpParameterSet offered) {
  return parse_parameters<RcptParameters>(rcpt_rows, text, offered);
}

bool is_clean_xtext(std::string_view xtext) {
  while (!xtext.empty()) {
    const DecodedOctet next = decode_xtext_octet(xtext);
    if (next.consumed == 0) return false;
    if (!is_graphic(next.octet) && next.octet != ' ') return false;
    xtext.remove_prefix(next.consumed);
  }
  return true;
}

std::string decode_xtext(std::string_view xtext) {
  std::string text;
  while (!xtext.empty()) {
    const DecodedOctet next = decode_xtext_octet(xtext);
    KURIR_ASSERT(next.consumed != 0);
    text.push_back(next.octet);
    xtext.remove_prefix(next.consumed);
  }
  return text;
}

std::string encode_xtext(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string xtext;
  for (const char c : text) {
    if (is_graphic(c) && c != '+' && c != '=') {
      xtext.push_back(c);
    } else {
      const auto octet = static_cast<unsigned char>(c);
      xtext.append({'+', digits[octet >> 4], digits[octet & 15]});
    }
  }
  return xtext;
}

}  // namespace kurir::wire
