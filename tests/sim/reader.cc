// Readers: IMAP and POP3 clients that look at the mail of a user, and delete some.

#include <charconv>

#include "kurir/io/clock.hh"
#include "peers.hh"

namespace kurir::sim {
namespace {

std::uint64_t number_after(std::string_view line, std::string_view name) {
  const std::size_t found = line.find(name);
  std::uint64_t number = 0;
  if (found != std::string_view::npos)
    std::from_chars(line.data() + found + name.size(), line.data() + line.size(), number);
  return number;
}

}  // namespace

Task<void> Peers::read_now_and_then(unsigned reader) {
  const Instant end = io::now() + plan_.load_time;
  while (io::now() < end && !stop_.is_set()) {
    const Woken woken =
        co_await stop_.wait(deadline_in(random().duration(Seconds(10), plan_.load_time / 3)));
    if (woken == Woken::by_signal) break;
    const std::string user = user_address(static_cast<unsigned>(random().below(users)));
    const bool by_imap = random().chance(0.7);
    bool well = false;
    if (by_imap) {
      well = co_await read_imap(user, true, false);
    } else {
      well = co_await read_pop3(user);
    }
    world_.note("reader.ended", reader, user, well);
  }
  --readers_running_;
}

// Whether all of it was seen.
Task<bool> Peers::read_imap(std::string user, bool may_delete, bool is_last) {
  const std::unique_ptr<Conversation> server =
      co_await Conversation::open(imap_address, own_address());
  if (server == nullptr) co_return false;
  const std::optional<std::string> greeting = co_await server->line();
  std::vector<Ledger::Seen> seen;
  bool well = greeting && greeting->starts_with("* OK");
  if (well) {
    const auto answer = co_await server->command("a", "LOGIN " + user + " secret");
    well = answer && answer->is_ok;
  }
  if (well) well = co_await read_folder(*server, user, "INBOX", may_delete, seen);
  if (well && is_last) ledger_.see_all(user, std::move(seen));
  if (well) {
    const auto answer = co_await server->command("z", "LOGOUT");
    well = answer.has_value();
  }
  note_late(*server);
  co_await server->close();
  co_return well;
}

Task<bool> Peers::read_folder(Conversation& server, std::string user, std::string folder,
                              bool may_delete, std::vector<Ledger::Seen>& seen) {
  const auto selected = co_await server.command("b", "SELECT " + folder);
  if (!selected || !selected->is_ok) co_return false;
  std::uint64_t validity = 0;
  for (const std::string& line : selected->lines)
    if (line.find("UIDVALIDITY ") != std::string::npos)
      validity = number_after(line, "UIDVALIDITY ");
  const auto fetched = co_await server.command("c", "UID FETCH 1:* (UID BODY.PEEK[])");
  // Of a damaged message the server says so; the others are there.
  if (!fetched || (!fetched->is_ok && !plan_.has_flips)) co_return false;
  for (std::size_t at = 0; at + 1 < fetched->lines.size(); ++at) {
    const std::string& line = fetched->lines[at];
    if (line.find(" FETCH (") == std::string::npos || !line.ends_with('}')) continue;
    Ledger::Seen message;
    message.validity = validity;
    message.uid = static_cast<std::uint32_t>(number_after(line, "UID "));
    message.content = fetched->lines[++at];
    ledger_.see_uid(user, folder, validity, message.uid,
                    is_report(message.content) ? "a report" : id_in(message.content));
    seen.push_back(std::move(message));
  }
  if (!may_delete || seen.empty() || !random().chance(0.5)) co_return true;
  co_return co_await delete_one(server, user, random().pick(seen));
}

Task<bool> Peers::delete_one(Conversation& server, std::string user, Ledger::Seen message) {
  if (is_report(message.content)) co_return true;
  const std::string id(id_in(message.content)), uid = std::to_string(message.uid);
  const auto stored =
      co_await server.command("d", "UID STORE " + uid + " +FLAGS.SILENT (\\Deleted)");
  if (!stored || !stored->is_ok) co_return false;
  ledger_.deleted(user, id, Ledger::Deletion::asked);
  const auto expunged = co_await server.command("e", "UID EXPUNGE " + uid);
  if (!expunged) co_return false;
  if (expunged->is_ok) ledger_.deleted(user, id, Ledger::Deletion::done);
  world_.note("reader.deletes", user, id, expunged->is_ok);
  co_return true;
}

// Takes one message away, as a POP3 client does that leaves nothing on the server.
Task<bool> Peers::read_pop3(std::string user) {
  const std::unique_ptr<Conversation> server =
      co_await Conversation::open(pop3_address, own_address());
  if (server == nullptr) co_return false;
  std::string id;
  bool well = true;
  const std::string commands[] = {"", "USER " + user, "PASS secret", "RETR 1", "DELE 1", "QUIT"};
  for (const std::string& command : commands) {
    if (!command.empty()) well = co_await server->say(command + "\r\n");
    const bool ends = command == "QUIT" && !id.empty();
    if (ends) ledger_.deleted(user, id, Ledger::Deletion::asked);
    std::optional<std::string> line;
    if (well) line = co_await server->line();
    well = line && line->starts_with("+OK");
    if (!well) break;
    if (ends) ledger_.deleted(user, id, Ledger::Deletion::done);
    if (!command.starts_with("RETR")) continue;
    std::string content;
    do {
      line = co_await server->line();
      if (line) content += *line + "\r\n";
    } while (line && *line != ".");
    well = line.has_value();
    if (!well || is_report(content)) break;
    id = id_in(content);
  }
  note_late(*server);
  co_await server->close();
  co_return well;
}

Task<void> Peers::look_at_all(Look& look) {
  bool well = true;
  for (unsigned user = 0; user < users && well; ++user)
    well = co_await read_imap(user_address(user), false, true);
  look.is_complete = well;
  look.is_over = true;
}

}  // namespace kurir::sim
