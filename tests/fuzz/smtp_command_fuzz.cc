// Feeds octets to the parser of SMTP commands, and to those of paths, addresses and xtext.
#include "input.hh"
#include "kurir/wire/smtp_command.hh"

namespace kurir::wire {
namespace {

SmtpCommandOptions options_of(unsigned choice) {
  SmtpCommandOptions options;
  options.utf8_transaction = (choice & 1) != 0;
  if ((choice & 2) == 0) return options;
  options.offered = smtp_dsn_parameters;
  for (const auto parameter :
       {SmtpParameter::size, SmtpParameter::body, SmtpParameter::auth, SmtpParameter::smtputf8})
    options.offered.add(parameter);
  return options;
}

void check_address(const AddressView& view) {
  const Address address = view.own();
  KURIR_ASSERT(fuzz::is_one_line(address.text()));
  const auto again = parse_address(address.text(), {.utf8 = true});
  KURIR_ASSERT(again.has_value());
  KURIR_ASSERT(again->own() == address);
  KURIR_ASSERT(address.view().own() == address);
  // What a local part means survives being written anew.
  const std::string name = unquoted_local_part(address.local_part());
  KURIR_ASSERT(unquoted_local_part(quoted_local_part(name)) == name);
  KURIR_ASSERT(quoted_local_part(name) == address.local_part());
}

void check_path(const PathView& view) {
  if (view.kind != PathKind::address) return;
  check_address(view.address);
  const Path path = view.own();
  const std::string text = "<" + std::string(path.text()) + ">";
  const auto again = parse_reverse_path(text, {.utf8 = true});
  KURIR_ASSERT(again.is_match());
  KURIR_ASSERT(again.consumed() == text.size());
  KURIR_ASSERT(again.value().own() == path);
}

void check_xtext(std::string_view text) {
  const std::string encoded = encode_xtext(text);
  if (is_clean_xtext(encoded)) KURIR_ASSERT(decode_xtext(encoded) == text);
  if (!is_clean_xtext(text)) return;
  const std::string decoded = decode_xtext(text);
  KURIR_ASSERT(fuzz::is_one_line(decoded));
  KURIR_ASSERT(is_clean_xtext(encode_xtext(decoded)));
  KURIR_ASSERT(decode_xtext(encode_xtext(decoded)) == decoded);
}

void check_command(std::string_view input, const SmtpCommandOptions& options) {
  const auto parsed = parse_smtp_command(input, options);
  if (parsed.is_fault()) {
    KURIR_ASSERT(parsed.fault().consumed <= input.size());
    KURIR_ASSERT(parsed.fault().line_is_lost() == (parsed.fault().consumed == 0));
  }
  if (!parsed.is_match()) return;
  const SmtpCommand& command = parsed.value();
  KURIR_ASSERT(input.substr(0, parsed.consumed()).ends_with("\r\n"));
  KURIR_ASSERT(command.line.size() + 2 == parsed.consumed());
  KURIR_ASSERT(fuzz::is_one_line(command.line));
  if (command.verb == SmtpVerb::mail || command.verb == SmtpVerb::rcpt) check_path(command.path);
  if (command.mail.envid) check_xtext(*command.mail.envid);
  if (command.mail.envid) KURIR_ASSERT(is_clean_xtext(*command.mail.envid));
}

}  // namespace
}  // namespace kurir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  std::string_view input = fuzz::text_of(data, size);
  const unsigned choice = fuzz::take_octet(input);
  const std::size_t cut = choice >> 2;
  const wire::SmtpCommandOptions options = wire::options_of(choice);
  fuzz::check_prefixes(input, cut, [&](std::string_view octets) {
    return wire::parse_smtp_command(octets, options);
  });
  wire::check_command(input, options);
  wire::check_xtext(input);
  for (const bool utf8 : {false, true}) {
    if (const auto address = wire::parse_address(input, {.utf8 = utf8}))
      wire::check_address(*address);
    const auto reverse = wire::parse_reverse_path(input, {.utf8 = utf8});
    if (reverse.is_match()) wire::check_path(reverse.value());
    const auto forward = wire::parse_forward_path(input, {.utf8 = utf8});
    if (forward.is_match()) wire::check_path(forward.value());
  }
  return 0;
}
