#include "kurir/base/assert.hh"

#include <cstdio>
#include <cstdlib>

namespace kurir {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "kurir: bug: %s does not hold (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace kurir
