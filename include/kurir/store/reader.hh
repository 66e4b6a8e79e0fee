#pragma once
// Reader: records of any shard, from any core. One a core (core-local): it keeps a bounded number
// of files open. Only committed records can be read.

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "kurir/base/limits.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/file.hh"
#include "kurir/store/record_format.hh"
#include "kurir/store/record_ref.hh"

namespace kurir::store {

// A record as it was read and verified. Owns its octets; move-only.
class Record {
 public:
  Record() = default;
  Record(std::unique_ptr<char[]> octets, std::uint16_t type, std::uint64_t sequence,
         std::size_t payload_octets)
      : octets_(std::move(octets)),
        payload_octets_(payload_octets),
        sequence_(sequence),
        type_(type) {}

  std::uint16_t type() const { return type_; }
  std::uint64_t sequence() const { return sequence_; }
  // Stays where it is when the Record is moved.
  std::string_view payload() const {
    return octets_ ? std::string_view(octets_.get() + sizeof(RecordHeader), payload_octets_)
                   : std::string_view();
  }

 private:
  std::unique_ptr<char[]> octets_;
  std::size_t payload_octets_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint16_t type_ = 0;
};

class Reader {
 public:
  // `directory`: the data directory; `instance`: DataDirectory::instance().
  Reader(std::string directory, std::uint64_t instance,
         std::size_t files_max = limits::reader_files_max);
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // The whole record, its checksum verified. Errors: not_found (the segment is gone or recycled:
  // the reference is stale), corrupt, io_failed, exhausted (descriptors).
  Task<Result<Record>> read(RecordRef ref);
  // Octets of the payload from `offset` on, as many as there are and fit; gives the count. It
  // recognises a recycled segment but cannot verify the checksum: use it where damage is found
  // otherwise, else read().
  Task<Result<std::size_t>> read_range(RecordRef ref, std::uint64_t offset, std::span<char> into);

  // Whether read() has found this record damaged. For whoever promises a content before it has read
  // all of it. The latest are remembered.
  bool is_known_damaged(const RecordRef& ref) const;

  // Called once for each record that read() finds damaged.
  void on_damage(std::function<void(const RecordRef&)> told) { told_of_damage_ = std::move(told); }

  std::size_t files_open() const { return files_.size(); }
  // Closes the segment's file, where it is open and nobody reads it.
  void forget(const RecordRef& ref);

  // --- for whoever gives places up that somebody may still go by
  // Held by what remembers places over a wait: a content that is being read, a session's view.
  class Use {
   public:
    Use() = default;
    explicit Use(Reader& reader) : reader_(&reader), generation_(reader.generation_) {
      ++reader.uses_[generation_];
    }
    Use(Use&& other) noexcept
        : reader_(std::exchange(other.reader_, nullptr)), generation_(other.generation_) {}
    Use& operator=(Use&& other) noexcept {
      std::swap(reader_, other.reader_);
      std::swap(generation_, other.generation_);
      return *this;
    }
    ~Use();
    // What it remembers it has just looked up anew.
    void renew();

   private:
    Reader* reader_ = nullptr;
    std::uint64_t generation_ = 0;
  };
  // Uses from now on belong to the generation that this gives.
  std::uint64_t next_generation() { return ++generation_; }
  bool has_uses_before(std::uint64_t generation) const {
    return !uses_.empty() && uses_.begin()->first < generation;
  }

 private:
  using OpenFile = std::shared_ptr<io::File>;
  struct Entry {
    std::uint64_t key;
    OpenFile file;
  };
  Task<Result<OpenFile>> file_of(RecordRef ref);
  Task<Result<void>> read_exactly(RecordRef ref, OpenFile file, std::uint64_t offset,
                                  std::span<char> into);
  Task<Result<Record>> read_once(RecordRef ref, OpenFile file);
  Task<Error> explain(RecordRef ref, OpenFile file);
  void remember_damage(const RecordRef& ref);

  std::string directory_;
  std::uint64_t instance_;
  std::size_t files_max_;
  std::deque<RecordRef> damaged_;
  std::function<void(const RecordRef&)> told_of_damage_;
  std::uint64_t generation_ = 0;
  std::map<std::uint64_t, std::size_t> uses_;  // by generation; none of them is 0
  std::list<Entry> recent_;                    // the latest used first
  std::unordered_map<std::uint64_t, std::list<Entry>::iterator> files_;
};

}  // namespace kurir::store
