#pragma once
// Trace: what happened in a simulation, one line each, where somebody wants to read it; always a
// hash of it all, so that two runs of a seed can be compared.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "kurir/base/clock.hh"

namespace kurir::io::simulated {

class Trace {
 public:
  // Lines go to standard error from now on.
  void show() { is_shown_ = true; }
  bool is_shown() const { return is_shown_; }
  std::uint64_t hash() const { return hash_; }
  std::uint64_t events() const { return events_; }

  // what: a constant like "disk.write"; words: text and integers.
  template <class... Words>
  void note(Instant when, std::string_view what, const Words&... words) {
    ++events_;
    mix(static_cast<std::uint64_t>(when.time_since_epoch().count()));
    mix(what);
    (mix(words), ...);
    if (!is_shown_) return;
    begin_line(when, what);
    (add_word(words), ...);
    end_line();
  }

 private:
  template <std::integral Number>
  void mix(Number number) {
    hash_ = (hash_ ^ static_cast<std::uint64_t>(number)) * 0x100000001b3ULL;
    hash_ ^= hash_ >> 29;
  }
  void mix(std::string_view text);
  template <std::integral Number>
  void add_word(Number number) {
    add_word(std::string_view(std::to_string(number)));
  }
  void add_word(std::string_view text);
  void begin_line(Instant when, std::string_view what);
  void end_line();

  std::uint64_t hash_ = 0xcbf29ce484222325ULL, events_ = 0;
  bool is_shown_ = false;
  std::string line_;
};

}  // namespace kurir::io::simulated
