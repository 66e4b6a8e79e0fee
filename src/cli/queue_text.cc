#include "queue_text.hh"

#include <algorithm>
#include <ctime>

#include "kurir/cli/table.hh"
#include "kurir/server/values.hh"

namespace kurir::cli {
namespace {

using nlohmann::json;
using Table = std::vector<std::vector<std::string>>;

constexpr std::string_view states[] = {"scheduled", "ready", "in flight", "held"};

std::string number_text(const json& object, std::string_view key) {
  return std::to_string(object.value(key, std::uint64_t{0}));
}

std::string counted(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

std::string sender_text(const json& message) {
  const std::string sender = message.at("sender").get<std::string>();
  return sender.empty() ? "<>" : sender;
}

// Domains and sites differ by their first columns only.
Table counts_table(const json& rows, bool is_by_site) {
  Table table = {{is_by_site ? "SITE" : "DOMAIN", is_by_site ? "DOMAINS" : "SITE", "RECIPIENTS",
                  "SCHEDULED", "READY", "IN FLIGHT", "HELD", "OLDEST"}};
  for (const json& row : rows) {
    const std::string site = row.value("site", "");
    std::vector<std::string> cells = {is_by_site ? site : row.value("domain", ""),
                                      is_by_site ? number_text(row, "domains") : site,
                                      number_text(row, "recipients")};
    if (cells[0].empty()) cells[0] = "-";
    if (cells[1].empty()) cells[1] = "-";
    for (const std::string_view state : states) cells.push_back(number_text(row, state));
    cells.push_back(row.contains("oldest") ? time_text(row["oldest"].get<std::int64_t>()) : "");
    table.push_back(std::move(cells));
  }
  return table;
}

std::vector<std::string> ages_row(const std::string& name, const json& row) {
  std::vector<std::string> cells = {name, number_text(row, "recipients")};
  for (const json& count : row.at("ages"))
    cells.push_back(std::to_string(count.get<std::uint64_t>()));
  return cells;
}

// As qshape has it: columns are minutes.
Table ages_table(const json& summary) {
  Table table = {{"DOMAIN", "T"}};
  std::string last;
  for (const json& minutes : summary.at("age_minutes"))
    table[0].push_back(last = std::to_string(minutes.get<std::uint64_t>()));
  table[0].push_back(last + "+");
  table.push_back(ages_row("TOTAL", summary));
  for (const json& row : summary.at("domains"))
    table.push_back(ages_row(row.value("domain", ""), row));
  return table;
}

Table states_table(const json& summary) {
  Table table = {{"STATE", "RECIPIENTS"}};
  for (const std::string_view state : states)
    table.push_back({std::string(state), number_text(summary, state)});
  return table;
}

std::string past_of(const std::string& order) {
  if (order == "retry") return "due now";
  if (order == "hold") return "held";
  return order + (order.ends_with('e') ? "d" : "ed");  // released, bounced, removed
}

std::string explained_recipient(const json& recipient) {
  std::string text = "  " + recipient.at("address").get<std::string>();
  if (recipient.contains("orig_address"))
    text += " (sent to " + recipient["orig_address"].get<std::string>() + ")";
  text += ": " + recipient.at("state").get<std::string>() + ", " +
          counted(recipient.at("attempts").get<std::uint64_t>(), "attempt");
  text = printable(text) + '\n';
  if (recipient.contains("next_attempt")) {
    const std::int64_t next = recipient["next_attempt"].get<std::int64_t>();
    text += "    next attempt  " + time_text(next) + " (in " +
            wait_text(next - std::time(nullptr)) + ")\n";
  }
  text += "    waits for     " + printable(recipient.at("waits_for").get<std::string>()) + '\n';
  if (recipient.contains("site"))
    text += "    site          " + printable(recipient["site"].get<std::string>()) + '\n';
  if (recipient.contains("last_attempt"))
    text += "    last attempt  " + time_text(recipient["last_attempt"].get<std::int64_t>()) + '\n';
  if (recipient.contains("last_reply"))
    text += "    last reply    " + printable(recipient["last_reply"].get<std::string>()) + '\n';
  return text;
}

}  // namespace

std::string time_text(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm local{};
  char text[32];
  localtime_r(&time, &local);
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local)};
}

