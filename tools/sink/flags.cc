#include "flags.hh"

#include <unistd.h>

#include <fstream>
#include <sstream>

#include "kurir/io/clock.hh"
#include "kurir/sink/personality.hh"
#include "kurir/tls/certificate.hh"

namespace {

using kurir::io::SocketAddress;
using kurir::sink::Options;
using kurir::sink::Stage;

void add_tls_flags(CLI::App& program, Flags& flags) {
  const auto tls = program.add_flag("--tls", flags.tls, "from the first octet");
  program.add_flag("--starttls", flags.starttls, "offered")->excludes(tls);
  const auto certificate =
      program
          .add_option("--tls-cert", flags.tls_certificate,
                      "PEM file of the chain; else one for the host name, signed by itself")
          ->check(CLI::ExistingFile);
  program.add_option("--tls-key", flags.tls_key, "PEM file of its key, where it is another")
      ->check(CLI::ExistingFile)
      ->needs(certificate);
}

void refuse(CLI::App& program, const std::string& flag, const std::string& instead) {
  program.add_option_function<std::string>(
      flag, [flag, instead](const std::string&) { throw CLI::ValidationError(flag, instead); },
      "refused: " + instead);
}

void add_rule_flags(CLI::App& program, Flags& flags) {
  Options& options = flags.options;
  program.add_option(
      "--rule,--reply", flags.rules,
      "STAGE [PERCENT%] ACTION, as 'RCPT 10% 451 4.7.1 greylisted'; STAGE: CONNECT HELLO STARTTLS "
      "HANDSHAKE MAIL RCPT DATA END RSET NOOP VRFY QUIT; ACTION: a reply, "
      "delay 200ms[+-100ms| exp| again 30%], disconnect [after OCTETS], silent, "
      "read RATE, pause 5s, abort 5s");
  program.add_option("--domain", flags.of_domains, "DOMAIN RULE, for recipients of that domain")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  program.add_option("--domain-rule", flags.domain_rules, "the same as one word");
  program.add_option("--disconnect", flags.disconnects, "STAGE [PERCENT%]");
  program.add_option("--silent", flags.silences, "STAGE [PERCENT%]: no answer at all");
  program.add_option("--delay", flags.delays, "STAGE TIME, as 'END 200ms+-100ms'");
  program.add_option("--personality", flags.personalities, "TOML file of rules");
  program.add_flag("--greylist", options.greylist,
                   "451 to the first try of each client, sender and recipient");
  program.add_flag("!--no-local-parts", options.local_parts,
                   "451-x@, tempfail@, timeout@ and their like are as any other");
  program.add_option("--seed", options.seed, "of chance");
  program.add_option("--read-rate", options.octets_per_second, "octets a second, a connection");
}

void add_counting_flags(CLI::App& program, Flags& flags) {
  Options& options = flags.options;
  program.add_option("--expect", options.expected, "messages of a kurir-blast run");
  program.add_flag(
      "--plain", [&options](std::int64_t) { options.audits = false; }, "looks at no stamps");
  program.add_option("-M,--stop-after", options.stop_after, "so many messages");
  program.add_option("-n,--stop-after-sessions", options.sessions_stop_after, "so many sessions");
  program.add_option("-m", flags.waiting_connections_max, "connections at once; others wait");
  program.add_option("--connections-max", options.connections_max, "at once; others hear 421");
  program.add_option("--message-size-max", options.message_octets_max, "octets; more: 552")
      ->transform(CLI::AsSizeValue(false));
  program.add_option("-t", flags.timeout, "seconds for a command or more content (300)");
  program.add_option("--cores", options.cores, "threads; as many as it may run on");
  program.add_flag("-c,--counter", flags.counter, "show a line a second");
  program.add_flag("-v", options.show_conversations, "show the conversations");
  program.add_option("-s", flags.show_at, "show these commands: mail,rcpt,data,.");
  program.add_flag("--json", flags.json, "the summary as one JSON object");
  program.add_option("--port-file", flags.port_file,
                     "the addresses are written here when it listens: its own, then 'pop3 ADDRESS' "
                     "and 'imap ADDRESS'");
}

void add_protocol_flags(CLI::App& program, Flags& flags) {
  Options& options = flags.options;
  program.add_option("-h,--hostname", options.hostname, "that the banner says");
  program.add_flag("-L,--lmtp", options.lmtp, "an answer a recipient");
  program.add_flag("-p,--no-pipelining", flags.no_pipelining, "not announced");
  program.add_flag("-8,--no-8bitmime", flags.no_8bit, "not announced");
  program.add_flag("-E,--no-enhanced-codes", flags.no_codes, "not announced");
  program.add_flag("-N,--no-dsn", flags.no_dsn, "not announced");
  program.add_flag("--no-chunking", flags.no_chunking, "not announced");
  program.add_flag("--no-smtputf8", flags.no_utf8, "not announced");
  program.add_flag("-e,--no-ehlo", flags.no_ehlo, "HELO only");
  program.add_flag("-P", flags.pix, "a greeting as through a CISCO PIX; HELO only");
  program.add_flag("-a,-C,-F", flags.never_announced,
                   "AUTH, XCLIENT and XFORWARD are never announced");
  program.add_flag("-4", flags.ipv4, "IPv4 only");
  program.add_flag("-6", flags.ipv6, "IPv6 only");
}

void add_smtp_sink_flags(CLI::App& program, Flags& flags) {
  program.add_option("-f", flags.refuse_at, "these commands are refused for good; implies -p");
  program.add_option("-r", flags.put_off_at, "these commands are refused for now; implies -p");
  program.add_option("-B", flags.hard, "the reply of -f");
  program.add_option("-b", flags.soft, "the reply of -r");
  program.add_option("-q,--disconnect-at", flags.disconnect_at, "at these commands: mail,rcpt,.");
  program.add_option("-Q", flags.end_at, "421, then disconnects, at these commands");
  program.add_option("-w", flags.data_wait, "seconds before the answer to DATA");
  program.add_option("-W", flags.waits, "COMMAND:SECONDS[:ODDS], before the answer");
  program.add_option("-H", flags.read_wait, "seconds between the answer to DATA and reading on");
  program.add_option("-A", flags.abort_after, "seconds behind 354 until 550 and the end");
  program.add_option("-d", flags.options.dump.one_each, "a file a message: strftime template");
  program.add_option("-D", flags.options.dump.together, "messages appended to a file: the same");
  program.add_option("-S", flags.options.dump.begin, "before each message in a file; C escapes");
  refuse(program, "-R", "give the process its root with chroot(8) or unshare(1)");
  refuse(program, "-u",
         "start it as that user: setpriv --reuid=USER --clear-groups kurir-sink ...");
  refuse(program, "-T", "the kernel's: sysctl net.ipv4.tcp_rmem");
}

void add_rule(Flags& flags, const std::string& text, const std::string& domain = {}) {
  auto rule = kurir::sink::parse_rule(text, domain);
  if (!rule) throw CLI::ValidationError("rule", rule.error());
  flags.options.rules.push_back(std::move(*rule));
}

// "mail,rcpt data,.".
std::vector<std::string> commands_of(const std::string& flag, const std::string& text) {
  std::vector<std::string> commands;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find_first_of(", \t", begin), text.size());
    const std::string command = text.substr(begin, end - begin);
    begin = end + 1;
    if (command.empty()) continue;
    if (!kurir::sink::parse_stage(command))
      throw CLI::ValidationError(flag, "no command that can be waited for: " + command);
    commands.push_back(command);
  }
  return commands;
}

