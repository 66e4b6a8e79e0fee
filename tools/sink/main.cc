// kurir-sink: flags to a sink, what it saw to a summary.

#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <fstream>

#include "flags.hh"
#include "kurir/io/file.hh"
#include "kurir/sink/run.hh"
#include "mailboxes.hh"

namespace {

constexpr int exit_not_clean = 1;

int complain(const Flags& flags, const kurir::Error& error) {
  const bool is_address = error.origin == kurir::Origin::socket;
  kurir::io::print_error("kurir-sink: " + (is_address ? flags.address + " cannot be listened on"
                                                      : kurir::io::Driver::explain_failure(error)));
  return is_address ? EX_UNAVAILABLE : EX_OSERR;
}

kurir::Result<kurir::sink::Report> count_only(Flags& flags) {
  flags.options.listening = [&flags](const kurir::io::SocketAddress& bound) {
    if (!flags.port_file.empty()) std::ofstream(flags.port_file) << bound.text() << '\n';
    if (!flags.json) kurir::io::print_error("kurir-sink listens on " + bound.text());
  };
  return kurir::sink::run(flags.options);
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
  ServeOutcome outcome;
  if (flags.serves()) {
    outcome = serve_mailboxes(flags);
  } else {
    outcome.report = count_only(flags);
  }
  if (outcome.exit_code != 0) return outcome.exit_code;
  const auto& report = outcome.report;
  if (!report) return complain(flags, report.error());
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
