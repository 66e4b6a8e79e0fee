#pragma once
// Lines out of a stream's input. A line that lies in one received slice is seen where it lies; only
// one that straddles slices is stitched together. Lines end in LF here: whether a CR stands before
// it the protocol's parser decides. Core-local.

#include <cstddef>
#include <string>
#include <string_view>

#include "kurir/io/socket.hh"

namespace kurir::io {

class LineReader {
 public:
  enum class Found : unsigned char {
    line,        // `line` holds it, its LF included, until done()
    incomplete,  // fill the stream and ask again
    too_long,    // it was thrown away, with constant memory, to its LF; reported once it has ended
    endless,     // more than octets_unterminated_max came without LF: end the connection
  };

  LineReader(Stream& stream, std::size_t octets_unterminated_max)
      : stream_(stream), octets_unterminated_max_(octets_unterminated_max) {}

  // Looks at what was received; reads nothing from the network. A line of more than octets_max
  // octets is too long.
  Found next(std::size_t octets_max, std::string_view& line);
  // How the line that was too long began: what a reply to it may need.
  std::string_view head_of_too_long() const { return head_; }
  // Lets go of the line that next() gave; a second call does nothing.
  void done();
  // Octets received behind the line that next() gave (and before done()).
  std::size_t octets_behind() const { return stream_.input().octets() - taken_; }

 private:
  Found discard();
  Stream& stream_;
  std::size_t octets_unterminated_max_;
  std::string stitched_;
  std::string head_;
  std::size_t taken_ = 0;      // octets of the input that the present line takes
  std::size_t discarded_ = 0;  // of a line that is too long
  bool discarding_ = false;
};

}  // namespace kurir::io
