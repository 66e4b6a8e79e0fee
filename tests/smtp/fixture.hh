#pragma once
// A queue on real logs, and a directory, on one core, with sessions that a test talks to. Nobody
// delivers: what was accepted stays. Users: support/bobs_directory.hh, with others.

#include <functional>
#include <optional>
#include <vector>

#include "kurir/smtp/server_session.hh"
#include "support/bobs_directory.hh"
#include "support/connections.hh"
#include "support/login_house.hh"
#include "support/on_cores.hh"
#include "support/shard.hh"
#include "support/temporary_directory.hh"

namespace kurir::smtp::test {

using kurir::test::FakeStream;

inline ServerOptions small_limits() {
  ServerOptions options;
  options.hostname = "mail.example.test";
  options.message_octets_max = 100'000;
  options.recipients_max = 5;
  options.errors_max = 6;
  options.logins_failed_max = 2;
  return options;
}

struct HouseOptions {
  Service service = Service::transfer;
  ServerOptions server = small_limits();
  queue::QueueOptions queue = {};
  bool allow_plaintext_login = true;
};

// What a golden chat expects of the house, by what its name begins with.
inline HouseOptions chat_options(const std::string& name) {
  HouseOptions options;
  const auto anybody = [](const io::SocketAddress&) { return true; };
  if (name.starts_with("submission_")) options.service = Service::submission;
  if (name.starts_with("lmtp_")) options.service = Service::lmtp;
  options.server.offers_tls = name.starts_with("tls_");
  options.server.pipelining_connect = name.starts_with("pipeconnect_");
  if (name.starts_with("vrfy_")) options.server.vrfy = Vrfy::everybody;
  if (name.starts_with("etrn_")) options.server.may_etrn = anybody;
  if (name.starts_with("xclient_")) options.server.may_xclient = anybody;
  return options;
}

// What is in bob's mailbox, as far as RCPT asks.
class BobsRoom final : public MailboxRooms {
 public:
  Task<MailboxRoom> room_for(AccountId, std::uint64_t quota_octets, std::uint64_t octets) override {
    if (octets > quota_octets) co_return MailboxRoom::never;
    co_return used + octets > quota_octets ? MailboxRoom::not_now : MailboxRoom::yes;
  }
  std::uint64_t used = 0;
};

// Three messages wait for away.test, one below it; the queue for broken.test cannot be started.
class Starts final : public QueueStarter {
 public:
  Task<Result<std::uint64_t>> start_for(std::string domain) override {
    if (domain == "broken.test") co_return fail(Errc::no_space, Origin::queue);
    co_return domain == "away.test" ? 3U : domain == ".away.test" ? 4U : 0U;
  }
};

// Everything below a session. Core-local; run() makes it, and takes it down after the body.
class House : public kurir::test::Connections<ServerSession> {
 public:
  using Body = std::function<Task<void>(House&)>;

  static void run(HouseOptions options, Body body) {
    const kurir::test::TemporaryDirectory folder;
    House house(folder.path(), std::move(options));
    kurir::test::on_cores(1, [&](CoreIndex) { return house.live(body); });
  }

  queue::Queue& queue() { return *queue_; }
  kurir::test::Shard& shard() { return shard_; }
  BobsRoom& room() { return room_; }
  // A client that was greeted.
  Task<FakeStream*> greeted() {
    FakeStream& stream = connect().stream;
    const std::string greeting = co_await stream.take_line(deadline_in(Seconds(10)));
    EXPECT_TRUE(greeting.starts_with("220 ")) << greeting;
    co_return &stream;
  }
  std::vector<const queue::Message*> queued() const {
    std::vector<const queue::Message*> all;
    queue_->for_each([&](const queue::Message& message) { all.push_back(&message); });
    return all;
  }
  // The message records, content included, that a start after a crash at this moment would find.
  Task<std::vector<std::string>> after_a_crash() {
    const kurir::test::TemporaryDirectory copy;
    const std::string path = copy.path() + "/data";
    std::filesystem::copy(shard_.path(), path, std::filesystem::copy_options::recursive);
    std::vector<std::string> found;
    kurir::test::Shard other(path);
    co_await other.open([&](const store::RecordView& record) {
      if (record.type == store::record_type::message) found.emplace_back(record.payload);
    });
    co_await other.stop();
    co_return found;
  }

 private:
  House(const std::string& folder, HouseOptions options)
      : Connections([this](io::Stream& stream) {
          return std::make_unique<ServerSession>(stream, options_.service, *services_);
        }),
        options_(std::move(options)),
        shard_(folder + "/data") {}

  Task<void> live(const Body& body) {
    co_await shard_.open();
    logs_ = {&shard_.spool(), &shard_.mail(), &shard_.journal()};
    queue_.emplace(options_.queue, ShardIndex(0), shard_.start(), logs_, events_, counters_);
    queue_->start();
    directory_.emplace(kurir::test::bobs_directory({.quota_octets = 90'000, .with_others = true}),
                       directory::RecentLogins::Key{});
    logins_.emplace(*directory_, options_.allow_plaintext_login);
    services_.emplace(ServerServices{options_.server, *directory_, logins_->authenticator, room_,
                                     *queue_, events_, counters_});
    services_->queue_starter = &starts_;
    co_await body(*this);
    co_await end_all();
    co_await queue_->stop();
    queue_.reset();
    co_await shard_.stop();
    co_await events_.stop();
  }

  HouseOptions options_;
  kurir::test::Shard shard_;
  observe::EventSink sink_{"none"};
  observe::Counters counters_;
  observe::EventLog events_{sink_, &counters_};
  queue::ShardLogs logs_;
  BobsRoom room_;
  Starts starts_;
  std::optional<queue::Queue> queue_;
  std::optional<directory::Directory> directory_;
  std::optional<kurir::test::LoginHouse> logins_;
  std::optional<ServerServices> services_;
};

}  // namespace kurir::smtp::test