void add_rules(Flags& flags, const std::string& flag, const std::string& commands,
               const std::string& action) {
  for (const std::string& command : commands_of(flag, commands))
    add_rule(flags, command + " " + action);
}

// "rcpt:2:30" waits 2 s, and again for as long as a throw of 0..99 is below 30.
void add_wait(Flags& flags, const std::string& text) {
  std::istringstream words(text);
  std::string command, seconds, odds;
  std::getline(words, command, ':');
  std::getline(words, seconds, ':');
  std::getline(words, odds);
  std::string rule = command + " delay " + seconds + "s";
  if (!odds.empty()) rule += " again " + odds + "%";
  if (!kurir::sink::parse_rule(rule))
    throw CLI::ValidationError("-W", "expected COMMAND:SECONDS[:ODDS], ODDS from 1 to 99");
  add_rule(flags, rule);
}

// Waits first: what decides ends the list.
void interpret_rules(Flags& flags) {
  for (const std::string& wait : flags.waits) add_wait(flags, wait);
  if (flags.data_wait > 0) add_rule(flags, "DATA delay " + std::to_string(flags.data_wait) + "s");
  if (flags.read_wait > 0) add_rule(flags, "DATA pause " + std::to_string(flags.read_wait) + "s");
  for (const std::string& delay : flags.delays) {
    const std::size_t space = std::min(delay.find(' '), delay.size());
    add_rule(flags, delay.substr(0, space) + " delay" + delay.substr(space));
  }
  for (const auto& [domain, rule] : flags.of_domains) add_rule(flags, rule, domain);
  for (const std::string& rule : flags.domain_rules) {
    const std::size_t space = rule.find(' ');
    if (space == std::string::npos)
      throw CLI::ValidationError("--domain-rule", "expected DOMAIN and a rule");
    add_rule(flags, rule.substr(space + 1), rule.substr(0, space));
  }
  for (const std::string& rule : flags.rules) add_rule(flags, rule);
  for (const std::string& rule : flags.disconnects) add_rule(flags, rule + " disconnect");
  for (const std::string& rule : flags.silences) add_rule(flags, rule + " silent");
  add_rules(flags, "-q", flags.disconnect_at, "disconnect");
  add_rules(flags, "-Q", flags.end_at, "421 4.3.2 Closing the connection");
  add_rules(flags, "-f", flags.refuse_at, flags.hard);
  add_rules(flags, "-r", flags.put_off_at, flags.soft);
  if (flags.abort_after) add_rule(flags, "DATA abort " + std::to_string(*flags.abort_after) + "s");
  for (const std::string& path : flags.personalities) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    if (!file) throw CLI::ValidationError("--personality", path + " cannot be read");
    const auto added = kurir::sink::add_personality(flags.options, text.str(), path);
    if (!added) throw CLI::ValidationError("--personality", added.error());
  }
}

