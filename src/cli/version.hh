#pragma once
// What this build is; the values come from the build system.

namespace kurir::cli {

extern const char* const version_number;
extern const char* const version_commit;  // of git, or the version where there is none

}  // namespace kurir::cli
