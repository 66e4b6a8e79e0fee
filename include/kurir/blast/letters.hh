#pragma once
// Letters: the messages of a run, prepared so that sending one costs a header and no look at its
// body. Immutable after construction; any core.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/blast/options.hh"

namespace kurir::blast {

// A choice among weights, the same for the same number.
class WeightedChoice {
 public:
  explicit WeightedChoice(const std::vector<Weighted>& among);
  std::size_t of(std::uint64_t number) const;

 private:
  std::vector<std::uint64_t> ends_;  // of the shares, ascending
};

class Letters {
 public:
  explicit Letters(const Options& options);

  // A message's content: the header first, then the body, which is shared.
  struct Letter {
    std::string_view stuffed;  // as DATA sends it, with the final dot line
    std::string_view plain;    // as BDAT sends it
  };
  Letter letter(std::uint64_t number) const;
  // Appends the message's own header, up to and with the blank line.
  void append_header(std::string& out, std::uint64_t number) const;
  // Appends the address, without <>, of the message's recipient of this ordinal.
  void append_recipient(std::string& out, std::uint64_t number, unsigned ordinal) const;

 private:
  struct Body {
    std::string header;  // of a message that a file held, without the blank line
    std::string plain, stuffed;
    std::uint64_t hash = 0;
  };
  static Body body_of(std::string_view whole);
  static Body body_of_size(std::size_t octets);
  const Body& body(std::uint64_t number) const { return bodies_[choice_.of(number)]; }

  const Options& options_;
  std::vector<Body> bodies_;
  WeightedChoice choice_, domains_;
  std::string local_part_, domain_;
  std::optional<std::string> after_user_;  // what follows the user's number in the local part
  std::string fields_;                     // that are the same in every message
};

}  // namespace kurir::blast
