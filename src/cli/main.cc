// Flags to command. Each command is a file of its own beside this one.

#include <sysexits.h>

#include <exception>
#include <span>

#include "kurir/cli/commands.hh"
#include "kurir/cli/sendmail.hh"
#include "kurir/io/file.hh"

namespace {

int run(int count, char** arguments) {
  int exit_code = EX_OK;
  CLI::App program("Kurir, a mail system in one process", "kurir");
  program.require_subcommand(1);
  program.set_version_flag("--version", kurir::cli::version_text);
  kurir::cli::add_serve(program, exit_code);
  kurir::cli::add_check(program, exit_code);
  kurir::cli::add_init(program, exit_code);
  kurir::cli::add_user(program, exit_code);
  kurir::cli::add_domain(program, exit_code);
  kurir::cli::add_alias(program, exit_code);
  kurir::cli::add_sender(program, exit_code);
  kurir::cli::add_queue(program, exit_code);
  kurir::cli::add_mailbox(program, exit_code);
  kurir::cli::add_why(program, exit_code);
  kurir::cli::add_counters(program, exit_code);
  kurir::cli::add_reload(program, exit_code);
  kurir::cli::add_stop(program, exit_code);
  kurir::cli::add_unit(program, exit_code);
  try {
    program.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? EX_OK : EX_USAGE;
  }
  return exit_code;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    for (int i = 0; i < count && i < 2; ++i) {  // the program's name, or its first argument
      const std::string name = kurir::cli::mail_name_of(arguments[i]);
      const std::span<char* const> rest(arguments + i + 1, static_cast<std::size_t>(count - i - 1));
      if (name == "sendmail") return kurir::cli::run_sendmail(rest);
      if (name == "mailq") return kurir::cli::run_mailq(rest);
    }
    return run(count, arguments);
  } catch (const std::exception& error) {
    kurir::io::print_error(std::string("kurir: ") + error.what());
    return EX_SOFTWARE;
  }
}
