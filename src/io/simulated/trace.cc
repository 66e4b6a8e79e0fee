#include "kurir/io/simulated/trace.hh"

#include <cstdio>

namespace kurir::io::simulated {

void Trace::mix(std::string_view text) {
  for (const char letter : text) mix(static_cast<unsigned char>(letter));
}

void Trace::begin_line(Instant when, std::string_view what) {
  const auto microseconds =
      std::chrono::duration_cast<std::chrono::microseconds>(when.time_since_epoch()).count();
  char stamp[32];
  std::snprintf(stamp, sizeof stamp, "%8lld.%06lld ",
                static_cast<long long>(microseconds / 1000000),
                static_cast<long long>(microseconds % 1000000));
  line_ = stamp;
  line_ += what;
}

// One line each, whatever a peer said.
void Trace::add_word(std::string_view text) {
  constexpr std::size_t octets_max = 200;
  line_ += ' ';
  for (const char letter : text.substr(0, octets_max)) {
    if (letter == '\r') continue;
    line_ += letter == '\n' ? '|' : letter;
  }
}

void Trace::end_line() {
  line_ += '\n';
  std::fputs(line_.c_str(), stderr);
}

}  // namespace kurir::io::simulated
