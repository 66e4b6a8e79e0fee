#pragma once
// SearchRun: a search program on one message after the other: the index first, then the fields
// that were kept, then the header, then the content, each only where what was known did not settle
// it. Core-local, private to imap/.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/mailbox/content_caches.hh"
#include "kurir/mailbox/stored_message.hh"
#include "kurir/mailbox/view.hh"
#include "kurir/wire/imap_search.hh"
#include "kurir/wire/mime.hh"
#include "kurir/wire/text_search.hh"
#include "selected.hh"

namespace kurir::imap {

class SearchRun {
 public:
  // What the run reads with, and where it keeps what it read.
  struct Sources {
    store::Reader& reader;
    mailbox::HeaderCache& headers;
    RetireQueue& retired;
  };
  // All outlive the run. now: for OLDER and YOUNGER.
  SearchRun(const wire::SearchProgram& program, const Selected& selected, const Sources& sources,
            WallTime now);

  // A set of sequence numbers named one that no message has: BAD.
  bool beyond_mailbox() const { return beyond_mailbox_; }
  // What is said by the index and, where that is not enough, the fields that were kept.
  wire::SearchTruth from_memory(mailbox::Located at) const;
  // Where that is unknown: whether the message is found. Content that is gone is found by nothing.
  Task<bool> from_content(mailbox::Located at);
  // How much content was looked through: the caller lets others run, then forgets it.
  std::uint64_t octets_read() const { return octets_read_; }
  void forget_octets_read() { octets_read_ = 0; }

 private:
  // What a node needs that does not depend on the message.
  struct Prepared {
    wire::NumberSet numbers;     // sequence, as sequence numbers; uid, as uids
    wire::FlagWord keyword = 0;  // 0: no message can have it
    std::optional<wire::TextSearch> text;
  };
  // What is known of the message so far.
  struct Known {
    mailbox::Located at;
    const wire::FoldedHeader* fields = nullptr;
    const std::string* header = nullptr;
    const std::string* whole = nullptr;
    const wire::MimeStructure* structure = nullptr;
  };

  void prepare(const wire::SearchNode& node, Prepared& prepared);
  wire::SearchTruth evaluate(const Known& known) const;
  wire::SearchTruth leaf(std::size_t index, const wire::SearchNode& node, const Known& known) const;
  bool index_leaf(const Prepared& prepared, const wire::SearchNode& node,
                  mailbox::Located at) const;
  static wire::SearchTruth fields_leaf(const Prepared& prepared, const wire::SearchNode& node,
                                       const wire::FoldedHeader& fields);
  static bool header_leaf(const Prepared& prepared, const wire::SearchNode& node,
                          const std::string& header);
  void keep(const mailbox::Located& at, const std::string& header);

  const wire::SearchProgram& program_;
  const Selected& selected_;
  const Sources sources_;
  const std::int64_t now_seconds_;
  std::vector<Prepared> prepared_;  // by node
  bool asks_for_fields_ = false;    // that are kept
  bool beyond_mailbox_ = false;
  std::uint64_t octets_read_ = 0;
};

}  // namespace kurir::imap
