#include "kurir/admin/control_server.hh"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "kurir/base/limits.hh"
#include "kurir/io/offload.hh"
#include "support/on_cores.hh"

namespace kurir::admin {
namespace {

using nlohmann::json;

// A blocking client, on a thread of its own.
class Client {
 public:
  explicit Client(const std::string& path) : descriptor_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    connected_ = ::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { ::close(descriptor_); }
  Client(const Client&) = delete;
  bool connected() const { return connected_; }
  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return;  // the server has heard enough
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  void end() { ::shutdown(descriptor_, SHUT_WR); }
  std::string read_some() {
    char block[65536];
    const ssize_t count = ::recv(descriptor_, block, sizeof block, 0);
    return std::string(block, static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
  std::string read_all() {
    std::string all;
    for (std::string some; !(some = read_some()).empty();) all += some;
    return all;
  }

 private:
  int descriptor_;
  bool connected_ = false;
};

std::string ask(const std::string& path, std::string_view request) {
  Client client(path);
  client.send(request);
  return client.read_all();
}

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/kurir_control_XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string socket() const { return path_ + "/control.sock"; }

 private:
  std::string path_;
};

Task<ControlOutcome> echo(std::string command, json arguments) {
  json result = json::object();
  result["command"] = std::move(command);
  result["arguments"] = std::move(arguments);
  co_return ControlOutcome::success(std::move(result));
}

Task<ControlOutcome> refuse_all() { co_return ControlOutcome::failure("no such user: \xFF\n"); }

Task<ControlOutcome> count(json arguments, ControlChunks& chunks) {
  const std::size_t pieces = arguments.value("pieces", std::size_t{0});
  for (std::size_t piece = 0; piece < pieces; ++piece) {
    json numbers = json::array();
    numbers.push_back(piece);
    const Result<void> sent = co_await chunks.send(std::move(numbers));
    if (!sent) co_return ControlOutcome::failure("nobody reads");
  }
  co_return ControlOutcome::success(json::array({"end"}));
}

ControlHandlers handlers() {
  ControlHandlers table;
  table["echo"] = [](std::string command, json arguments, ControlChunks&) {
    return echo(std::move(command), std::move(arguments));
  };
  table["fail"] = [](std::string, json, ControlChunks&) { return refuse_all(); };
  table["count"] = [](std::string, json arguments, ControlChunks& chunks) {
    return count(std::move(arguments), chunks);
  };
  return table;
}

// Runs the server while `client` works on the pool, then stops it.
Task<void> run(std::string path, ControlHandlers table, std::function<void()> client) {
  auto server = ControlServer::open(path, std::move(table));
  EXPECT_TRUE(server.has_value());
  if (!server) co_return;
  const auto work = [&client] {
    client();
    return true;
  };
  auto working = io::offload(work);
  static_cast<void>(co_await working);
  co_await (*server)->stop();
}

void with_server(const std::string& path, std::function<void()> client) {
  test::on_cores(1, [&](CoreIndex) { return run(path, handlers(), client); });
}

std::string error_in(const std::string& answer) {
  const json line = json::parse(answer, nullptr, false);
  EXPECT_EQ(answer.find('\n'), answer.size() - 1) << answer;
  EXPECT_TRUE(line.is_object() && line.size() == 2 && line["ok"] == false) << answer;
  return line.is_object() ? line.value("error", "") : "";
}

TEST(ControlServer, a_command_is_carried_out_and_answered_in_a_line) {
  const Folder folder;
  const std::string path = folder.socket();
  with_server(path, [&] {
    EXPECT_EQ(
        ask(path, "{\"command\":\"echo\",\"arguments\":{\"a\":[1,\"\\n\"]}}\n"),
        "{\"ok\":true,\"result\":{\"arguments\":{\"a\":[1,\"\\n\"]},\"command\":\"echo\"}}\n");
    EXPECT_EQ(ask(path, "{\"command\":\"echo\"}\r\n{\"command\":\"fail\"}\n"),
              "{\"ok\":true,\"result\":{\"arguments\":{},\"command\":\"echo\"}}\n");
    EXPECT_EQ(ask(path, "{\"command\":\"fail\"}\n"),
              "{\"error\":\"no such user: \xEF\xBF\xBD\\n\",\"ok\":false}\n");
  });
}

TEST(ControlServer, the_socket_is_its_owner_s_alone_and_goes_with_the_server) {
  const Folder folder;
  const std::string path = folder.socket();
  const mode_t before = ::umask(0);
  for (int start = 0; start < 2; ++start) {
    with_server(path, [&] {
      struct stat status{};
      EXPECT_EQ(::stat(path.c_str(), &status), 0);
      EXPECT_EQ(status.st_mode & 07777U, 0600U);
    });
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  ::umask(before);
}

Task<void> open_at(std::string path) {
  auto server = ControlServer::open(path, handlers());
  EXPECT_FALSE(server.has_value());
  if (!server) EXPECT_EQ(server.error().code, Errc::invalid);
  co_return;
}

TEST(ControlServer, a_name_too_long_for_a_socket_is_an_error) {
  test::on_cores(1, [](CoreIndex) { return open_at("/tmp/" + std::string(103, 'x')); });
}

TEST(ControlServer, its_folder_may_have_a_long_path) {
  const Folder folder;
  const std::string long_folder =
      std::filesystem::path(folder.socket()).parent_path().string() + "/" + std::string(200, 'd');
  std::filesystem::create_directory(long_folder);
  const std::string path = long_folder + "/control.sock";
  const auto is_socket = [&path] { return std::filesystem::is_socket(path); };
  for (int start = 0; start < 2; ++start) with_server(path, [&] { EXPECT_TRUE(is_socket()); });
  EXPECT_FALSE(is_socket());
}

TEST(ControlServer, what_is_no_request_is_refused_clearly) {
  const Folder folder;
  const std::string path = folder.socket();
  const std::string deep =
      "{\"command\":\"echo\",\"arguments\":{\"a\":" + std::string(100'000, '[') +
      std::string(100'000, ']') + "}}\n";
  const struct {
    std::string request;
    std::string_view error;
  } rows[] = {{"\n", "not JSON"},
              {"echo\n", "not JSON"},
              {"{\"command\":\"echo\"\n", "not JSON"},
              {"{\"command\":\"echo\"} x\n", "not JSON"},
              {"{\"command\":\"\xFF\"}\n", "not JSON"},
              {std::string(100'000, '[') + "\n", "too deep"},
              {deep, "too deep"},
              {"[]\n", "not a JSON object"},
              {"{}\n", "no \"command\""},
              {"{\"command\":5}\n", "no \"command\""},
              {"{\"command\":\"echo\",\"arguments\":[]}\n", "\"arguments\""},
              {"{\"command\":\"nosuch\"}\n", "unknown command \"nosuch\""},
              {"{\"command\":\"\"}\n", "unknown command \"\""},
              {"{\"command\":\"" + std::string(5000, 'z') + "\"}\n", "zzz...\""},
              {std::string(limits::control_request_octets_max, ' ') + "\n", "longer than 1 MiB"},
              {std::string(3 << 20, 'x'), "longer than 1 MiB"}};
  with_server(path, [&] {
    for (const auto& row : rows) {
      const std::string error = error_in(ask(path, row.request));
      EXPECT_NE(error.find(row.error), std::string::npos) << row.request.substr(0, 60) << error;
      EXPECT_LT(error.size(), 200U);
    }
  });
}

TEST(ControlServer, a_request_comes_in_any_pieces_and_up_to_its_bound) {
  const Folder folder;
  const std::string path = folder.socket();
  const std::string head = "{\"command\":\"echo\",\"arguments\":{\"a\":\"", tail = "\"}}\n";
  const std::string filling(limits::control_request_octets_max - head.size() - tail.size(), 'x');
  with_server(path, [&] {
    const json answer = json::parse(ask(path, head + filling + tail), nullptr, false);
    EXPECT_TRUE(answer.is_object() && answer["ok"] == true);
    EXPECT_EQ(answer["result"]["arguments"]["a"].get<std::string>().size(), filling.size());
    Client slow(path);
    for (const char octet : head + "y" + tail) slow.send(std::string_view(&octet, 1));
    EXPECT_NE(slow.read_all().find("\"a\":\"y\""), std::string::npos);
    Client broken(path);
    broken.send(head);
    broken.end();
    EXPECT_NE(error_in(broken.read_all()).find("ended before"), std::string::npos);
    Client silent(path);
    silent.end();
  });
}

TEST(ControlServer, a_large_result_comes_in_pieces_before_the_last_line) {
  const Folder folder;
  const std::string path = folder.socket();
  constexpr std::size_t pieces = 100'000;
  with_server(path, [&] {
    const std::string answer =
        ask(path,
            "{\"command\":\"count\",\"arguments\":{\"pieces\":" + std::to_string(pieces) + "}}\n");
    std::size_t next = 0, begin = 0;
    for (std::size_t end; (end = answer.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const json line = json::parse(answer.substr(begin, end - begin), nullptr, false);
      ASSERT_TRUE(line.is_object());
      if (!line.contains("more")) break;
      ASSERT_EQ(line, json({{"more", true}, {"result", json::array({next})}}));
      ++next;
    }
    EXPECT_EQ(next, pieces);
    EXPECT_EQ(answer.substr(begin), "{\"ok\":true,\"result\":[\"end\"]}\n");
  });
}

TEST(ControlServer, a_client_that_goes_away_ends_its_command_only) {
  const Folder folder;
  const std::string path = folder.socket();
  with_server(path, [&] {
    for (int round = 0; round < 20; ++round) {
      Client client(path);
      client.send("{\"command\":\"count\",\"arguments\":{\"pieces\":100000}}\n");
      EXPECT_FALSE(client.read_some().empty());
    }
    EXPECT_NE(ask(path, "{\"command\":\"echo\"}\n").find("\"ok\":true"), std::string::npos);
  });
}

TEST(ControlServer, commands_beyond_the_bound_are_told_to_try_again) {
  const Folder folder;
  const std::string path = folder.socket();
  with_server(path, [&] {
    {
      std::vector<std::unique_ptr<Client>> waiting;
      for (std::size_t i = 0; i < limits::control_connections_max; ++i)
        waiting.push_back(std::make_unique<Client>(path));
      const std::string error = error_in(ask(path, "{\"command\":\"echo\"}\n"));
      EXPECT_NE(error.find("too many"), std::string::npos);
      waiting.front()->send("{\"command\":\"echo\"}\n");
      EXPECT_NE(waiting.front()->read_all().find("\"ok\":true"), std::string::npos);
    }
    // When those have gone there is room again; each one's end is seen in its turn.
    std::string answer;
    for (int tries = 0; tries < 10'000 && answer.find("\"ok\":true") == std::string::npos; ++tries)
      answer = ask(path, "{\"command\":\"echo\"}\n");
    EXPECT_NE(answer.find("\"ok\":true"), std::string::npos);
  });
}

// Two clients: one whose command runs while the server stops, one that has sent nothing yet.
struct Stopping {
  Signal started;
  kurir::Event may_end;
  bool has_started = false;
};

Task<ControlOutcome> wait_for_stop(Stopping& state) {
  state.has_started = true;
  state.started.notify_all();
  co_await state.may_end.wait();
  co_return ControlOutcome::success("done");
}

Task<void> stop_while_a_command_runs(std::string path) {
  Stopping state;
  ControlHandlers table;
  table["wait"] = [&state](std::string, json, ControlChunks&) { return wait_for_stop(state); };
  auto server = ControlServer::open(path, std::move(table));
  Client silent(path), late(path), running(path);  // accepted in this order
  late.send("{\"command\":");
  running.send("{\"command\":\"wait\"}\n");
  while (!state.has_started) co_await state.started.wait();
  Scope scope;
  scope.start((*server)->stop());
  co_await yield_turn();
  co_await yield_turn();
  state.may_end.set();
  co_await scope.join();
  EXPECT_EQ(running.read_all(), "{\"ok\":true,\"result\":\"done\"}\n");
  EXPECT_EQ(error_in(silent.read_all()), "the server is stopping");
  EXPECT_EQ(error_in(late.read_all()), "the server is stopping");
  EXPECT_FALSE(Client(path).connected());
}

TEST(ControlServer, stopping_answers_what_runs_and_turns_away_the_rest) {
  const Folder folder;
  test::on_cores(1, [&](CoreIndex) { return stop_while_a_command_runs(folder.socket()); });
}

Task<ControlOutcome> fill_until_nobody_reads(ControlChunks& chunks, Stopping& state) {
  for (;;) {
    const Result<void> sent = co_await chunks.send(std::string(1 << 20, 'x'));
    if (!sent) co_return ControlOutcome::failure("nobody reads");
    state.has_started = true;
    state.started.notify_all();
  }
}

Task<void> stop_beside_a_client_that_never_reads(std::string path) {
  Stopping state;
  ControlHandlers table;
  table["fill"] = [&state](std::string, json, ControlChunks& chunks) {
    state.has_started = true;
    state.started.notify_all();
    return fill_until_nobody_reads(chunks, state);
  };
  auto server = ControlServer::open(path, std::move(table));
  Client client(path);
  client.send("{\"command\":\"fill\"}\n");
  while (!state.has_started) co_await state.started.wait();
  co_await (*server)->stop(Milliseconds(20));
}

TEST(ControlServer, stopping_cuts_off_a_client_that_never_reads) {
  const Folder folder;
  test::on_cores(1,
                 [&](CoreIndex) { return stop_beside_a_client_that_never_reads(folder.socket()); });
}

}  // namespace
}  // namespace kurir::admin
