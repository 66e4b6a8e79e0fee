#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "fixture.hh"
#include "kurir/io/connect.hh"
#include "kurir/sink/run.hh"
#include "support/temporary_directory.hh"

namespace kurir::sink::test {
namespace {

std::string text_of_file(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// A client of a sink on a real core, which dumps.
Task<void> send_twice(Sink& sink, io::SocketAddress& address) {
  while (address.port() == 0) co_await sleep_for(Milliseconds(1));
  const auto connected = co_await io::connect(address, {}, deadline_in(Seconds(5)));
  KURIR_ASSERT(connected.has_value());
  io::Stream& socket = **connected;
  for (int round = 0; round < 2; ++round)
    socket.output() +=
        "HELO me\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test> X=Y\r\nDATA\r\nSubject: x\r\n\r\n"
        "..dot\r\n.\r\n";
  socket.output() += "QUIT\r\n";
  static_cast<void>(co_await socket.flush(deadline_in(Seconds(5))));
  for (;;) {
    const Result<void> filled = co_await socket.fill(deadline_in(Seconds(5)));
    if (!filled) break;
    socket.input().clear();
  }
  co_await socket.close();
  sink.ask_to_stop();
}

Task<void> live(Sink& sink, io::SocketAddress& address) {
  Scope scope;
  scope.start(send_twice(sink, address));
  co_await sink.run(CoreIndex(0));
  co_await scope.join();
}

TEST(SinkDump, writes_files_as_smtp_sink_does) {
  const kurir::test::TemporaryDirectory folder;
  Options options;
  options.address = *io::SocketAddress::parse("127.0.0.1:0");
  options.dump.one_each = folder.path() + "/%Y/one.";
  options.dump.together = folder.path() + "/all";
  options.dump.begin = "From sink\n";
  io::SocketAddress address;
  options.listening = [&address](const io::SocketAddress& bound) { address = bound; };
  Sink sink(options, 1);
  kurir::test::on_cores(1, [&](CoreIndex) { return live(sink, address); });
  EXPECT_EQ(sink.report()->messages, 2U);
  std::vector<std::string> ones;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder.path()))
    if (file.path().filename().string().starts_with("one.")) ones.push_back(file.path());
  ASSERT_EQ(ones.size(), 2U);
  const std::string first = text_of_file(ones[0]), second = text_of_file(ones[1]);
  const std::string id = std::filesystem::path(ones[0]).extension().string().substr(1);
  EXPECT_TRUE(
      first.starts_with("From sink\nX-Client-Addr: 127.0.0.1\nX-Client-Proto: SMTP\n"
                        "X-Helo-Args: me\nX-Mail-Args: <a@a.test>\n"
                        "X-Rcpt-Args: <b@b.test> X=Y\nReceived: from me ([127.0.0.1])\n"
                        "\tby sink.test (kurir-sink) with SMTP id " +
                        id + ";\n\t"))
      << first;
  EXPECT_TRUE(first.ends_with(" +0000\nSubject: x\n\n.dot\n\n")) << first;
  const std::string all = text_of_file(folder.path() + "/all");
  EXPECT_TRUE(all == first + second || all == second + first) << all;
}

TEST(SinkDump, what_cannot_be_written_is_not_taken) {
  Options options;
  options.address = *io::SocketAddress::parse("127.0.0.1:0");
  options.dump.together = "/dev/null/nothing";
  io::SocketAddress address;
  options.listening = [&address](const io::SocketAddress& bound) { address = bound; };
  Sink sink(options, 1);
  kurir::test::on_cores(1, [&](CoreIndex) { return live(sink, address); });
  EXPECT_EQ(sink.report()->messages, 0U);
  EXPECT_EQ(sink.report()->replies[451], 2U);
}

}  // namespace
}  // namespace kurir::sink::test
