// The control socket's commands about the queue: each core is asked for its own.

#include <algorithm>
#include <map>

#include "control_commands.hh"
#include "core_server.hh"
#include "kurir/io/mesh.hh"
#include "kurir/queue/queue_id.hh"
#include "kurir/store/message_record.hh"

namespace kurir::server {
namespace {

constexpr std::size_t headers_shown_max = 64 << 10;

std::string domain_of(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return std::string(at == std::string_view::npos ? std::string_view() : address.substr(at + 1));
}

nlohmann::json describe(const queue::Recipient& recipient) {
  nlohmann::json json = {{"address", recipient.address},
                         {"state", name_of(recipient.state)},
                         {"attempts", recipient.attempts}};
  if (!recipient.original.empty()) json["orig_address"] = recipient.original;
  if (!recipient.last_reply.empty()) json["delay_reason"] = recipient.last_reply;
  return json;
}

// The fields of postqueue -j, and what only Kurir knows.
nlohmann::json describe(const queue::Message& message) {
  nlohmann::json recipients = nlohmann::json::array();
  for (const queue::Recipient& recipient : message.envelope.recipients)
    if (recipient.state == queue::RecipientState::waiting)
      recipients.push_back(describe(recipient));
  nlohmann::json json = {{"queue_name", name_of(message.state())},
                         {"queue_id", queue::text_of(message.id)},
                         {"arrival_time", message.envelope.received.seconds()},
                         {"message_size", message.content_octets},
                         {"sender", message.envelope.reverse_path},
                         {"recipients", std::move(recipients)}};
  if (!message.envelope.reception.user.empty()) json["user"] = message.envelope.reception.user;
  return json;
}

struct Tally {
  std::size_t messages = 0, recipients = 0;
  std::uint64_t octets = 0;
  std::map<std::string, std::size_t> domains;
};

void count(Tally& tally, const queue::Queue& queue) {
  queue.for_each([&](const queue::Message& message) {
    ++tally.messages;
    tally.octets += message.content_octets;
    for (const queue::Recipient& recipient : message.envelope.recipients) {
      if (recipient.state != queue::RecipientState::waiting) continue;
      ++tally.recipients;
      ++tally.domains[domain_of(recipient.address)];
    }
  });
}

std::string text_of(const nlohmann::json& arguments, const char* name) {
  const nlohmann::json value = arguments.value(name, nlohmann::json());
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::vector<std::string> texts_of(const nlohmann::json& arguments, const char* name) {
  std::vector<std::string> texts;
  const nlohmann::json list = arguments.value(name, nlohmann::json::array());
  for (const nlohmann::json& value : list)
    if (value.is_string()) texts.push_back(value.get<std::string>());
  return texts;
}

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

ControlCommands::Outcome ControlCommands::queue_summary() {
  Tally tally;
  for (CoreServer* server : shared_.servers)
    co_await io::on_core(server->core(), [server, &tally] { count(tally, server->queue()); });
  std::vector<std::pair<std::string, std::size_t>> domains(tally.domains.begin(),
                                                           tally.domains.end());
  std::ranges::sort(domains, [](const auto& a, const auto& b) { return a.second > b.second; });
  nlohmann::json list = nlohmann::json::array();
  for (const auto& [domain, recipients] : domains)
    list.push_back({{"domain", domain}, {"recipients", recipients}});
  co_return admin::ControlOutcome::success({{"messages", tally.messages},
                                            {"recipients", tally.recipients},
                                            {"octets", tally.octets},
                                            {"domains", std::move(list)}});
}

ControlCommands::Outcome ControlCommands::queue_list(nlohmann::json arguments) {
  const nlohmann::json limit_json = arguments.value("limit", nlohmann::json(0));
  const std::size_t limit = limit_json.is_number_unsigned() ? limit_json.get<std::size_t>() : 0;
  std::vector<nlohmann::json> all;
  for (CoreServer* server : shared_.servers) {
    co_await io::on_core(server->core(), [server, &all] {
      server->queue().for_each(
          [&](const queue::Message& message) { all.push_back(describe(message)); });
    });
  }
  const auto arrival = [](const nlohmann::json& one) {
    return one["arrival_time"].get<std::int64_t>();
  };
  std::ranges::sort(all, std::less(), arrival);
  if (limit > 0 && all.size() > limit) all.resize(limit);
  co_return admin::ControlOutcome::success(nlohmann::json(std::move(all)));
}

ControlCommands::Outcome ControlCommands::queue_show(nlohmann::json arguments) {
  const std::string id = text_of(arguments, "queue_id");
  const std::optional<QueueId> parsed = queue::parse_queue_id(id);
  const bool known = parsed && queue::shard_of(*parsed).value < shared_.servers.size();
  if (!known)
    co_return admin::ControlOutcome::failure("'" + id +
                                             "' is no queue id: kurir queue list shows them");
  CoreServer* server = shared_.servers[queue::shard_of(*parsed).value];
  store::RecordRef record;
  nlohmann::json shown = co_await io::on_core(server->core(), [&] {
    const queue::Message* message = server->queue().find(*parsed);
    if (message == nullptr) return nlohmann::json();
    record = message->record;
    return describe(*message);
  });
  if (shown.is_null())
    co_return admin::ControlOutcome::failure("no message " + id + " in the queue");
  shown["headers"] = co_await headers_of(shared_.servers[0]->reader(), record);
  co_return admin::ControlOutcome::success(std::move(shown));
}

ControlCommands::Outcome ControlCommands::queue_remove(nlohmann::json arguments) {
  const std::vector<std::string> ids = texts_of(arguments, "queue_ids");
  std::size_t removed = 0;
  for (const std::string& id : ids) {
    const std::optional<QueueId> parsed = queue::parse_queue_id(id);
    if (!parsed || queue::shard_of(*parsed).value >= shared_.servers.size()) continue;
    CoreServer* server = shared_.servers[queue::shard_of(*parsed).value];
    const bool gone = co_await io::on_core(
        server->core(), [server, &parsed] { return server->queue().remove(*parsed); });
    if (gone) ++removed;
  }
  if (removed == 0 && !ids.empty())
    co_return admin::ControlOutcome::failure("no such message in the queue");
  co_return admin::ControlOutcome::success({{"removed", removed}});
}

}  // namespace kurir::server
