#include "version.hh"

#include <string>

#include "kurir/cli/commands.hh"
#include "kurir/io/driver.hh"

namespace kurir::cli {

std::string version_text() {
  return std::string("kurir ") + version_number + " (" + version_commit + ")\ncompiler: " +
#ifdef __clang__
         "clang " __clang_version__
#else
         "g++ " __VERSION__
#endif
         + "\nio_uring: " + io::Driver::describe_features();
}

}  // namespace kurir::cli
