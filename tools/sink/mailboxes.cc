#include "mailboxes.hh"

#include <sysexits.h>

#include <fstream>
#include <memory>

#include "kurir/directory/password.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/file.hh"
#include "kurir/server/serve.hh"
#include "kurir/sink/run.hh"

namespace {

using namespace kurir;

// A core's mailboxes, as its sink sees them.
class Mailboxes final : public sink::Keeper {
 public:
  explicit Mailboxes(server::Intake& intake) : intake_(intake) {}
  bool takes(std::string_view address) const override { return intake_.takes(address); }
  Task<bool> keep(const sink::Letter& letter) override {
    server::GuestMail mail;
    mail.reverse_path = letter.sender;
    mail.helo = letter.helo;
    mail.protocol = letter.protocol;
    mail.peer_address = letter.client.text();
    mail.content = letter.content;
    for (const sink::Letter::Recipient& recipient : letter.recipients)
      mail.recipients.push_back(recipient.address);
    const Result<void> taken = co_await intake_.take(mail);
    co_return taken.has_value();
  }

 private:
  server::Intake& intake_;
};

class SinkGuest final : public server::Guest {
 public:
  SinkGuest(const Flags& flags, std::string password_hash)
      : flags_(flags), password_hash_(std::move(password_hash)) {}

  std::string password_hash() const override { return password_hash_; }
  void prepare(unsigned cores) override {
    sink::Options options = flags_.options;
    options.listening = [this](const io::SocketAddress& bound) { tell(bound); };
    sink_ = std::make_unique<sink::Sink>(options, cores);
  }
  Task<void> run(CoreIndex core, server::Intake& intake,
                 const server::Configuration::Listen& listening) override {
    // Core 0 listens first, and the last core tells.
    if (core.value == 0) listening_ = listening;
    Mailboxes mailboxes(intake);
    co_await sink_->run(core, &mailboxes);
  }
  void ask_to_stop() override { sink_->ask_to_stop(); }
  const sink::Sink* sink() const { return sink_.get(); }

 private:
  void tell(const io::SocketAddress& bound) const {
    std::string lines = bound.text() + '\n';
    for (const io::SocketAddress& address : listening_.pop3)
      lines += "pop3 " + address.text() + '\n';
    for (const io::SocketAddress& address : listening_.imap)
      lines += "imap " + address.text() + '\n';
    if (!flags_.port_file.empty()) std::ofstream(flags_.port_file) << lines;
    if (!flags_.json)
      io::print_error("kurir-sink listens on " + bound.text() + "; every mailbox's password is " +
                      flags_.password);
  }

  const Flags& flags_;
  const std::string password_hash_;
  server::Configuration::Listen listening_;
  std::unique_ptr<sink::Sink> sink_;
};

server::Configured<server::Configuration> configuration_of(const Flags& flags) {
  const auto addresses = [](const std::string& address) {
    return address.empty() ? "[]" : "[\"" + address + "\"]";
  };
  return server::parse_configuration(
      "", "kurir-sink",
      {"data=\"" + io::absolute_path(flags.data) + "\"",
       "hostname=\"" + flags.options.hostname + "\"",
       "cores=" + std::to_string(flags.options.cores), "listen.smtp=[]", "listen.submission=[]",
       "listen.pop3=" + addresses(flags.serve_pop3), "listen.imap=" + addresses(flags.serve_imap),
       "auth.allow_plaintext=true", "log.events=\"none\"", "log.summary=false"});
}

}  // namespace

ServeOutcome serve_mailboxes(const Flags& flags) {
  const auto configuration = configuration_of(flags);
  if (!configuration) {
    for (const server::ConfigurationFault& fault : configuration.error())
      io::print_error("kurir-sink: " + fault.message());
    return {EX_USAGE, {}};
  }
  Result<std::string> hash =
      directory::hash_password(flags.password, io::system_random(directory::salt_entropy_octets));
  if (!hash) {
    io::print_error("kurir-sink: --password cannot be one");
    return {EX_USAGE, {}};
  }
  SinkGuest guest(flags, std::move(*hash));
  server::ServeOptions options;
  options.guest = &guest;
  const int exit_code = server::serve(*configuration, options);
  if (exit_code != 0 || guest.sink() == nullptr) return {exit_code, {}};
  return {0, guest.sink()->report()};
}
