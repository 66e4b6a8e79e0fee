#include "queue_orders.hh"

#include <vector>

#include "core_server.hh"
#include "kurir/coro/event.hh"
#include "kurir/io/mesh.hh"
#include "kurir/queue/walk.hh"

namespace kurir::server {
namespace {

using queue::Administered;
using queue::AdministratorCommand;

// One shard's part of an order, slice by slice, on its core.
struct ShardOrder {
  CoreServer* server = nullptr;
  std::unique_ptr<queue::Walk> walk;
  Administered done;
  bool failed = false;
};

Task<Result<Administered>> carry_out_slice(ShardOrder& order, const queue::Filter& filter,
                                           const AdministratorCommand& command) {
  queue::Queue& queue = order.server->queue();
  if (!order.walk) order.walk = std::make_unique<queue::Walk>(queue, filter);
  return queue.administrate(*order.walk, command);
}

Task<void> carry_out(ShardOrder& order, const queue::Filter& filter,
                     const AdministratorCommand& command) {
  do {
    const Result<Administered> slice = co_await io::on_core(
        order.server->core(), [&] { return carry_out_slice(order, filter, command); });
    if (slice) order.done += *slice;
    order.failed = !slice.has_value();
    co_await sleep_for(queue::Walk::slice_max);  // the core's turn, and the machine's
  } while (!order.failed && !order.walk->done());
}

}  // namespace

Task<Ordered> order_everywhere(SharedState& shared, const queue::Filter& filter,
                               const AdministratorCommand& command) {
  std::vector<ShardOrder> orders;
  for (CoreServer* server : shared.servers) orders.push_back({.server = server});
  Scope scope;
  for (ShardOrder& order : orders) scope.start(carry_out(order, filter, command));
  co_await scope.join();
  Ordered ordered;
  for (const ShardOrder& order : orders) {
    ordered.done += order.done;
    ordered.failed = ordered.failed || order.failed;
  }
  co_return ordered;
}

// ".example.org" is it and all below it.
Task<Result<std::uint64_t>> EveryQueueStarter::start_for(std::string domain) {
  std::uint64_t messages = 0;
  const bool is_with_those_below = domain.starts_with('.');
  for (const bool below : {false, true}) {
    if (below && !is_with_those_below) continue;
    queue::FilterText text;
    text.domain = below ? '*' + domain : domain.substr(is_with_those_below ? 1 : 0);
    const auto filter = queue::Filter::parse(text);
    if (!filter) co_return fail(Errc::invalid, Origin::queue);
    const Ordered ordered =
        co_await order_everywhere(shared_, *filter, {AdministratorCommand::Kind::retry, {}, false});
    if (ordered.failed) co_return fail(Errc::no_space, Origin::queue);
    messages += ordered.done.messages;
  }
  co_return messages;
}

}  // namespace kurir::server
