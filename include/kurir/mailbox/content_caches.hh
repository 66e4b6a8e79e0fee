#pragma once
// What is kept of messages' content, so that a FETCH or SEARCH need not read it again.

#include <cstddef>
#include <string>

#include "kurir/mailbox/content_cache.hh"
#include "kurir/wire/folded_header.hh"

namespace kurir::mailbox {

// ENVELOPE and BODYSTRUCTURE, as they stand in a FETCH response.
struct CachedStructure : CachedItem {
  static constexpr std::size_t octets_typical = 1024;
  std::string envelope;
  std::string body;
  std::string body_structure;

  std::size_t octets() const {
    return sizeof(*this) + envelope.capacity() + body.capacity() + body_structure.capacity();
  }
};

// The fields that SEARCH is asked about.
struct CachedHeader : CachedItem {
  static constexpr std::size_t octets_typical = 256;
  explicit CachedHeader(std::string_view header) : fields(header) {}
  wire::FoldedHeader fields;

  std::size_t octets() const { return sizeof(*this) + fields.octets(); }
};

using StructureCache = ContentCache<CachedStructure>;
using HeaderCache = ContentCache<CachedHeader>;

struct ContentCaches {
  explicit ContentCaches(std::size_t octets_max)
      : structures(octets_max - octets_max / 4), headers(octets_max / 4) {}
  StructureCache structures;
  HeaderCache headers;
};

}  // namespace kurir::mailbox