SocketAddress address_of(const Flags& flags) {
  std::string text = flags.address;
  if (text.starts_with("unix:")) text.erase(0, 5);
  if (text.starts_with("inet:")) text.erase(0, 5);
  const bool is_path = text.starts_with('/') || flags.address.starts_with("unix:");
  if (is_path) return SocketAddress::unix_path(text);
  if (text.find(':') == std::string::npos) text = (flags.ipv6 ? "[::1]:" : "127.0.0.1:") + text;
  if (text.starts_with(':')) text = (flags.ipv6 ? "[::]" : "0.0.0.0") + text;
  if (text.starts_with("localhost:")) text = (flags.ipv6 ? "[::1]" : "127.0.0.1") + text.substr(9);
  const auto address = SocketAddress::parse(text);
  if (!address) throw CLI::ValidationError(flags.address, "expected HOST:PORT, HOST an address");
  const bool is_ipv6 = address->family() == kurir::io::Family::ipv6;
  if ((flags.ipv4 && is_ipv6) || (flags.ipv6 && !is_ipv6))
    throw CLI::ValidationError(flags.address, "is of the other family than -4 or -6 says");
  return *address;
}

// The escapes of C.
std::string unescape(const std::string& text) {
  constexpr std::string_view letters = "abfnrtv\\", octets = "\a\b\f\n\r\t\v\\";
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      out += text[at];
      continue;
    }
    const char next = at + 1 < text.size() ? text[++at] : '\\';
    if (const std::size_t known = letters.find(next); known != std::string_view::npos) {
      out += octets[known];
      continue;
    }
    if (next < '0' || next > '7') throw CLI::ValidationError("-S", "unknown escape in " + text);
    unsigned octet = 0;
    std::size_t end = at;
    while (end < text.size() && end < at + 3 && text[end] >= '0' && text[end] <= '7')
      octet = octet * 8 + static_cast<unsigned>(text[end++] - '0');
    out += static_cast<char>(octet);
    at = end - 1;
  }
  return out;
}

