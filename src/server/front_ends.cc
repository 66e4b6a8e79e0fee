// Which listeners there are, and what serves their connections.

#include <algorithm>

#include "core_server.hh"
#include "kurir/io/file.hh"
#include "protocol_services.hh"
#include "queue_orders.hh"

namespace kurir::server {
namespace {

// Makes the session, lets it be asked to end, runs it. True: it ended with STARTTLS.
template <class Session, class... Arguments>
Task<bool> run_session(const FrontEnd::Register& register_session, io::Opening opening,
                       io::Stream& stream, Arguments... arguments) {
  Session session(stream, arguments...);
  register_session([&session] { session.ask_to_end(); },
                   [&session] { return session.is_stranger(); });
  co_await session.run(opening);
  co_return session.wants_tls();
}

}  // namespace

Result<void> CoreServer::open_listeners() {
  if (!shared_.bound.empty()) {
    adopt_listeners();
    return {};
  }
  Configuration::Listen& addresses = shared_.listening;
  Result<void> done = listen_on(addresses.smtp, Protocol::smtp);
  if (done) done = listen_on(addresses.submission, Protocol::submission);
  if (done) done = listen_on(addresses.submissions, Protocol::submissions);
  if (done) done = listen_on(addresses.pop3, Protocol::pop3);
  if (done) done = listen_on(addresses.pop3s, Protocol::pop3s);
  if (done) done = listen_on(addresses.imap, Protocol::imap);
  if (done) done = listen_on(addresses.imaps, Protocol::imaps);
  if (done) done = listen_on(addresses.lmtp, Protocol::lmtp);
  return done;
}

void CoreServer::adopt_listeners() {
  static_assert(std::size(listen_names) == static_cast<std::size_t>(Protocol::lmtp) + 1);
  for (const BoundListener& bound : shared_.bound)
    for (std::size_t at = 0; at < std::size(listen_names); ++at)
      if (bound.name == listen_names[at].name)
        listeners_.emplace_back(io::Listener::adopt(bound.sockets.at(core_.value)),
                                static_cast<Protocol>(at));
}

Result<void> CoreServer::listen_on(std::vector<io::SocketAddress>& addresses, Protocol protocol) {
  for (io::SocketAddress& address : addresses) {
    // A path is one socket, and one core's.
    if (address.family() == io::Family::unix && core_.value != 0) continue;
    io::SocketAddress chosen = address;
    Result<std::unique_ptr<io::Listener>> listener = io::Listener::open(chosen);
    if (!listener) {
      const bool in_use = listener.error().code == Errc::busy;
      io::print_error("kurir: cannot listen on " + address.text() +
                      (in_use ? ": another program has the port"
                              : ": errno " + std::to_string(listener.error().os_errno)));
      return std::unexpected(listener.error());
    }
    if (core_.value == 0) address = chosen;
    listeners_.emplace_back(std::move(*listener), protocol);
  }
  return {};
}

void CoreServer::add_front_ends() {
  guard_ = std::make_unique<StrangerGuard>(configuration_, shared_.connection_counts, *resolver_,
                                           shared_.greylist, shared_.data.instance(), counters_);
  queue_starter_ = std::make_unique<EveryQueueStarter>(shared_);
  protocols_ = std::make_unique<ProtocolServices>(
      configuration_, *directory_, *authenticator_, shared_.sending_limits, *rooms_, *mailboxes_,
      *queue_, shared_.caches, owner_->retired(), events_, counters_, *guard_, *queue_starter_);
  const FrontEndServices services{shared_.connection_counts, connections_, counters_};
  for (auto& [listener, protocol] : listeners_)
    front_ends_.push_back(std::make_unique<FrontEnd>(std::move(listener), names_of(protocol),
                                                     services, serve_of(protocol),
                                                     proxied_from(protocol)));
  listeners_.clear();
}

void CoreServer::shed(unsigned count) {
  while (count-- > 0 && connections_.shed_one()) counters_.add(observe::Counter::connections_shed);
}

ProxiedFrom CoreServer::proxied_from(Protocol protocol) const {
  const Configuration::Proxy& proxy = configuration_.proxy;
  const std::string_view name = listen_names[static_cast<std::size_t>(protocol)].name;
  if (std::ranges::find(proxy.listeners, name) == proxy.listeners.end()) return {};
  return {networks_of(proxy.networks), proxy.timeout};
}

// A client that waits for a handshake would take a refusal in plaintext for a broken one.
FrontEndNames CoreServer::names_of(Protocol protocol) {
  using observe::Counter;
  switch (protocol) {
    case Protocol::imaps:
      return {Counter::imap_connections, Counter::imap_open, ""};
    case Protocol::pop3s:
      return {Counter::pop3_connections, Counter::pop3_open, ""};
    case Protocol::submissions:
      return {Counter::smtp_connections, Counter::smtp_open, ""};
    case Protocol::imap:
      return {Counter::imap_connections, Counter::imap_open, "* BYE "};
    case Protocol::pop3:
      return {Counter::pop3_connections, Counter::pop3_open, "-ERR [SYS/TEMP] "};
    default:
      break;
  }
  return {Counter::smtp_connections, Counter::smtp_open, "421 4.7.0 "};
}

FrontEnd::Serve CoreServer::serve_of(Protocol protocol) {
  const bool is_encrypted = protocol == Protocol::submissions || protocol == Protocol::imaps ||
                            protocol == Protocol::pop3s;
  const auto begin = is_encrypted ? TlsService::Begin::encrypted : TlsService::Begin::plain;
  const bool is_imap = protocol == Protocol::imap || protocol == Protocol::imaps;
  const bool is_pop3 = protocol == Protocol::pop3 || protocol == Protocol::pop3s;
  const std::string_view name = is_imap ? "imap" : is_pop3 ? "pop3" : "smtp";
  const bool is_for_users = protocol != Protocol::smtp && protocol != Protocol::lmtp;
  const TlsService::Listener listener{begin, name, is_for_users};
  return [this, listener, run = sessions_of(protocol)](io::Stream& stream,
                                                       const FrontEnd::Register& enlist) {
    return tls_.serve(listener, run, stream, enlist);
  };
}

TlsService::Run CoreServer::sessions_of(Protocol protocol) {
  const auto smtp = [this](smtp::Service service) -> TlsService::Run {
    return
        [this, service](io::Stream& stream, io::Opening opening, const FrontEnd::Register& enlist) {
          return run_session<smtp::ServerSession, smtp::Service, const smtp::ServerServices&>(
              enlist, opening, stream, service, protocols_->smtp);
        };
  };
  switch (protocol) {
    case Protocol::submission:
    case Protocol::submissions:
      return smtp(smtp::Service::submission);
    case Protocol::lmtp:
      return smtp(smtp::Service::lmtp);
    case Protocol::imap:
    case Protocol::imaps:
      return [this](io::Stream& stream, io::Opening opening, const FrontEnd::Register& enlist) {
        return run_session<imap::ServerSession, const imap::ServerServices&>(
            enlist, opening, stream, protocols_->imap);
      };
    case Protocol::pop3:
    case Protocol::pop3s:
      return [this](io::Stream& stream, io::Opening opening, const FrontEnd::Register& enlist) {
        return run_session<pop3::ServerSession, const pop3::ServerServices&>(
            enlist, opening, stream, protocols_->pop3);
      };
    default:
      break;
  }
  return smtp(smtp::Service::transfer);
}

}  // namespace kurir::server
