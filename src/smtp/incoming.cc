#include "incoming.hh"

#include <utility>

#include "kurir/base/limits.hh"
#include "kurir/io/clock.hh"
#include "kurir/wire/downgrade.hh"

namespace kurir::smtp {
namespace {

// Of all sessions of this core, which is one thread.
thread_local std::size_t held_octets = 0;

}  // namespace

ServerSession::Incoming::Incoming(io::Stream& stream, queue::Queue& queue, std::string head,
                                  Options options)
    : stream_(stream),
      queue_(queue),
      options_(std::move(options)),
      begun_(io::now()),
      head_(std::move(head)) {
  pieces_.push_back(head_);
}

ServerSession::Incoming::~Incoming() {
  queue_.release_extents(options_.is_local, extents_);
  held_octets -= held_;
}

bool ServerSession::Incoming::scan() {
  const bool by_lines = options_.framing == Framing::lines;
  const auto is_finished = [&] { return by_lines ? lines_.finished() : chunk_left_ == 0; };
  io::Inbox& input = stream_.input();
  while (!is_finished() && slices_scanned_ < input.slices()) {
    const std::string_view slice = input.slice(slices_scanned_++);
    if (by_lines) {
      scan_lines(slice);
    } else {
      scan_chunk(slice);
    }
  }
  return is_finished();
}

void ServerSession::Incoming::scan_lines(std::string_view slice) {
  while (!slice.empty() && !lines_.finished()) {
    const wire::DataScanner::Step step = lines_.step(slice);
    if (!step.piece.empty() && !is_discarding()) pieces_.push_back(step.piece);
    octets_to_consume_ += step.consumed;
    slice.remove_prefix(step.consumed);
  }
}

void ServerSession::Incoming::scan_chunk(std::string_view slice) {
  const std::string_view piece = slice.substr(0, chunk_left_);
  chunks_.feed(piece);
  if (!piece.empty() && !is_discarding()) pieces_.push_back(piece);
  octets_to_consume_ += piece.size();
  chunk_left_ -= piece.size();
}

Task<Result<void>> ServerSession::Incoming::own() {
  if (!is_discarding())
    for (const std::string_view piece : pieces_) owned_ += piece;
  release_slices();
  complete_header(false);
  if (is_discarding()) owned_.clear();
  if (options_.is_held) {
    if (hold(owned_.size())) co_return Result<void>();
    failed_ = true;
    failure_ = Error{Errc::exhausted, Origin::queue};
    owned_.clear();
    co_return std::unexpected(*failure_);
  }
  if (options_.submitted) co_return Result<void>();  // nothing leaves before the header is complete
  co_return co_await write_extents();
}

// A burst may bring several extents at once.
Task<Result<void>> ServerSession::Incoming::write_extents() {
  std::size_t written = 0;
  while (owned_.size() - written >= limits::content_extent_octets) {
    const std::string_view piece =
        std::string_view(owned_).substr(written, limits::content_extent_octets);
    const Result<store::RecordRef> extent = co_await queue_.write_extent(options_.is_local, piece);
    failed_ = !extent.has_value();
    if (failed_ && !failure_) failure_ = extent.error();
    if (failed_) co_return std::unexpected(extent.error());
    extents_.push_back(*extent);
    extent_octets_ += piece.size();
    written += piece.size();
  }
  owned_.erase(0, written);
  co_return Result<void>();
}

bool ServerSession::Incoming::hold(std::size_t octets) {
  if (octets > held_ && held_octets + (octets - held_) > limits::converted_octets_max) return false;
  held_octets = held_octets - held_ + octets;
  held_ = octets;
  return true;
}

// The copy counts as well.
bool ServerSession::Incoming::convert_held() {
  std::optional<std::string> converted = wire::downgrade(owned_, wire::ContentClass::eight_bit);
  if (!converted) return false;
  owned_ = std::move(*converted);
  options_.is_held = false;
  chunks_ = {};
  chunks_.feed(std::string_view(owned_).substr(head_.size()));
  return true;
}

void ServerSession::Incoming::finish() {
  if (!options_.submitted || is_discarding()) return;
  for (const std::string_view piece : pieces_) owned_ += piece;
  release_slices();
  complete_header(true);
}

// Where the header section has all been gathered, or nothing comes any more.
void ServerSession::Incoming::complete_header(bool ended) {
  if (!options_.submitted || is_discarding()) return;
  const std::string_view content = std::string_view(owned_).substr(head_.size());
  const bool is_whole = has_whole_header(content, std::exchange(header_scanned_, content.size()));
  header_is_too_large_ = !is_whole && content.size() > submitted_header_octets_max;
  if (header_is_too_large_ || (!is_whole && !ended)) return;
  owned_ = head_ + smtp::complete_header(content, *options_.submitted);
  options_.submitted.reset();
}

bool ServerSession::Incoming::is_large() const {
  std::size_t octets = owned_.size();
  for (const std::string_view piece : pieces_) octets += piece.size();
  return octets >= limits::content_extent_octets;
}

queue::Content ServerSession::Incoming::content() {
  if (!owned_.empty()) pieces_.insert(pieces_.begin(), owned_);
  return {extents_, extent_octets_, pieces_};
}

void ServerSession::Incoming::release_slices() {
  pieces_.clear();
  stream_.input().consume(octets_to_consume_);
  octets_to_consume_ = 0;
  slices_scanned_ = 0;
}

wire::ContentFacts ServerSession::Incoming::facts() const {
  return options_.framing == Framing::lines ? lines_.facts() : chunks_.facts();
}

}  // namespace kurir::smtp
