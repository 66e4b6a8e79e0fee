#include "directory_watch.hh"

#include "core_server.hh"
#include "kurir/io/file.hh"
#include "kurir/io/mesh.hh"
#include "kurir/io/offload.hh"

namespace kurir::server {
namespace {

// A look costs some microseconds: SQLite compares a number in shared memory.
constexpr Nanoseconds interval = Milliseconds(300);

}  // namespace

// What was changed before the first look may be read twice: nothing is missed.
Task<void> DirectoryWatch::run() {
  for (;;) {
    const Woken woken = co_await stop_.wait(deadline_in(interval));
    if (woken == Woken::by_signal) co_return;
    co_await look_and_tell();
  }
}

Result<Shared<const directory::Snapshot>> DirectoryWatch::look() {
  const std::lock_guard lock(shared_.database_mutex);
  const Result<std::int64_t> changes = shared_.database.foreign_changes();
  if (!changes) return std::unexpected(changes.error());
  if (*changes == seen_) return Shared<const directory::Snapshot>();
  Result<Shared<const directory::Snapshot>> fresh =
      shared_.database.read_snapshot(shared_.hash_key);
  // Content that is wrong stays wrong until the next change; what is busy is tried again.
  if (fresh || fresh.error().code != Errc::busy) seen_ = *changes;
  return fresh;
}

Task<void> DirectoryWatch::look_and_tell() {
  const auto looked = co_await io::offload([this] { return look(); });
  if (!looked) co_return;
  const Result<Shared<const directory::Snapshot>>& fresh = *looked;
  if (!fresh) {
    if (!std::exchange(is_broken_, true))
      io::print_error(
          "kurir: the directory of users was changed by another program and cannot be read; the "
          "server goes on with the users that it knew");
    co_return;
  }
  if (!*fresh) co_return;
  is_broken_ = false;
  const Shared<const directory::Snapshot>& snapshot = *fresh;
  for (CoreServer* server : shared_.servers)
    co_await io::on_core(server->core(),
                         [server, &snapshot] { server->directory().replace(snapshot); });
}

}  // namespace kurir::server
