#pragma once
// sendmail and mailq, as programs call them: names of the kurir program (argv[0]), or its first
// argument. Their exit codes are sysexits; EX_OK of a message means that the server has it durably.

#include <span>
#include <string>

namespace kurir::cli {

// Which of the names this is; empty: neither.
std::string mail_name_of(const std::string& program);

// With the arguments behind the name.
int run_sendmail(std::span<char* const> arguments);
int run_mailq(std::span<char* const> arguments);

}  // namespace kurir::cli
