// XCLIENT (Postfix's XCLIENT_README): a trusted host, a filter or a proxy, tells whom it speaks
// for. Afterwards the session is as that client's at its begin: greeting, nothing said yet.

#include "kurir/smtp/server_session.hh"

namespace kurir::smtp {
namespace {

io::SocketAddress socket_address(const wire::Xclient::Address& told, std::uint16_t port) {
  if (told.is_ipv6) return io::SocketAddress::ipv6(told.octets, port);
  return io::SocketAddress::ipv4({told.octets[0], told.octets[1], told.octets[2], told.octets[3]},
                                 port);
}

}  // namespace

// The host itself is asked about, not whom it spoke for before.
bool ServerSession::may_xclient() const {
  const bool is_offered = service_ == Service::transfer || service_ == Service::submission;
  const auto& may = services_.options.may_xclient;
  return is_offered && may && may(stream_.peer());
}

Task<ServerSession::Next> ServerSession::xclient(const wire::SmtpCommand& command) {
  if (!may_xclient()) co_return refuse({550, "5.7.0", "You may not speak for others"});
  if (transaction_) co_return refuse({503, "5.5.1", "Not within a transaction"});
  const std::optional<wire::Xclient> told = wire::parse_xclient(command.argument);
  if (!told) co_return refuse({501, "5.5.4", "Bad attributes: XCLIENT ADDR=192.0.2.1"});
  represent(*told);
  co_await get_to_know_client();
  helo_.clear();
  extended_ = false;
  say_greeting();
  co_return Next::go_on;
}

// Whoever is a user of ours sends as that user; one who may not log in is nobody.
void ServerSession::become_user(const std::string& name) {
  const Shared<const directory::Snapshot> users = services_.directory.pin();
  const auto found = name.empty() ? std::nullopt : users->find_user(name);
  account_ = found && !found->account.disabled ? found->account.id : AccountId();
  user_ = name;
  if (found) user_ = found->account.disabled ? std::string() : std::string(found->account.address);
}

void ServerSession::represent(const wire::Xclient& told) {
  if (!represented_) represented_ = std::make_unique<Represented>();
  if (told.address) {
    const std::uint16_t port = told.port ? told.port->value_or(0) : std::uint16_t{0};
    represented_->is_unknown = !*told.address;
    represented_->address =
        *told.address ? socket_address(**told.address, port) : io::SocketAddress();
  } else if (told.port) {
    represented_->address = client_address();
    represented_->address.set_port(told.port->value_or(0));
  }
  if (told.name) represented_->name = told.name->value_or("");
  if (told.helo) represented_->helo = told.helo->value_or("");
  if (told.login) become_user(told.login->value_or(""));
  if (told.is_extended) represented_->is_extended = *told.is_extended;
}

}  // namespace kurir::smtp