void interpret_protocol(Flags& flags) {
  Options& options = flags.options;
  const bool refuses = !flags.refuse_at.empty() || !flags.put_off_at.empty();
  const auto without = [&options](bool wanted, std::string_view extension) {
    if (wanted) std::erase(options.extensions, extension);
  };
  without(flags.no_pipelining || refuses, "PIPELINING");
  without(flags.no_8bit, "8BITMIME");
  without(flags.no_codes, "ENHANCEDSTATUSCODES");
  without(flags.no_dsn, "DSN");
  without(flags.no_chunking, "CHUNKING");
  without(flags.no_utf8, "SMTPUTF8");
  options.extended = !flags.no_ehlo && !flags.pix;
  // As Postfix's smtp_pix_workarounds tell a PIX.
  if (flags.pix) options.greeting = "220 " + std::string(32, '*');
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

kurir::tls::Certificate certificate_of(const Flags& flags) {
  if (flags.tls_certificate.empty()) {
    auto made = kurir::tls::make_self_signed(flags.options.hostname, kurir::io::system_wall_time());
    if (!made) throw CLI::ValidationError("--tls", "no certificate can be made here");
    return *std::move(made);
  }
  const std::string& key = flags.tls_key.empty() ? flags.tls_certificate : flags.tls_key;
  auto read = kurir::tls::parse_certificate(content_of(flags.tls_certificate), content_of(key));
  if (!read) throw CLI::ValidationError("--tls-cert", read.error());
  return *std::move(read);
}

void interpret_tls(Flags& flags) {
  if (!flags.tls && !flags.starttls) {
    if (!flags.tls_certificate.empty())
      throw CLI::ValidationError("--tls-cert", "needs --tls or --starttls");
    return;
  }
  std::vector<kurir::tls::Certificate> certificates;
  certificates.push_back(certificate_of(flags));
  auto context =
      kurir::tls::ServerContext::make(std::move(certificates), kurir::tls::Version::tls_1_2);
  if (!context) throw CLI::ValidationError("--tls-cert", context.error());
  flags.options.tls = std::move(*context);
  flags.options.tls_at_once = flags.tls;
}

void interpret_mailboxes(const Flags& flags) {
  if (flags.serves() && flags.data.empty())
    throw CLI::ValidationError("--data", "mailboxes need a folder: --data FOLDER");
  if (!flags.serves() && !flags.data.empty())
    throw CLI::ValidationError("--data", "is for --serve-pop3 and --serve-imap");
  for (const std::string& text : {flags.serve_pop3, flags.serve_imap})
    if (!text.empty() && !SocketAddress::parse(text))
      throw CLI::ValidationError(text, "expected HOST:PORT, HOST an address");
}

}  // namespace

void add_flags(CLI::App& program, Flags& flags) {
  program
      .add_option("address", flags.address,
                  "HOST:PORT, :PORT of every address, PORT of loopback, or unix:PATH; port 0: one "
                  "that is free")
      ->required();
  program
      .add_option("backlog", flags.backlog, "smtp-sink wants it; the kernel's bound counts here")
      ->check(CLI::NonNegativeNumber);
  add_rule_flags(program, flags);
  add_counting_flags(program, flags);
  add_protocol_flags(program, flags);
  add_smtp_sink_flags(program, flags);
  add_tls_flags(program, flags);
  program.add_option("--serve-pop3", flags.serve_pop3, "HOST:PORT: what was taken, to be read");
  program.add_option("--serve-imap", flags.serve_imap, "the same");
  program.add_option("--data", flags.data, "the folder of the mailboxes");
  program.add_option("--password", flags.password, "of every mailbox; its name is the address");
}

void interpret(Flags& flags) {
  Options& options = flags.options;
  options.address = address_of(flags);
  interpret_rules(flags);
  interpret_protocol(flags);
  interpret_tls(flags);
  interpret_mailboxes(flags);
  for (const std::string& command : commands_of("-s", flags.show_at))
    options.shown_commands.push_back(*kurir::sink::parse_stage(command));
  options.dump.begin = unescape(options.dump.begin);
  if (flags.timeout > 0) options.timeout = kurir::Seconds(flags.timeout);
  if (flags.waiting_connections_max) {
    options.connections_max = *flags.waiting_connections_max;
    options.connections_wait = true;
  }
  options.show_progress = flags.counter || (::isatty(STDERR_FILENO) != 0 && !flags.json);
}
