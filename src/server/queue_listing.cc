// `queue list`: every shard is walked in slices, the slices are merged by the time of arrival and
// sent in pieces, so that neither side holds more than some of it.

#include <algorithm>
#include <deque>

#include "control_commands.hh"
#include "core_server.hh"
#include "kurir/coro/event.hh"
#include "kurir/io/mesh.hh"
#include "queue_arguments.hh"
#include "queue_text.hh"

namespace kurir::server {
namespace {

constexpr std::size_t slice_octets_max = 64 << 10;
constexpr std::size_t piece_octets_max = 64 << 10;

struct Entry {
  std::int64_t arrival_us = 0;
  std::string text;
};

// One shard's part. The walk is made, moved and ended on the shard's core.
struct ShardList {
  CoreServer* server = nullptr;
  std::unique_ptr<queue::Walk> walk;
  std::deque<Entry> entries;
  bool done = false;
};

void read_slice(ShardList& list, const queue::Filter& filter) {
  if (!list.walk) list.walk = std::make_unique<queue::Walk>(list.server->queue(), filter);
  list.walk->begin_slice();
  std::size_t octets = 0;
  while (octets < slice_octets_max) {
    const queue::Message* message = list.walk->next();
    if (message == nullptr) break;
    Entry& entry = list.entries.emplace_back(message->envelope.received.microseconds);
    append_message(entry.text, *message);
    octets += entry.text.size();
  }
  list.done = list.walk->done();
}

// Until there is something to merge, or no more.
Task<void> refill(ShardList& list, const queue::Filter& filter) {
  for (bool is_first = true; list.entries.empty() && !list.done; is_first = false) {
    if (!is_first) co_await sleep_for(queue::Walk::slice_max);  // nothing found: no hurry
    co_await io::on_core(list.server->core(), [&list, &filter] { read_slice(list, filter); });
  }
}

ShardList* oldest_of(std::vector<ShardList>& lists) {
  ShardList* oldest = nullptr;
  for (ShardList& list : lists) {
    if (list.entries.empty()) continue;
    const bool is_older =
        oldest == nullptr || list.entries.front().arrival_us < oldest->entries.front().arrival_us;
    if (is_older) oldest = &list;
  }
  return oldest;
}

}  // namespace

ControlCommands::Outcome ControlCommands::queue_list(nlohmann::json arguments,
                                                     admin::ControlChunks& chunks) {
  const auto filter = filter_of(arguments);
  if (!filter) co_return admin::ControlOutcome::failure(filter.error());
  std::uint64_t left = number_argument(arguments, "limit", 0);
  if (left == 0) left = std::numeric_limits<std::uint64_t>::max();
  std::vector<ShardList> lists;
  for (CoreServer* server : shared_.servers) lists.push_back({.server = server});
  std::string piece = "[";
  for (; left > 0; --left) {
    for (ShardList& list : lists) co_await refill(list, *filter);
    ShardList* oldest = oldest_of(lists);
    if (oldest == nullptr) break;
    if (piece.size() > 1) piece += ',';
    piece += oldest->entries.front().text;
    oldest->entries.pop_front();
    if (piece.size() < piece_octets_max) continue;
    piece += ']';
    const Result<void> sent = co_await chunks.send_text(piece);
    if (!sent) co_return admin::ControlOutcome::failure("nobody reads the list");
    piece = "[";
  }
  piece += ']';
  const Result<void> sent = co_await chunks.send_text(piece);
  if (!sent) co_return admin::ControlOutcome::failure("nobody reads the list");
  co_return admin::ControlOutcome::success(nlohmann::json::array());
}

}  // namespace kurir::server
