#include "kurir/io/simulated/disk.hh"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/io/simulated/world.hh"

namespace kurir::io::simulated {
namespace {

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

bool is_root(const std::string& path) { return path == "/" || path == "."; }

}  // namespace

Disk::Disk(World& world) : world_(world) {}

std::shared_ptr<DiskFile> Disk::find(const std::string& path) const {
  if (is_root(path)) {
    static const auto root = [] {
      auto directory = std::make_shared<DiskFile>();
      directory->is_directory = true;
      return directory;
    }();
    return root;
  }
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

void Disk::apply(Names& names, const NameChange& change) {
  if (!change.new_name.empty()) {
    names.erase(change.name);
    names[change.new_name] = change.file;
  } else if (change.file == nullptr) {
    names.erase(change.name);
  } else {
    names[change.name] = change.file;
  }
}

void Disk::change(NameChange change) {
  change.directory = parent_of(change.name);
  world_.note("disk.name", change.name, change.new_name, change.file == nullptr);
  apply(names_, change);
  changes_.push_back(std::move(change));
}

int Disk::open(const std::string& path, bool create, bool exclusive,
               std::shared_ptr<DiskFile>& file) {
  file = find(path);
  if (file != nullptr && exclusive) return EEXIST;
  if (file != nullptr) return 0;
  const std::shared_ptr<DiskFile> directory = find(parent_of(path));
  if (!create || directory == nullptr) return ENOENT;
  if (!directory->is_directory) return ENOTDIR;
  file = std::make_shared<DiskFile>();
  change({.directory = {}, .name = path, .new_name = {}, .file = file});
  return 0;
}

int Disk::make_directory(const std::string& path) {
  if (find(path) != nullptr) return EEXIST;
  if (find(parent_of(path)) == nullptr) return ENOENT;
  auto directory = std::make_shared<DiskFile>();
  directory->is_directory = true;
  change({.directory = {}, .name = path, .new_name = {}, .file = directory});
  return 0;
}

int Disk::rename(const std::string& from, const std::string& to) {
  const std::shared_ptr<DiskFile> file = find(from);
  if (file == nullptr || find(parent_of(to)) == nullptr) return ENOENT;
  KURIR_ASSERT(parent_of(from) == parent_of(to));  // all that Kurir does
  change({.directory = {}, .name = from, .new_name = to, .file = file});
  return 0;
}

int Disk::remove(const std::string& path) {
  const std::shared_ptr<DiskFile> file = find(path);
  if (file == nullptr) return ENOENT;
  if (file->is_directory) return EISDIR;
  change({.directory = {}, .name = path, .new_name = {}, .file = nullptr});
  return 0;
}

int Disk::sync_directory(const std::string& path) {
  if (find(path) == nullptr) return ENOENT;
  if (weather.ignores_sync || weather.ignores_directory_sync) return 0;
  for (const NameChange& change : changes_)
    if (change.directory == path) apply(durable_names_, change);
  std::erase_if(changes_, [&](const NameChange& change) { return change.directory == path; });
  return 0;
}

std::vector<std::string> Disk::list(const std::string& path) const {
  std::vector<std::string> names;
  const std::string prefix = path + "/";
  for (auto at = names_.lower_bound(prefix); at != names_.end() && at->first.starts_with(prefix);
       ++at)
    if (at->first.find('/', prefix.size()) == std::string::npos)
      names.push_back(at->first.substr(prefix.size()));
  return names;
}

std::uint64_t Disk::used() const {
  std::uint64_t octets = used_by_others;
  for (const auto& [path, file] : names_) octets += file->size();
  return octets;
}

std::uint64_t Disk::free() const {
  const std::uint64_t octets = used();
  return octets >= capacity ? 0 : capacity - octets;
}

int Disk::grow(DiskFile& file, std::uint64_t octets) {
  if (octets <= file.size()) return 0;
  if (octets - file.size() > free()) return ENOSPC;
  file.set_size(octets);
  return 0;
}

std::int64_t Disk::write(DiskFile& file, std::string_view octets, std::uint64_t offset) {
  const std::uint64_t end = offset + octets.size();
  if (end > file.size()) {
    const std::uint64_t room = file.size() + free();
    if (room <= offset) return -ENOSPC;
    octets = octets.substr(0, room - offset);
  }
  file.write(octets, offset, ++order_);
  return static_cast<std::int64_t>(octets.size());
}

int Disk::sync(DiskFile& file, std::uint64_t order, std::uint64_t begin, std::uint64_t end) {
  if (!weather.ignores_sync) file.sync(order, begin, end);
  return 0;
}

int Disk::lock(const std::string& path, const Process* process) {
  const auto [found, is_new] = locks_.emplace(path, process);
  return is_new || found->second == process ? 0 : EWOULDBLOCK;
}

void Disk::release_locks(const Process* process) {
  std::erase_if(locks_, [process](const auto& lock) { return lock.second == process; });
}

Nanoseconds Disk::latency() {
  Random& random = world_.random();
  if (random.chance(weather.hung)) return random.duration(Seconds(10), weather.hung_max);
  if (random.chance(weather.slow)) return random.duration(Milliseconds(10), weather.slow_max);
  return random.duration(weather.latency_min, weather.latency_max);
}

bool Disk::is_stopped() {
  ++operations_;
  if (is_stopping_) return true;
  if (stop_after_ == 0 || --stop_after_ > 0) return false;
  is_stopping_ = true;
  world_.note("disk.stop", operations_);
  world_.after(Nanoseconds(0), [this] { std::exchange(stopped_, nullptr)(); });
  return true;
}

void Disk::stop_at_operation(std::uint64_t count, std::function<void()> stopped) {
  stop_after_ = count;
  stopped_ = std::move(stopped);
}

// Names come and go in the order of the file system's journal; the rest of them is lost.
void Disk::cut_power(CutMode mode) {
  Random& random = world_.random();
  std::size_t kept = 0;
  if (mode == CutMode::keeps_all) kept = changes_.size();
  if (mode == CutMode::keeps_some || mode == CutMode::keeps_first)
    kept = random.below(changes_.size() + 1);
  world_.note("disk.cut", static_cast<int>(mode), changes_.size(), kept);
  for (std::size_t at = 0; at < kept; ++at) apply(durable_names_, changes_[at]);
  changes_.clear();
  const std::uint64_t last_order = order_ - random.below(std::min<std::uint64_t>(order_, 20) + 1);
  std::vector<DiskFile*> files;
  for (auto& [path, file] : durable_names_) files.push_back(file.get());
  for (DiskFile* file : files) file->cut_power(random, mode, last_order, weather.torn_octets);
  names_ = durable_names_;
  locks_.clear();
  is_stopping_ = false;
  stop_after_ = 0;
}

bool Disk::flip_somewhere(std::string_view part_of_name) {
  constexpr unsigned tries = 2000;
  Random& random = world_.random();
  std::vector<std::pair<std::string, DiskFile*>> files;
  for (const auto& [path, file] : names_)
    if (path.find(part_of_name) != std::string::npos && file->octets_used() > 0)
      files.emplace_back(path, file.get());
  for (unsigned n = 0; n < tries && !files.empty(); ++n) {
    auto& [path, file] = random.pick(files);
    const std::uint64_t octet = random.below(file->octets_used());
    char letter = 0;
    file->read({&letter, 1}, octet);
    if (letter == 0) continue;
    file->flip(octet, static_cast<unsigned>(random.below(8)));
    world_.note("disk.flip", path, octet);
    durable_names_ = names_;
    return true;
  }
  return false;
}

}  // namespace kurir::io::simulated
