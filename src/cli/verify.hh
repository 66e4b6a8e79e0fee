#pragma once
// `verify` as a part of another command. Private to cli/.

#include <CLI/CLI.hpp>
#include <cstdint>

namespace kurir::cli {

enum class Verified : std::uint8_t { mailboxes, queue };

void add_verify(CLI::App& parent, Verified what, int& exit_code);

}  // namespace kurir::cli
