#include "password_prompt.hh"

#include <termios.h>
#include <unistd.h>

#include <iostream>

#include "kurir/directory/password.hh"
#include "kurir/directory/scram_keys.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/file.hh"

namespace kurir::cli {
namespace {

// Standard input, a terminal, without its echo for as long as this lives.
class NoEcho {
 public:
  NoEcho() {
    known_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!known_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~NoEcho() {
    if (known_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_{};
  bool known_ = false;
};

std::optional<std::string> read_line() {
  std::string line;
  if (!std::getline(std::cin, line)) return std::nullopt;
  return line;
}

std::optional<std::string> ask(const char* question) {
  io::print_output(question);
  const NoEcho quiet;
  auto line = read_line();
  io::print_output("\n");
  return line;
}

}  // namespace

std::optional<PasswordKeys> keys_of_password(const std::string& password) {
  if (!directory::is_password(password)) {
    io::print_error("kurir: a password has 1 to " + std::to_string(limits::password_octets_max) +
                    " octets");
    return std::nullopt;
  }
  const auto hash =
      directory::hash_password(password, io::system_random(directory::salt_entropy_octets));
  if (!hash) {
    io::print_error("kurir: the password cannot be hashed: is there enough memory?");
    return std::nullopt;
  }
  // A password with letters that SASLprep forbids is good for the other mechanisms.
  const auto scram =
      directory::make_scram_text(password, io::system_random(directory::scram_salt_octets));
  return PasswordKeys{*hash, scram.value_or("")};
}

std::optional<PasswordKeys> ask_password_keys() {
  const bool at_terminal = io::is_terminal(STDIN_FILENO);
  const auto password = at_terminal ? ask("Password: ") : read_line();
  if (!password) {
    io::print_error("kurir: no password was given");
    return std::nullopt;
  }
  if (at_terminal && ask("Again: ") != password) {
    io::print_error("kurir: the two are not the same");
    return std::nullopt;
  }
  return keys_of_password(*password);
}

}  // namespace kurir::cli
