// A load test in one process, as a harness would write it: a sink, and a run that sends to it.

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "kurir/blast/run.hh"
#include "kurir/sink/run.hh"

namespace kurir::sink {
namespace {

TEST(Example, a_sink_and_a_run_in_one_process) {
  std::promise<io::SocketAddress> listening;
  Options peer;
  peer.address = *io::SocketAddress::parse("127.0.0.1:0");
  peer.cores = 1;
  peer.expected = peer.stop_after = 200;
  peer.listening = [&](const io::SocketAddress& address) { listening.set_value(address); };
  std::future<Result<Report>> taken = std::async(std::launch::async, [&] { return run(peer); });

  blast::Options load;
  load.server = listening.get_future().get();
  load.cores = 1;
  load.messages = 200;
  load.sessions = 4;
  load.per_connection = 0;
  load.pipelining = true;
  const Result<blast::Report> sent = blast::run(load);
  const Result<Report> seen = taken.get();

  ASSERT_TRUE(sent && seen);
  EXPECT_TRUE(sent->all_accepted());
  EXPECT_EQ(sent->accepted, 200U);
  EXPECT_TRUE(seen->is_clean());
  EXPECT_EQ(seen->messages, 200U);
}

}  // namespace
}  // namespace kurir::sink
