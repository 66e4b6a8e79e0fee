#pragma once
// The content of one transaction on its way in, by DATA or by BDAT. Private to smtp/.
//
// Zero-copy: pieces of content are views into the received slices and go from there into the log's
// staging buffer. Only when the session must wait for more input are they gathered in memory of its
// own, because a slice must not be held across a wait; a large message leaves that memory as
// extents, so what a connection holds is bounded.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/smtp/server_session.hh"
#include "kurir/smtp/submitted_header.hh"

namespace kurir::smtp {

enum class Framing : std::uint8_t { lines, chunks };  // DATA, BDAT

// Core-local. What was written and not handed over is released with it.
class ServerSession::Incoming {
 public:
  struct Options {
    Framing framing = Framing::lines;
    bool is_local = false;  // the content goes to the mail stream
    // It may have to be converted before it is stored: it stays in memory, within bounds that all
    // such of a core share.
    bool is_held = false;
    std::uint64_t octets_max = 0;
    std::optional<SubmittedHeader> submitted;  // until the header section is complete
  };
  Incoming(io::Stream& stream, queue::Queue& queue, std::string head, Options options);
  ~Incoming();
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  void begin_chunk(std::uint64_t octets) { chunk_left_ = octets; }
  // Scans what was received and not scanned yet; true when the end of the content, or of the chunk,
  // was seen.
  bool scan();
  // Before a wait: no view into a slice may stay. A full extent goes to the log.
  Task<Result<void>> own();
  // What is not in extents yet: the message record takes no more than a few extents' worth.
  bool is_large() const;
  // All has come. The header section of a message that a user submits is completed in memory of the
  // session's own.
  void finish();
  // The pieces in order: what was gathered, then what still lies in the slices.
  queue::Content content();
  void release_slices();
  // The queue has it now.
  void hand_over() { extents_.clear(); }

  // Content of a BINARYMIME message made fit for mailboxes, after its end. False: it cannot be.
  bool convert_held();

  bool is_by_lines() const { return options_.framing == Framing::lines; }
  bool is_too_large() const { return octets() > options_.octets_max; }
  // What will be refused anyway is read to its end and kept nowhere.
  bool is_discarding() const { return failed_ || header_is_too_large_ || is_too_large(); }
  bool header_is_too_large() const { return header_is_too_large_; }
  wire::ContentFacts facts() const;
  // The log's error that own() gave first.
  const std::optional<Error>& failure() const { return failure_; }
  Instant begun() const { return begun_; }
  QueueId id;

 private:
  std::uint64_t octets() const { return facts().octets; }
  void scan_lines(std::string_view slice);
  void scan_chunk(std::string_view slice);
  Task<Result<void>> write_extents();
  bool hold(std::size_t octets);
  void complete_header(bool ended);

  io::Stream& stream_;
  queue::Queue& queue_;
  Options options_;
  Instant begun_;
  std::string head_;
  std::string owned_;
  std::vector<std::string_view> pieces_;
  std::vector<store::RecordRef> extents_;
  std::uint64_t extent_octets_ = 0, chunk_left_ = 0;
  std::size_t slices_scanned_ = 0, octets_to_consume_ = 0;
  std::size_t held_ = 0;  // of what the core's sessions may hold
  std::size_t header_scanned_ = 0;
  bool failed_ = false, header_is_too_large_ = false;
  std::optional<Error> failure_;
  wire::DataScanner lines_;
  wire::ContentScanner chunks_;
};

}  // namespace kurir::smtp
