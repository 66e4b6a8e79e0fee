// kurir-sink: flags to a sink, what it saw to a summary. The flags of smtp-sink mean what they mean
// there.

#include <sysexits.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include "kurir/io/file.hh"
#include "kurir/sink/run.hh"

namespace {

using kurir::sink::Options;

constexpr int exit_not_clean = 1;

struct Flags {
  Options options;
  std::string address, disconnect_at, refuse_at, put_off_at, port_file;
  std::vector<std::string> rules, domain_rules;
  unsigned data_delay = 0;
  bool json = false, counter = false, no_pipelining = false, no_8bit = false, no_ehlo = false,
       plain = false, chunking = false;
};

void add_rule(Flags& flags, const std::string& text, const std::string& domain = {}) {
  auto rule = kurir::sink::parse_rule(text, domain);
  if (!rule) throw CLI::ValidationError("--rule", rule.error());
  flags.options.rules.push_back(std::move(*rule));
}

// smtp-sink's lists of commands: "mail,rcpt,data,.".
void add_rules(Flags& flags, const std::string& commands, const std::string& action) {
  std::size_t begin = 0;
  while (begin < commands.size()) {
    const std::size_t end = std::min(commands.find_first_of(", ", begin), commands.size());
    std::string stage = commands.substr(begin, end - begin);
    if (stage == ".") stage = "END";
    if (CLI::detail::to_lower(stage) == "ehlo" || CLI::detail::to_lower(stage) == "helo")
      stage = "HELLO";
    if (!stage.empty()) add_rule(flags, stage + " " + action);
    begin = end + 1;
  }
}

void add_flags(CLI::App& program, Flags& flags) {
  Options& options = flags.options;
  program.add_option("address", flags.address, "HOST:PORT; port 0: one that is free")->required();
  program.add_option("backlog", "smtp-sink's; taken, and not needed");
  program.add_option("--rule,--reply", flags.rules,
                     "STAGE [PERCENT%] ACTION, as 'RCPT 10% 451 4.7.1 greylisted'");
  program.add_option("--domain-rule", flags.domain_rules,
                     "DOMAIN and a rule, as 'gmail.test RCPT 5% 450 later'");
  program.add_flag("--greylist", options.greylist,
                   "451 to the first try of each sender and recipient");
  program.add_flag("!--no-local-parts", options.local_parts,
                   "451-x@, 550-x@, timeout@ and disconnect@ are as any other");
  program.add_option("--seed", options.seed, "of chance");
  program.add_option("--read-rate", options.octets_per_second, "octets a second, a connection");
  program.add_option("--expect", options.expected, "messages of a kurir-blast run");
  program.add_flag("--plain", flags.plain, "looks at no stamps");
  program.add_option("--stop-after", options.stop_after, "so many messages");
  program.add_option("--message-size-max", options.message_octets_max, "octets; more: 552")
      ->transform(CLI::AsSizeValue(false));
  program.add_option("-m,--connections-max", options.connections_max, "at once");
  program.add_option("-h,--hostname", options.hostname, "that the banner says");
  program.add_flag("-L,--lmtp", options.lmtp, "an answer a recipient");
  program.add_flag("-c,--counter", flags.counter, "show a line a second");
  program.add_flag("-p,--no-pipelining", flags.no_pipelining, "not announced");
  program.add_flag("-8,--no-8bitmime", flags.no_8bit, "not announced");
  program.add_flag("-e,--no-ehlo", flags.no_ehlo, "HELO only");
  program.add_flag("--chunking", flags.chunking, "announced; BDAT is taken");
  program.add_option("-w,--data-delay", flags.data_delay, "seconds before the answer to DATA");
  program.add_option("-q,--disconnect-at", flags.disconnect_at, "these commands: mail,rcpt,data,.");
  program.add_option("-f,--refuse-at", flags.refuse_at, "these commands with 500");
  program.add_option("-r,--put-off-at", flags.put_off_at, "these commands with 450");
  program.add_option("--cores", options.cores, "threads; as many as it may run on");
  program.add_option("--port-file", flags.port_file, "the address is written here when it listens");
  program.add_flag("--json", flags.json, "the summary as one JSON object");
}

void interpret(Flags& flags) {
  Options& options = flags.options;
  std::string text = flags.address;
  if (text.starts_with("inet:")) text.erase(0, 5);
  if (text.find(':') == std::string::npos) text = "127.0.0.1:" + text;
  if (text.starts_with("localhost:")) text = "127.0.0.1" + text.substr(9);
  const auto address = kurir::io::SocketAddress::parse(text);
  if (!address) throw CLI::ValidationError(flags.address, "expected HOST:PORT, HOST an address");
  options.address = *address;
  for (const std::string& rule : flags.rules) add_rule(flags, rule);
  for (const std::string& rule : flags.domain_rules) {
    const std::size_t space = rule.find(' ');
    if (space == std::string::npos)
      throw CLI::ValidationError("--domain-rule", "expected DOMAIN and a rule");
    add_rule(flags, rule.substr(space + 1), rule.substr(0, space));
  }
  add_rules(flags, flags.disconnect_at, "disconnect");
  add_rules(flags, flags.refuse_at, "500 5.3.0 refused");
  add_rules(flags, flags.put_off_at, "450 4.3.0 later");
  if (flags.data_delay > 0) add_rule(flags, "DATA delay " + std::to_string(flags.data_delay) + "s");
  if (flags.no_pipelining) std::erase(options.extensions, "PIPELINING");
  if (flags.no_8bit) std::erase(options.extensions, "8BITMIME");
  if (flags.chunking) options.extensions.emplace_back("CHUNKING");
  options.extended = !flags.no_ehlo;
  options.audits = !flags.plain;
  options.show_progress = flags.counter || (::isatty(STDERR_FILENO) != 0 && !flags.json);
  options.listening = [&flags](const kurir::io::SocketAddress& bound) {
    if (!flags.port_file.empty()) std::ofstream(flags.port_file) << bound.text() << '\n';
    if (!flags.json) kurir::io::print_error("kurir-sink listens on " + bound.text());
  };
}

int run(int count, char** arguments) {
  Flags flags;
  CLI::App program("kurir-sink: takes mail, counts it, or plays a difficult host", "kurir-sink");
  program.set_help_flag("--help", "Print this help message and exit");
  program.footer(
      "Exit codes: 0, 1 mail was lost, duplicated or altered, 64 usage, 69 the address.");
  add_flags(program, flags);
  try {
    program.parse(count, arguments);
    interpret(flags);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? EX_OK : EX_USAGE;
  }
  const auto report = kurir::sink::run(flags.options);
  if (!report) {
    const bool is_address = report.error().origin == kurir::Origin::socket;
    kurir::io::print_error("kurir-sink: " +
                           (is_address ? flags.address + " cannot be listened on"
                                       : kurir::io::Driver::explain_failure(report.error())));
    return is_address ? EX_UNAVAILABLE : EX_OSERR;
  }
  kurir::io::print_output(flags.json ? json_of(*report) : text_of(*report));
  return report->is_clean() ? EX_OK : exit_not_clean;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    kurir::io::print_error(std::string("kurir-sink: ") + error.what());
    return EX_SOFTWARE;
  }
}
