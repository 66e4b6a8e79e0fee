#pragma once
// A user's new password: asked for at the terminal, or the first line of standard input.

#include <optional>
#include <string>

namespace kurir::cli {

// The hash for the directory; nullopt: there is none, and why has been told.
std::optional<std::string> ask_password_hash();
std::optional<std::string> hash_of_password(const std::string& password);

}  // namespace kurir::cli
