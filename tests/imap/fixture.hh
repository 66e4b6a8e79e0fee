#pragma once
// Mailboxes and a directory on one core, with sessions that a test talks to. The user is
// bob@example.test, password "secret".

#include <functional>
#include <optional>

#include "kurir/imap/server_session.hh"
#include "support/bobs_directory.hh"
#include "support/connections.hh"
#include "support/login_house.hh"
#include "support/mail_house.hh"
#include "support/on_cores.hh"
#include "support/temporary_directory.hh"

namespace kurir::imap::test {

using kurir::test::FakeStream;

struct HouseOptions {
  ServerOptions server;
  std::uint64_t quota_octets = 0;
};

// Everything below a session. Core-local; run() makes it, and takes it down after the body.
class House : public kurir::test::Connections<ServerSession> {
 public:
  using Body = std::function<Task<void>(House&)>;

  static void run(HouseOptions options, Body body) {
    const kurir::test::TemporaryDirectory folder;
    House house(folder.path() + "/data", std::move(options));
    kurir::test::on_cores(1, [&](CoreIndex) { return house.live(body); });
  }

  // Bob begins anew: his mailboxes are those of an account that nobody has used.
  void renew_bob() {
    bob_ = AccountId(bob_.value + 1000);
    directory_->replace(
        kurir::test::bobs_directory({.quota_octets = options_.quota_octets, .bobs_account = bob_}));
  }
  AccountId bobs_account() const { return bob_; }
  mailbox::Mailboxes& mailboxes() { return mail_.mailboxes(); }
  const mailbox::ContentCaches& caches() const { return caches_; }

 private:
  House(std::string path, HouseOptions options)
      : Connections([this](io::Stream& stream) {
          return std::make_unique<ServerSession>(stream, *services_);
        }),
        options_(std::move(options)),
        mail_(std::move(path)) {}

  Task<void> live(const Body& body) {
    co_await mail_.open();
    directory_.emplace(kurir::test::bobs_directory({.quota_octets = options_.quota_octets}),
                       directory::RecentLogins::Key{});
    options_.server.hostname = "mail.example.test";
    logins_.emplace(*directory_);
    services_.emplace(ServerServices{options_.server, logins_->authenticator, mail_.mailboxes(),
                                     caches_, mail_.owner().retired(), counters_});
    co_await body(*this);
    co_await end_all();
    co_await mail_.stop();
  }

  AccountId bob_ = kurir::test::bob;
  HouseOptions options_;
  kurir::test::MailHouse mail_;
  mailbox::ContentCaches caches_{1 << 20};
  observe::Counters counters_;
  std::optional<directory::Directory> directory_;
  std::optional<kurir::test::LoginHouse> logins_;
  std::optional<ServerServices> services_;
};

}  // namespace kurir::imap::test
