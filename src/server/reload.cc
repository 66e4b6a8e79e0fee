#include "reload.hh"

#include "core_server.hh"
#include "kurir/io/mesh.hh"
#include "kurir/io/offload.hh"
#include "kurir/server/certificates.hh"
#include "token_keys.hh"

namespace kurir::server {
namespace {

// All or none: a half-written file must not take a working certificate away (threats.md B7).
std::expected<Shared<const tls::ServerContext>, std::string> load_anew(
    const Configuration& configuration) {
  auto loaded = load_certificates(configuration, MakeMissing::no);
  if (!loaded) return loaded;
  const std::vector<std::string> warnings = certificate_warnings(**loaded);
  if (!warnings.empty()) return std::unexpected(warnings.front());
  return loaded;
}

}  // namespace

Task<std::string> reload_token_keys(SharedState& shared) {
  if (!shared.first_token_keys) co_return std::string();
  const auto loaded =
      co_await io::offload([&shared] { return load_token_keys(shared.configuration); });
  if (!loaded) co_return std::string("the server is busy; try again");
  if (!*loaded) co_return loaded->error() + "; the keys of tokens stay as they are";
  const std::shared_ptr<const auth::KeySet>& fresh = **loaded;
  for (CoreServer* server : shared.servers)
    co_await io::on_core(server->core(), [server, &fresh] { server->tokens()->replace(fresh); });
  co_return std::string();
}

Task<std::string> reload_certificates(SharedState& shared) {
  const auto loaded = co_await io::offload([&shared] { return load_anew(shared.configuration); });
  if (!loaded) co_return std::string("the server is busy; try again");
  if (!*loaded) co_return loaded->error() + "; the certificates stay as they are";
  const Shared<const tls::ServerContext>& fresh = **loaded;
  for (CoreServer* server : shared.servers)
    co_await io::on_core(server->core(), [server, &fresh] { server->tls().replace(fresh); });
  co_return std::string();
}

}  // namespace kurir::server
