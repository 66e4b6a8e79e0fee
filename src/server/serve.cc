// From a configuration to running cores and back.

#include "kurir/server/serve.hh"

#include <algorithm>
#include <cstring>

#include "core_server.hh"
#include "demo.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/core.hh"
#include "kurir/io/file.hh"
#include "kurir/server/certificates.hh"
#include "kurir/server/control_protocol.hh"
#include "kurir/server/name_servers.hh"
#include "shared_state.hh"
#include "supervisor.hh"
#include "token_keys.hh"

namespace kurir::server {
namespace {

// sysexits.h
constexpr int exit_unavailable = 69, exit_cannot_create = 73, exit_io_error = 74,
              exit_try_again = 75, exit_no_permission = 77, exit_configuration = 78;

int complain(int code, const std::string& text) {
  io::print_error("kurir: " + text);
  return code;
}

std::uint64_t random_number() {
  const std::string octets = io::system_random(sizeof(std::uint64_t));
  std::uint64_t number = 0;
  std::memcpy(&number, octets.data(), sizeof number);
  return number | 1;  // never 0
}

int explain_data(const std::string& path, const Error& error) {
  switch (error.code) {
    case Errc::busy:
      return complain(exit_try_again,
                      "the data directory " + path + " is in use by another process");
    case Errc::unsupported:
      return complain(exit_cannot_create, path + " was written by a newer Kurir");
    case Errc::not_found:
      return complain(exit_cannot_create,
                      path + " is missing, though " + path +
                          ".marker says that mail was kept there: mount it, or remove the marker "
                          "to start anew");
    case Errc::invalid:
      return complain(exit_cannot_create, path + " holds something else than Kurir's data");
    case Errc::corrupt:
      return complain(exit_io_error, "a file of the data directory " + path + " is damaged");
    default:
      return complain(exit_cannot_create, "cannot use the data directory " + path + ": " +
                                              std::strerror(error.os_errno));
  }
}

struct Shards {
  unsigned cores = 0, present = 0;
  bool is_resharding = false;  // what is stored is to be shared out anew
};

// A core has a shard. What changes is said before anything does.
Result<Shards> choose_shards(const store::DataDirectory& data, std::uint64_t cores_wanted) {
  const Result<unsigned> present = data.shards_present();
  if (!present) return std::unexpected(present.error());
  const Result<store::DataDirectory::Layout> layout = data.layout();
  if (!layout) return std::unexpected(layout.error());
  const unsigned cores = io::Cores::resolve_count(static_cast<unsigned>(cores_wanted));
  const unsigned held = layout->shards > 0 ? layout->shards : *present;
  const bool is_resharding = *present > 0 && (held != cores || layout->is_changing);
  if (is_resharding || layout->shards == 0) {
    const Result<void> said = data.set_layout({.shards = cores, .is_changing = is_resharding});
    if (!said) return std::unexpected(said.error());
  }
  return Shards{.cores = cores, .present = *present, .is_resharding = is_resharding};
}

Task<void> core_main(SharedState& shared, std::vector<DemoUser> users, CoreIndex core) {
  CoreServer server(shared, core);
  if (core.value == 0) {
    Supervisor supervisor(shared, server, std::move(users));
    supervisor.start();
    co_await server.run();
    co_await supervisor.join();
  } else {
    co_await server.run();
  }
  static_cast<void>(
      co_await shared.barrier.arrive(true));  // nobody reads what a core owns any more
}

// Whose word counts: on the certificates of other hosts, and on access tokens.
std::expected<void, std::string> load_trusted(SharedState& shared) {
  auto authorities = load_authorities(shared.configuration);
  if (!authorities) return std::unexpected(authorities.error());
  shared.client_tls_context = std::move(*authorities);
  auto token_keys = load_token_keys(shared.configuration);
  if (!token_keys) return std::unexpected(token_keys.error());
  shared.first_token_keys = std::move(*token_keys);
  return {};
}

}  // namespace

int serve(const Configuration& configuration, const ServeOptions& options) {
  const Surroundings& around = options.surroundings;
  std::expected<Shared<const tls::ServerContext>, std::string> certificates;
  // A private key may be root's.
  const bool has_certificates = !configuration.tls.certificates.empty();
  if (has_certificates) certificates = load_certificates(configuration, MakeMissing::no);
  if (!certificates) return complain(exit_configuration, certificates.error());
  std::expected<void, std::string> done;
  if (around.give_up_root) done = around.give_up_root();
  if (!done) return complain(exit_no_permission, done.error());
  Result<store::DataDirectory> data =
      store::DataDirectory::open(configuration.data, {.new_instance = random_number()});
  if (!data) return explain_data(configuration.data, data.error());
  Result<directory::Database> database =
      options.open_database
          ? options.open_database()
          : directory::Database::open(directory_database_path(configuration.data));
  if (!database)
    return complain(exit_io_error, "cannot open the directory of users in " + configuration.data);
  std::vector<DemoUser> users;
  if (options.is_demo) {
    Result<std::vector<DemoUser>> prepared = prepare_demo(*database, configuration.data);
    if (!prepared) return complain(exit_io_error, "cannot make the demo's users");
    users = std::move(*prepared);
  }
  const Result<Shards> shards = choose_shards(*data, configuration.cores);
  if (!shards) return explain_data(configuration.data, shards.error());
  const unsigned cores = shards->cores;
  if (options.guest != nullptr) options.guest->prepare(cores);
  SharedState shared(configuration, options, *data, *database, cores, random_number());
  shared.is_resharding = shards->is_resharding;
  shared.shards_present = shards->present;
  shared.foreign.resize(cores);
  Result<Shared<const directory::Snapshot>> snapshot = database->read_snapshot(shared.hash_key);
  if (!snapshot)
    return complain(exit_io_error, "cannot read the directory of users in " + configuration.data);
  shared.first_snapshot = std::move(*snapshot);
  if (!has_certificates) certificates = load_certificates(configuration, MakeMissing::yes);
  if (!certificates) return complain(exit_configuration, certificates.error());
  for (const std::string& warning : certificate_warnings(**certificates))
    io::print_error("kurir: " + warning);
  shared.first_tls_context = std::move(*certificates);
  done = load_trusted(shared);
  if (!done) return complain(exit_configuration, done.error());
  const std::string secret = io::system_random(shared.ticket_secret.size());
  std::ranges::copy(secret, shared.ticket_secret.begin());
  shared.resolver_options = resolver_options(configuration);
  if (!shared.events.reopen())
    return complain(exit_cannot_create, "cannot open the event log " + configuration.log.events);
  if (around.listeners) {
    auto bound = around.listeners(cores);
    if (!bound) return complain(exit_cannot_create, bound.error());
    shared.adopt(std::move(*bound));
  }
  if (around.confine) done = around.confine();
  if (!done) return complain(exit_no_permission, done.error());
  io::CoresOptions cores_options;
  cores_options.when_ready = [&] {
    if (around.seal) done = around.seal();
    return done.has_value();
  };
  cores_options.count = cores;
  const Result<void> ran = io::Cores::run(cores_options, [&](CoreIndex core) {
    return core_main(shared, core.value == 0 ? users : std::vector<DemoUser>(), core);
  });
  if (!done) return complain(exit_no_permission, done.error());
  if (!ran) return complain(exit_unavailable, io::Driver::explain_failure(ran.error()));
  return shared.exit_code;
}

}  // namespace kurir::server
