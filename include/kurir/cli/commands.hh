#pragma once
// The commands of the `kurir` program. Each add_...() registers one with CLI11; when it is called,
// its exit code (sysexits) goes to `exit_code`. They run beside the server, on one thread, and may
// block.

#include <CLI/CLI.hpp>
#include <string>

namespace kurir::cli {

void add_serve(CLI::App& program, int& exit_code);
void add_check(CLI::App& program, int& exit_code);
void add_init(CLI::App& program, int& exit_code);
void add_user(CLI::App& program, int& exit_code);
void add_domain(CLI::App& program, int& exit_code);
void add_alias(CLI::App& program, int& exit_code);
void add_sender(CLI::App& program, int& exit_code);
void add_queue(CLI::App& program, int& exit_code);
void add_mailbox(CLI::App& program, int& exit_code);
void add_why(CLI::App& program, int& exit_code);
void add_counters(CLI::App& program, int& exit_code);
void add_reload(CLI::App& program, int& exit_code);
void add_stop(CLI::App& program, int& exit_code);
void add_unit(CLI::App& program, int& exit_code);

// Of --version.
std::string version_text();

}  // namespace kurir::cli
