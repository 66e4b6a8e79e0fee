#include "kurir/store/data_directory.hh"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "kurir/base/assert.hh"

namespace kurir::store {
namespace {

constexpr std::string_view format_begin = "kurir-data ";
constexpr std::string_view changing_word = " changing";
constexpr std::size_t small_file_octets_max = 4096;

template <class T>
std::optional<T> parse_number(std::string_view text, int base) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// A file of one line. Errors: not_found, corrupt (no line end: it was cut).
Result<std::string> read_line(const std::string& path) {
  Result<std::string> text = io::read_file(path, small_file_octets_max);
  if (!text) return text;
  if (!text->ends_with('\n')) return fail(Errc::corrupt, Origin::file);
  text->pop_back();
  return text;
}

Result<std::uint64_t> read_instance(const std::string& path) {
  const Result<std::string> line = read_line(path);
  if (!line) return std::unexpected(line.error());
  const auto number = parse_number<std::uint64_t>(*line, 16);
  if (line->size() != 16 || !number || *number == 0) return fail(Errc::corrupt, Origin::file);
  return *number;
}

Result<void> write_instance(const std::string& path, std::uint64_t instance) {
  return io::replace_file(path, fmt::format("{:016x}\n", instance));
}

Result<void> check_format(const std::string& path) {
  const Result<std::string> line = read_line(path);
  if (!line) return std::unexpected(line.error());
  if (!line->starts_with(format_begin)) return fail(Errc::invalid, Origin::file);
  const auto version =
      parse_number<unsigned>(std::string_view(*line).substr(format_begin.size()), 10);
  if (!version) return fail(Errc::corrupt, Origin::file);
  if (*version > DataDirectory::format_version) return fail(Errc::unsupported, Origin::file);
  return {};
}

std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// Files that a mount, a file system or an interrupted open() leaves in a folder that is otherwise
// empty.
bool may_be_in_an_empty_one(const std::string& name) {
  return name == "lost+found" || name == "lock" || name.ends_with(".new");
}

// Whether there is a store, or room for one. Errors: invalid: something else lies there.
Result<bool> holds_store(const std::string& path) {
  if (io::file_exists(path + "/format")) return true;
  const Result<std::vector<std::string>> names = io::list_directory(path);
  if (!names) return std::unexpected(names.error());
  // The format is written last: without it these are a creation that was interrupted.
  for (const std::string& name : *names)
    if (!may_be_in_an_empty_one(name) && name != "instance" && name != "epoch")
      return fail(Errc::invalid, Origin::file);
  return false;
}

// What the marker beside DIR says; nothing where there is none.
Result<std::optional<std::uint64_t>> read_marker(const std::string& path) {
  const Result<std::uint64_t> marked = read_instance(path + ".marker");
  if (marked) return *marked;
  if (marked.error().code == Errc::not_found) return std::nullopt;
  return std::unexpected(marked.error());
}

// Errors: those of the file system. The format file comes last: with it the store is whole.
Result<void> make_store(const std::string& path, std::uint64_t instance) {
  KURIR_ASSERT(instance != 0);
  const Result<void> named = write_instance(path + "/instance", instance);
  if (!named) return named;
  const Result<void> counted = io::replace_file(path + "/epoch", "0\n");
  if (!counted) return counted;
  return io::replace_file(path + "/format",
                          fmt::format("{}{}\n", format_begin, DataDirectory::format_version));
}

Result<std::uint32_t> next_epoch(const std::string& path, bool count) {
  const Result<std::string> line = read_line(path);
  if (!line)
    return std::unexpected(line.error().code == Errc::not_found ? Error{Errc::corrupt, Origin::file}
                                                                : line.error());
  const auto epoch = parse_number<std::uint32_t>(*line, 10);
  if (!epoch) return fail(Errc::corrupt, Origin::file);
  if (!count) return *epoch;
  const Result<void> written = io::replace_file(path, fmt::format("{}\n", *epoch + 1));
  if (!written) return std::unexpected(written.error());
  return *epoch + 1;
}

}  // namespace

Result<DataDirectory> DataDirectory::open(std::string path, const Options& options) {
  path = without_trailing_slashes(std::move(path));
  Result<std::optional<std::uint64_t>> marked = read_marker(path);
  if (!marked) return std::unexpected(marked.error());
  if (!io::file_exists(path)) {
    if (!options.create) return fail(Errc::not_found, Origin::file);
    const Result<void> made = io::make_directories(path);
    if (!made) return std::unexpected(made.error());
    marked->reset();  // removed by somebody: a place to mount on would still be there
  }
  const bool may_create = options.create && !*marked;
  const Result<bool> present = holds_store(path);
  if (!present) return std::unexpected(present.error());
  if (!*present && !may_create) return fail(Errc::not_found, Origin::file);
  Result<io::FileLock> lock = io::FileLock::acquire(path + "/lock");
  if (!lock) return std::unexpected(lock.error());
  DataDirectory directory(std::move(path), std::move(*lock));
  const Result<void> entered = directory.enter(options, *marked);
  if (!entered) return std::unexpected(entered.error());
  return directory;
}

Result<void> DataDirectory::enter(const Options& options, std::optional<std::uint64_t> marked) {
  // Asked again: another process may have made it before this one had the lock.
  if (!io::file_exists(path_ + "/format")) {
    const Result<void> made = make_store(path_, options.new_instance);
    if (!made) return made;
  }
  const Result<void> checked = check_format(path_ + "/format");
  if (!checked) return checked;
  const Result<std::uint64_t> instance = read_instance(path_ + "/instance");
  if (!instance) return std::unexpected(instance.error());
  if (marked && *marked != *instance) return fail(Errc::invalid, Origin::file);
  instance_ = *instance;
  if (!marked) {
    // Where the parent cannot be written there is no marker; see the marker rule.
    const Result<void> written = write_instance(path_ + ".marker", instance_);
    if (!written && written.error().code != Errc::refused) return written;
  }
  const Result<std::uint32_t> epoch = next_epoch(path_ + "/epoch", options.count_start);
  if (!epoch) return std::unexpected(epoch.error());
  epoch_ = *epoch;
  return {};
}

Result<std::string> DataDirectory::shard_directory(ShardIndex shard) const {
  std::string path = path_ + "/" + shard_directory_name(shard);
  const Result<void> made = io::make_directories(path);
  if (!made) return std::unexpected(made.error());
  return path;
}

Result<unsigned> DataDirectory::shards_present() const {
  const Result<std::vector<std::string>> names = io::list_directory(path_);
  if (!names) return std::unexpected(names.error());
  unsigned shards = 0;
  for (const std::string& name : *names) {
    if (!name.starts_with("shard-")) continue;
    const auto number = parse_number<std::uint16_t>(std::string_view(name).substr(6), 10);
    if (number && name == shard_directory_name(ShardIndex(*number)))
      shards = std::max(shards, *number + 1U);
  }
  return shards;
}

Result<DataDirectory::Layout> DataDirectory::layout() const {
  const Result<std::string> line = read_line(path_ + "/shards");
  if (!line && line.error().code == Errc::not_found) return Layout();
  if (!line) return std::unexpected(line.error());
  std::string_view number = *line;
  const bool is_changing = number.ends_with(changing_word);
  if (is_changing) number.remove_suffix(changing_word.size());
  const auto shards = parse_number<std::uint16_t>(number, 10);
  if (!shards || *shards == 0) return fail(Errc::corrupt, Origin::file);
  return Layout{.shards = *shards, .is_changing = is_changing};
}

Result<void> DataDirectory::set_layout(const Layout& layout) const {
  KURIR_ASSERT(layout.shards > 0);
  return io::replace_file(path_ + "/shards", fmt::format("{}{}\n", layout.shards,
                                                         layout.is_changing ? changing_word : ""));
}

std::string shard_directory_name(ShardIndex shard) {
  return fmt::format("shard-{:02}", shard.value);
}

}  // namespace kurir::store
