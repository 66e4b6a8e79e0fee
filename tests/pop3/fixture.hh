#pragma once
// Mailboxes and a directory on one core, with POP3 sessions that a test talks to. The user is
// bob@example.test, password "secret".

#include <functional>
#include <optional>

#include "kurir/pop3/server_session.hh"
#include "support/bobs_directory.hh"
#include "support/connections.hh"
#include "support/login_house.hh"
#include "support/mail_house.hh"
#include "support/on_cores.hh"
#include "support/temporary_directory.hh"

namespace kurir::pop3::test {

using kurir::test::bob;
using kurir::test::FakeStream;

inline ServerOptions small_limits() {
  ServerOptions options;
  options.hostname = "mail.example.test";
  options.errors_max = 20;
  return options;
}

// Everything below a session. Core-local; run() makes it, and takes it down after the body.
class House : public kurir::test::Connections<ServerSession> {
 public:
  using Body = std::function<Task<void>(House&)>;

  static void run(ServerOptions options, Body body, bool allow_plaintext_login = true) {
    const kurir::test::TemporaryDirectory folder;
    House house(folder.path() + "/data", std::move(options));
    house.allow_plaintext_login_ = allow_plaintext_login;
    kurir::test::on_cores(1, [&](CoreIndex) { return house.live(body); });
  }

  kurir::test::MailHouse& mail() { return mail_; }
  // Bob begins anew: his mailboxes are those of an account that nobody has used.
  void renew_bob() {
    bob_ = AccountId(bob_.value + 1000);
    directory_->replace(kurir::test::bobs_directory({.bobs_account = bob_}));
  }
  AccountId bobs_account() const { return bob_; }
  Task<void> append(std::string content) {
    const Shared<mailbox::Mailbox> inbox = co_await mail_.inbox(bob_);
    std::vector<mailbox::Arrival> arrivals;
    arrivals.push_back(co_await mail_.store_message(std::move(content)));
    const auto done = co_await mail_.mailboxes().append(bob_, inbox->id(), std::move(arrivals));
    EXPECT_TRUE(done.has_value());
  }
  Task<std::uint32_t> messages() {
    const Shared<mailbox::Mailbox> inbox = co_await mail_.inbox(bob_);
    co_return inbox->snapshot().messages();
  }

 private:
  House(std::string path, ServerOptions options)
      : Connections([this](io::Stream& stream) {
          return std::make_unique<ServerSession>(stream, *services_);
        }),
        options_(std::move(options)),
        mail_(std::move(path)) {}

  Task<void> live(const Body& body) {
    co_await mail_.open();
    directory_.emplace(kurir::test::bobs_directory(), directory::RecentLogins::Key{});
    logins_.emplace(*directory_, allow_plaintext_login_);
    services_.emplace(
        ServerServices{options_, logins_->authenticator, mail_.mailboxes(), counters_});
    co_await body(*this);
    co_await end_all();
    co_await mail_.stop();
  }

  AccountId bob_ = bob;
  ServerOptions options_;
  kurir::test::MailHouse mail_;
  observe::Counters counters_;
  std::optional<directory::Directory> directory_;
  bool allow_plaintext_login_ = true;
  std::optional<kurir::test::LoginHouse> logins_;
  std::optional<ServerServices> services_;
};

}  // namespace kurir::pop3::test