std::string wait_text(std::int64_t seconds) {
  return server::duration_text(std::chrono::seconds(std::max<std::int64_t>(seconds, 0)));
}

std::vector<std::vector<std::string>> list_rows(const json& messages, bool with_heading) {
  Table rows;
  if (with_heading)
    rows.push_back({"ID", "SIZE", "ARRIVED", "SENDER", "RECIPIENT", "STATE", "WAITS BECAUSE"});
  for (const json& message : messages)
    for (const json& recipient : message.at("recipients"))
      rows.push_back({message.at("queue_id").get<std::string>(),
                      std::to_string(message.at("message_size").get<std::uint64_t>()),
                      time_text(message.at("arrival_time").get<std::int64_t>()),
                      sender_text(message), recipient.at("address").get<std::string>(),
                      recipient.value("state", ""),
                      recipient.value("delay_reason", recipient.value("waits_for", ""))});
  return rows;
}

std::string message_text(const json& message) {
  std::string text = table_text(list_rows(json::array({message}), true)) + '\n';
  const std::string headers = message.value("headers", "");
  for (std::size_t at = 0; at < headers.size();) {
    const std::size_t end = std::min(headers.find("\r\n", at), headers.size());
    text += printable(std::string_view(headers).substr(at, end - at)) + '\n';
    at = end + 2;
  }
  return text;
}

std::string summary_text(const std::string& by, const json& summary) {
  std::string text = counted(summary.at("messages").get<std::uint64_t>(), "message") + ", " +
                     counted(summary.at("recipients").get<std::uint64_t>(), "recipient") + ", " +
                     counted(summary.at("octets").get<std::uint64_t>(), "octet") + '\n';
  if (by == "state") return text + table_text(states_table(summary));
  if (summary.at("domains").empty()) return text;
  if (by == "age") return text + table_text(ages_table(summary));
  const bool is_by_site = by == "site";
  const json& rows = summary.at(is_by_site ? "sites" : "domains");
  text += table_text(counts_table(rows, is_by_site));
  const std::uint64_t total = summary.value("domains_total", std::uint64_t{0});
  if (!is_by_site && total > rows.size())
    text += "and " + counted(total - rows.size(), "domain") + " more: --limit shows them\n";
  return text;
}

std::string order_text(const std::string& order, const json& result) {
  const std::string what = counted(result.at("recipients").get<std::uint64_t>(), "recipient") +
                           " of " + counted(result.at("messages").get<std::uint64_t>(), "message");
  std::string text = what + (result.value("dry_run", false) ? " would be " : " ") + past_of(order);
  const std::uint64_t busy = result.at("busy").get<std::uint64_t>();
  if (busy > 0) text += "; " + counted(busy, "recipient") + " in flight left alone";
  return text + '\n';
}

std::string why_text(const json& explained) {
  const std::int64_t expiry = explained.at("expiry").get<std::int64_t>();
  std::string text = explained.at("queue_id").get<std::string>() + " from " +
                     sender_text(explained) + ", " + explained.at("state").get<std::string>();
  text = printable(text) + "\n  arrived  " +
         time_text(explained.at("arrival_time").get<std::int64_t>()) + '\n';
  text += "  expires  " + time_text(expiry) + " (in " + wait_text(expiry - std::time(nullptr)) +
          "; queue.max_age is " + explained.at("max_age").get<std::string>() + ", " +
          printable(explained.at("max_age_origin").get<std::string>()) + ")\n";
  for (const json& recipient : explained.at("recipients")) text += explained_recipient(recipient);
  return text;
}

}  // namespace kurir::cli
