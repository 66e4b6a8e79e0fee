#include "kurir/io/line_reader.hh"

#include "kurir/base/assert.hh"

namespace kurir::io {
namespace {
constexpr std::size_t head_octets = 64;
}

LineReader::Found LineReader::next(std::size_t octets_max, std::string_view& line) {
  KURIR_ASSERT(taken_ == 0);
  Inbox& input = stream_.input();
  while (!input.empty()) {
    if (discarding_) return discard();
    const std::string_view piece = input.front();
    const std::size_t end = piece.find('\n');
    const std::size_t here = end == std::string_view::npos ? piece.size() : end + 1;
    if (stitched_.size() + here > octets_max) {
      discarded_ = stitched_.size();
      head_ = stitched_.substr(0, head_octets);
      head_ += piece.substr(0, head_octets - head_.size());
      stitched_.clear();
      discarding_ = true;
      continue;
    }
    if (end == std::string_view::npos) {
      stitched_.append(piece);
      input.consume(here);
      continue;
    }
    taken_ = here;
    if (stitched_.empty()) {
      line = piece.substr(0, here);
    } else {
      stitched_.append(piece.substr(0, here));
      line = stitched_;
    }
    return Found::line;
  }
  return Found::incomplete;
}

LineReader::Found LineReader::discard() {
  Inbox& input = stream_.input();
  while (!input.empty()) {
    const std::string_view piece = input.front();
    const std::size_t end = piece.find('\n');
    const std::size_t here = end == std::string_view::npos ? piece.size() : end + 1;
    discarded_ += here;
    input.consume(here);
    if (end != std::string_view::npos) {
      discarding_ = false;
      return Found::too_long;
    }
    if (discarded_ > octets_unterminated_max_) return Found::endless;
  }
  return Found::incomplete;
}

void LineReader::done() {
  stream_.input().consume(taken_);
  taken_ = 0;
  if (stitched_.capacity() > 1024) {
    stitched_ = std::string();
  } else {
    stitched_.clear();
  }
}

}  // namespace kurir::io
