#pragma once
// A store, mailboxes and a directory on one core, with sessions that a test talks to. The user is
// bob@example.test, password "secret".

#include <gtest/gtest.h>
#include <stdlib.h>

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "fake_stream.hh"
#include "kurir/directory/password.hh"
#include "kurir/imap/server_session.hh"
#include "kurir/io/core.hh"
#include "kurir/store/data_directory.hh"
#include "support/on_cores.hh"

namespace kurir::imap::test {

inline Shared<const directory::Snapshot> bobs_directory(std::uint64_t quota_octets) {
  static const std::string hash = *directory::hash_password("secret", "0123456789abcdef");
  directory::SnapshotBuilder builder(1);
  EXPECT_TRUE(builder.add_domain("example.test"));
  directory::User bob;
  bob.id = AccountId(7);
  bob.address = "bob@example.test";
  bob.password_hash = hash;
  bob.quota_octets = quota_octets;
  EXPECT_TRUE(builder.add_user(bob));
  return *builder.build();
}

class NoRecords final : public store::RecordVisitor {
 public:
  void on_record(const store::RecordView&) override { ADD_FAILURE() << "the folder is new"; }
  void on_corrupt(const store::RecordRef&) override { ADD_FAILURE() << "the folder is new"; }
};

// One connection. Core-local.
struct Connection {
  explicit Connection(const ServerServices& services) : session(stream, services) {}
  FakeStream stream;
  ServerSession session;
  bool ended = false;
};

struct HouseOptions {
  ServerOptions server;
  std::uint64_t quota_octets = 0;
};

// Everything below a session. Core-local; run() makes it, and takes it down after the body.
class House {
 public:
  using Body = std::function<Task<void>(House&)>;

  static void run(HouseOptions options, Body body) {
    std::string path = (std::filesystem::temp_directory_path() / "kurir-imap-XXXXXX").string();
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    House house(path + "/data", std::move(options));
    kurir::test::on_cores(1, [&](CoreIndex) { return house.live(body); });
    std::filesystem::remove_all(path);
  }

  Connection& connect() {
    connections_.push_back(std::make_unique<Connection>(*services_));
    scope_.start(serve(*connections_.back()));
    return *connections_.back();
  }
  Connection& connection(std::size_t index) {
    while (connections_.size() <= index) connect();
    return *connections_[index];
  }
  std::size_t connections() const { return connections_.size(); }
  mailbox::Mailboxes& mailboxes() { return *mailboxes_; }
  const mailbox::StructureCache& structures() const { return structures_; }

 private:
  House(std::string path, HouseOptions options)
      : path_(std::move(path)), options_(std::move(options)) {}

  static Task<void> serve(Connection& connection) {
    co_await connection.session.run();
    connection.ended = true;
  }

  Task<std::unique_ptr<store::Log>> open_log(store::StreamKind stream) {
    NoRecords nothing;
    store::LogOptions options;
    options.directory = *data_->shard_directory(ShardIndex(0));
    options.instance = data_->instance();
    options.stream = stream;
    options.segment_octets = 4 << 20;
    options.durability = store::Durability::none;
    Result<std::unique_ptr<store::Log>> log =
        co_await store::Log::open(std::move(options), nothing);
    KURIR_ASSERT(log.has_value());
    co_return std::move(*log);
  }

  void install_turn_hooks() {
    quiescence_.online(CoreIndex(0));
    io::Core::current().set_turn_hooks(
        {.quiescent =
             [this] {
               quiescence_.quiescent(CoreIndex(0));
               owner_.reclaim();
             },
         .before_sleep = [this] { quiescence_.offline(CoreIndex(0)); },
         .after_sleep = [this] { quiescence_.online(CoreIndex(0)); }});
  }

  Task<void> live(const Body& body) {
    install_turn_hooks();
    data_.emplace(*store::DataDirectory::open(path_, {.new_instance = 42}));
    mail_ = co_await open_log(store::StreamKind::mail);
    journal_ = co_await open_log(store::StreamKind::journal);
    reader_.emplace(path_, data_->instance());
    owner_.start(*journal_);
    mailboxes_ = std::make_unique<mailbox::Mailboxes>(std::vector<mailbox::Owner*>{&owner_}, *mail_,
                                                      *reader_);
    everywhere_.push_back(mailboxes_.get());
    directory_.emplace(bobs_directory(options_.quota_octets), directory::RecentLogins::Key{});
    options_.server.hostname = "mail.example.test";
    options_.server.allow_plaintext_login = true;
    services_.emplace(ServerServices{options_.server, *directory_, *mailboxes_, structures_,
                                     owner_.retired(), counters_});
    co_await body(*this);
    for (const std::unique_ptr<Connection>& connection : connections_) connection->stream.hang_up();
    co_await scope_.join();
    connections_.clear();
    co_await owner_.stop();
    co_await broadcast_.stop();
    co_await journal_->stop();
    co_await mail_->stop();
    mailboxes_.reset();
    reader_.reset();
    journal_.reset();
    mail_.reset();
    quiescence_.offline(CoreIndex(0));
    io::Core::current().set_turn_hooks({});
  }

  const std::string path_;
  HouseOptions options_;
  QuiescenceDomain quiescence_{1};
  std::vector<mailbox::Mailboxes*> everywhere_;
  mailbox::ChangeBroadcast broadcast_{everywhere_};
  mailbox::Owner owner_{quiescence_, [this](mailbox::MailboxKey key) { broadcast_.changed(key); }};
  mailbox::StructureCache structures_{1 << 20};
  observe::Counters counters_;
  std::optional<store::DataDirectory> data_;
  std::unique_ptr<store::Log> mail_, journal_;
  std::optional<store::Reader> reader_;
  std::unique_ptr<mailbox::Mailboxes> mailboxes_;
  std::optional<directory::Directory> directory_;
  std::optional<ServerServices> services_;
  std::deque<std::unique_ptr<Connection>> connections_;
  Scope scope_;
};

}  // namespace kurir::imap::test
