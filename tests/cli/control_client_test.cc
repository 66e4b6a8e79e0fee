#include "kurir/cli/control_client.hh"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

namespace kurir::cli {
namespace {

// A server that answers one connection with given octets, and notes what it was asked.
class OneAnswer {
 public:
  OneAnswer(const std::string& data, std::string answer, std::string& asked)
      : answer_(std::move(answer)), asked_(asked) {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // Bound by a short name from within: the data directory's path may be long.
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(data);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string("control.sock").copy(address.sun_path, sizeof address.sun_path);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    std::filesystem::current_path(before);
    thread_ = std::thread([this] { serve(); });
  }
  ~OneAnswer() {
    thread_.join();
    ::close(listener_);
  }

 private:
  void serve() {
    const int connection = ::accept(listener_, nullptr, nullptr);
    char buffer[4096];
    while (!asked_.ends_with('\n')) {
      const ssize_t got = ::read(connection, buffer, sizeof buffer);
      if (got <= 0) break;
      asked_.append(buffer, static_cast<std::size_t>(got));
    }
    for (const char c : answer_)  // in the smallest pieces
      if (::send(connection, &c, 1, MSG_NOSIGNAL) != 1) break;
    ::close(connection);
  }
  std::string answer_;
  std::string& asked_;  // to be read when this is gone
  int listener_;
  std::thread thread_;
};

class ControlClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/kurir-control-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  std::string asked_;
};

TEST_F(ControlClientTest, asks_and_gets_the_answer) {
  std::string asked;
  {
    OneAnswer server(folder_, "{\"ok\":true,\"result\":{\"n\":1}}\n", asked);
    const auto answer = ask_server(folder_, {"queue list", {{"limit", 5}}});
    ASSERT_TRUE(answer);
    EXPECT_EQ((*answer)["result"]["n"], 1);
  }
  EXPECT_EQ(asked, "{\"arguments\":{\"limit\":5},\"command\":\"queue list\"}\n");
}

constexpr const char* in_pieces =
    "{\"more\":true,\"result\":[1,2]}\n{\"more\":true,\"result\":[]}\n"
    "{\"more\":true,\"result\":[3]}\n{\"ok\":true,\"result\":[4]}\n";

TEST_F(ControlClientTest, pieces_are_taken_one_by_one_or_become_one_result) {
  {
    OneAnswer server(folder_, in_pieces, asked_);
    const auto answer = ask_server(folder_, {"queue list"});
    ASSERT_TRUE(answer);
    EXPECT_EQ((*answer)["result"], nlohmann::json({1, 2, 3, 4}));
  }
  std::filesystem::remove(folder_ + "/control.sock");
  OneAnswer server(folder_, in_pieces, asked_);
  std::vector<std::size_t> sizes;
  const auto answer = ask_server(folder_, {"queue list"}, [&](const nlohmann::json& piece) {
    sizes.push_back(piece.size());
    return true;
  });
  ASSERT_TRUE(answer);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2, 0, 1}));
  EXPECT_EQ((*answer)["result"], nlohmann::json({4}));
}

TEST_F(ControlClientTest, who_has_enough_hears_no_more) {
  OneAnswer server(folder_, in_pieces, asked_);
  const auto answer =
      ask_server(folder_, {"queue list"}, [](const nlohmann::json&) { return false; });
  EXPECT_EQ(answer.error().code, Errc::cancelled);
}

TEST_F(ControlClientTest, a_list_that_breaks_off_is_a_failure) {
  OneAnswer server(folder_, "{\"more\":true,\"result\":[1]}\n", asked_);
  EXPECT_EQ(ask_server(folder_, {"queue list"}).error().code, Errc::io_failed);
}

TEST_F(ControlClientTest, a_data_directory_may_have_a_long_path) {
  const std::string data = folder_ + "/" + std::string(200, 'd');
  std::filesystem::create_directory(data);
  OneAnswer server(data, "{\"ok\":true,\"result\":null}\n", asked_);
  EXPECT_TRUE(ask_server(data, {"stop"}));
}

TEST_F(ControlClientTest, an_answer_that_is_none_is_a_failure) {
  for (const char* answer : {"", "{\"ok\":true", "hello\n"}) {
    OneAnswer server(folder_, answer, asked_);
    EXPECT_EQ(ask_server(folder_, {"stop"}).error().code, Errc::io_failed) << answer;
    std::filesystem::remove(folder_ + "/control.sock");
  }
}

TEST_F(ControlClientTest, without_a_server_there_is_nobody_to_ask) {
  EXPECT_EQ(ask_server(folder_, {"stop"}).error().code, Errc::not_found);
  EXPECT_EQ(ask_server(folder_ + "/none", {"stop"}).error().code, Errc::not_found);
  // A socket that a crash left behind.
  const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder_ + "/control.sock").copy(address.sun_path, sizeof address.sun_path);
  ASSERT_EQ(::bind(left, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(left);
  EXPECT_EQ(ask_server(folder_, {"stop"}).error().code, Errc::not_found);
}

}  // namespace
}  // namespace kurir::cli
