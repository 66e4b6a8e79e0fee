#pragma once
// A user's new password: asked for at the terminal, or the first line of standard input.

#include <optional>
#include <string>

namespace kurir::cli {

// What is kept of a password.
struct PasswordKeys {
  std::string hash;   // crypt(5)
  std::string scram;  // directory/scram_keys.hh; empty: SCRAM is not for this user
};

// The hash for the directory; nullopt: there is none, and why has been told.
std::optional<PasswordKeys> ask_password_keys();
std::optional<PasswordKeys> keys_of_password(const std::string& password);

}  // namespace kurir::cli
