// The control socket's commands about messages of the queue: one to be shown or explained, many to
// be retried, held, released, bounced or removed.

#include "control_commands.hh"
#include "core_server.hh"
#include "kurir/coro/event.hh"
#include "kurir/io/mesh.hh"
#include "kurir/queue/queue_id.hh"
#include "kurir/store/message_record.hh"
#include "queue_arguments.hh"
#include "queue_orders.hh"
#include "queue_text.hh"
#include "queue_why.hh"

namespace kurir::server {
namespace {

constexpr std::size_t headers_shown_max = 64 << 10;

using queue::AdministratorCommand;

// The header section, as far as it is short.
Task<std::string> headers_of(store::Reader& reader, store::RecordRef record) {
  Result<store::MessageContent> content = co_await store::MessageContent::open(reader, record);
  if (!content) co_return std::string();
  std::string text(std::min<std::uint64_t>(content->size(), headers_shown_max), '\0');
  const Result<std::size_t> count = co_await content->read(0, text);
  if (!count) co_return std::string();
  text.resize(std::min(*count, text.find("\r\n\r\n")));
  co_return text;
}

}  // namespace

// Where the number of cores was changed since, it is not the shard that gave the id.
Task<CoreServer*> ControlCommands::server_of(QueueId id) const {
  for (CoreServer* server : shared_.servers) {
    const bool has_it = co_await io::on_core(
        server->core(), [server, id] { return server->queue().find(id) != nullptr; });
    if (has_it) co_return server;
  }
  co_return nullptr;
}

ControlCommands::Outcome ControlCommands::queue_show(nlohmann::json arguments) {
  const std::string id = text_argument(arguments, "queue_id");
  const std::optional<QueueId> parsed = queue::parse_queue_id(id);
  if (!parsed)
    co_return admin::ControlOutcome::failure("'" + id +
                                             "' is no queue id: kurir queue list shows them");
  CoreServer* server = co_await server_of(*parsed);
  if (server == nullptr)
    co_return admin::ControlOutcome::failure("no message " + id + " in the queue");
  store::RecordRef record;
  const std::string text = co_await io::on_core(server->core(), [&] {
    const queue::Message* message = server->queue().find(*parsed);
    std::string described;
    if (message == nullptr) return described;
    record = message->record;
    append_message(described, *message);
    return described;
  });
  if (text.empty()) co_return admin::ControlOutcome::failure("no message " + id + " in the queue");
  nlohmann::json shown = nlohmann::json::parse(text);
  shown["headers"] = co_await headers_of(shared_.servers[0]->reader(), record);
  co_return admin::ControlOutcome::success(std::move(shown));
}

ControlCommands::Outcome ControlCommands::why(nlohmann::json arguments) {
  const std::string id = text_argument(arguments, "queue_id");
  const std::optional<QueueId> parsed = queue::parse_queue_id(id);
  if (!parsed)
    co_return admin::ControlOutcome::failure("'" + id +
                                             "' is no queue id: kurir queue list shows them");
  CoreServer* server = co_await server_of(*parsed);
  if (server == nullptr)
    co_return admin::ControlOutcome::failure("no message " + id + " in the queue");
  nlohmann::json explained = co_await io::on_core(server->core(), [&] {
    const queue::Message* message = server->queue().find(*parsed);
    return message == nullptr ? nlohmann::json() : explain(shared_.configuration, *message);
  });
  if (explained.is_null())
    co_return admin::ControlOutcome::failure("no message " + id + " in the queue");
  co_return admin::ControlOutcome::success(std::move(explained));
}

ControlCommands::Outcome ControlCommands::queue_order(std::string name, nlohmann::json arguments) {
  const auto filter = filter_of(arguments);
  if (!filter) co_return admin::ControlOutcome::failure(filter.error());
  if (filter->is_empty() && !filter->means_everything())
    co_return admin::ControlOutcome::failure("which messages? Give ids, filters, or --everything");
  const AdministratorCommand command{queue::parse_administrator_kind(name).value(),
                                     text_argument(arguments, "reason"),
                                     flag_argument(arguments, "dry_run")};
  const auto [done, failed] = co_await order_everywhere(shared_, *filter, command);
  if (failed)
    co_return admin::ControlOutcome::failure(
        "the journal cannot be written now; done for " + std::to_string(done.recipients) +
        " recipients of " + std::to_string(done.messages) + " messages, maybe for some more");
  co_return admin::ControlOutcome::success({{"messages", done.messages},
                                            {"recipients", done.recipients},
                                            {"busy", done.busy},
                                            {"dry_run", command.is_dry_run}});
}

}  // namespace kurir::server
