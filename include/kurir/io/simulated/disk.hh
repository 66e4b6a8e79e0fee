#pragma once
// Disk: files in memory, with what a power cut would leave of them. Whatever was not synced may be
// lost, torn at a sector or kept in any order; names too, until their directory is synced.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/io/simulated/random.hh"

namespace kurir::io::simulated {

class World;
class Process;

inline constexpr std::size_t sector_octets = 512;

// What a power cut does to what was not synced.
enum class CutMode : std::uint8_t { loses_all, keeps_all, keeps_some, keeps_first };

class DiskFile {
 public:
  bool is_directory = false;
  std::uint64_t size() const { return size_; }
  void set_size(std::uint64_t octets) { size_ = octets; }
  std::size_t read(std::span<char> into, std::uint64_t offset) const;
  // order: of all writes to the disk; grows.
  void write(std::string_view octets, std::uint64_t offset, std::uint64_t order);
  // What was written up to `order` survives from now on; of these octets only.
  void sync(std::uint64_t order, std::uint64_t begin = 0, std::uint64_t end = ~std::uint64_t{0});
  // What a failed sync leaves: what was dirty is never written, and no later sync says so.
  void forget(std::uint64_t order);
  // torn_octets: of the pieces that a write is torn into; sector_octets or a multiple.
  void cut_power(Random& random, CutMode mode, std::uint64_t last_order, std::size_t torn_octets);
  bool is_dirty() const { return !dirty_.empty() || size_ != durable_size_; }
  void flip(std::uint64_t octet, unsigned bit);
  std::uint64_t octets_used() const { return pages_.size() * page_octets; }  // zeros may follow

 private:
  static constexpr std::size_t page_octets = 4096;
  using Sector = std::array<char, sector_octets>;
  struct Version {
    std::uint64_t order;
    bool is_forgotten;  // by a sync that failed
    Sector octets;
  };
  struct Dirty {
    Sector durable;
    std::vector<Version> versions;  // oldest first; the last is what is read
  };
  const char* page(std::uint64_t number) const;
  char* writable_page(std::uint64_t number);
  void write_sector(std::uint64_t number, std::string_view octets, std::size_t at,
                    std::uint64_t order);
  static bool make_durable(Dirty& dirty, std::uint64_t order);

  std::vector<std::unique_ptr<char[]>> pages_;  // null: zeros
  std::map<std::uint64_t, Dirty> dirty_;        // by sector
  std::uint64_t size_ = 0, durable_size_ = 0;
};

struct OpenFile {
  std::shared_ptr<DiskFile> file;
  std::string path;
  bool is_direct = false, may_write = false;
};

struct DiskWeather {
  Nanoseconds latency_min = std::chrono::microseconds(60), latency_max = Milliseconds(1);
  double slow = 0;  // of operations
  Nanoseconds slow_max = Seconds(10);
  double hung = 0;
  Nanoseconds hung_max = Seconds(60);
  double short_operation = 0;
  // A disk that lies: it says that a sync is done, and has done nothing. For proving the tests.
  bool ignores_sync = false;
  bool ignores_directory_sync = false;      // only those of names
  std::size_t torn_octets = sector_octets;  // what a power cut leaves whole of a write
};

class Disk {
 public:
  explicit Disk(World& world);
  DiskWeather weather;
  std::uint64_t capacity = 64ULL << 30;
  std::uint64_t used_by_others = 0;  // of the capacity

  // Names. Results are 0 or an errno. Blocking: they take no time.
  std::shared_ptr<DiskFile> find(const std::string& path) const;
  int open(const std::string& path, bool create, bool exclusive, std::shared_ptr<DiskFile>& file);
  int make_directory(const std::string& path);
  int rename(const std::string& from, const std::string& to);
  int remove(const std::string& path);
  int sync_directory(const std::string& path);
  std::vector<std::string> list(const std::string& path) const;
  int grow(DiskFile& file, std::uint64_t octets);  // ENOSPC

  // Writes: cut down to what fits the disk where that is full; a count or a negative errno.
  std::int64_t write(DiskFile& file, std::string_view octets, std::uint64_t offset);
  int sync(DiskFile& file, std::uint64_t order, std::uint64_t begin = 0,
           std::uint64_t end = ~std::uint64_t{0});
  std::uint64_t order() const { return order_; }

  int lock(const std::string& path, const Process* process);
  void unlock(const std::string& path) { locks_.erase(path); }
  void release_locks(const Process* process);

  std::uint64_t used() const;
  std::uint64_t free() const;
  Nanoseconds latency();

  // Each operation asks before it does anything; true: the machine stops here. Counting begins with
  // stop_at_operation(); `stopped` is called as an event of its own.
  bool is_stopped();
  void stop_at_operation(std::uint64_t count, std::function<void()> stopped);
  void never_stop() { stop_after_ = 0, is_stopping_ = false; }  // and goes on where it stopped
  std::uint64_t operations() const { return operations_; }

  // What is left after a power cut. Nothing runs that uses the disk.
  void cut_power(CutMode mode);
  // Flips a bit of a file whose name has this in it, where there is something but zeros.
  bool flip_somewhere(std::string_view part_of_name);

 private:
  struct NameChange {
    std::string directory, name, new_name;  // new_name: of a rename
    std::shared_ptr<DiskFile> file;         // null: removed
  };
  using Names = std::map<std::string, std::shared_ptr<DiskFile>>;
  static void apply(Names& names, const NameChange& change);
  void change(NameChange change);

  World& world_;
  Names names_, durable_names_;
  std::vector<NameChange> changes_;  // not synced, oldest first
  std::map<std::string, const Process*> locks_;
  std::uint64_t order_ = 0, operations_ = 0, stop_after_ = 0;
  bool is_stopping_ = false;
  std::function<void()> stopped_;
};

}  // namespace kurir::io::simulated
