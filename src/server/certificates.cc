#include "kurir/server/certificates.hh"

#include <optional>

#include "kurir/io/clock.hh"
#include "kurir/io/file.hh"

namespace kurir::server {
namespace {

using Loaded = std::expected<tls::Certificate, std::string>;

constexpr std::size_t file_octets_max = 1 << 20, authorities_octets_max = 16 << 20;
constexpr std::int64_t renewed_before_seconds = 30LL * 24 * 60 * 60;
constexpr unsigned readable_by_all = 0644, readable_by_us = 0600;

std::string own_key_path(const std::string& data) { return data + "/tls/private-key.pem"; }

Loaded load(const std::string& chain_path, const std::string& key_path) {
  const Result<std::string> chain = io::read_file(chain_path, file_octets_max);
  if (!chain) return std::unexpected("cannot read " + chain_path);
  const Result<std::string> key = io::read_file(key_path, file_octets_max);
  if (!key) return std::unexpected("cannot read " + key_path);
  Loaded parsed = tls::parse_certificate(*chain, *key);
  if (!parsed)
    return std::unexpected(chain_path + (chain_path == key_path ? "" : " with " + key_path) + ": " +
                           parsed.error());
  return parsed;
}

bool is_good(const Loaded& loaded, const std::string& hostname) {
  return loaded && loaded->is_for(hostname) &&
         loaded->expires.seconds() > io::system_wall_time().seconds() + renewed_before_seconds;
}

// The key first: where a crash leaves a pair that is none, the next start makes another.
Loaded make_own(const Configuration& configuration) {
  const std::string folder = configuration.data + "/tls";
  Result<tls::Certificate> made =
      tls::make_self_signed(configuration.hostname, io::system_wall_time());
  if (!made) return std::unexpected("cannot make a certificate for " + configuration.hostname);
  Result<void> written = io::make_directories(folder);
  if (written)
    written = io::replace_file(own_key_path(configuration.data), made->key_pem, readable_by_us);
  if (written)
    written = io::replace_file(own_certificate_path(configuration.data), made->chain_pem,
                               readable_by_all);
  if (!written) return std::unexpected("cannot write a certificate into " + folder);
  return std::move(*made);
}

Loaded load_own(const Configuration& configuration, MakeMissing make_missing) {
  Loaded loaded = load(own_certificate_path(configuration.data), own_key_path(configuration.data));
  if (make_missing == MakeMissing::yes && !is_good(loaded, configuration.hostname))
    loaded = make_own(configuration);
  return loaded;
}

}  // namespace

std::string own_certificate_path(const std::string& data) { return data + "/tls/certificate.pem"; }

std::expected<Shared<const tls::ServerContext>, std::string> load_certificates(
    const Configuration& configuration, MakeMissing make_missing) {
  const Configuration::Tls& files = configuration.tls;
  std::vector<tls::Certificate> certificates;
  for (std::size_t at = 0; at < files.certificates.size(); ++at) {
    const std::string& chain = files.certificates[at];
    Loaded loaded = load(chain, files.private_keys.empty() ? chain : files.private_keys[at]);
    if (!loaded) return std::unexpected(loaded.error());
    certificates.push_back(std::move(*loaded));
  }
  if (certificates.empty()) {
    Loaded own = load_own(configuration, make_missing);
    if (!own) return std::unexpected(own.error());
    certificates.push_back(std::move(*own));
  }
  tls::ClientCertificates clients{files.client_certificates, {}};
  if (clients.use != tls::ClientCertificates::Use::none) {
    Result<std::string> authorities = io::read_file(files.client_ca_file, authorities_octets_max);
    if (!authorities)
      return std::unexpected("cannot read tls.client_ca_file " + files.client_ca_file);
    clients.authorities_pem = std::move(*authorities);
  }
  return tls::ServerContext::make(std::move(certificates), files.minimum_version, clients);
}

std::expected<Shared<const tls::ClientContext>, std::string> load_authorities(
    const Configuration& configuration) {
  const Configuration::Relay& relay = configuration.relay;
  std::optional<tls::Certificate> own;
  if (!relay.certificate.empty()) {
    Loaded loaded =
        load(relay.certificate, relay.private_key.empty() ? relay.certificate : relay.private_key);
    if (!loaded) return std::unexpected(loaded.error());
    own = std::move(*loaded);
  }
  const tls::Certificate* shown = own ? &*own : nullptr;
  // Where no section wants certificates verified, only mail with REQUIRETLS needs the authorities:
  // a host without the file serves all other.
  const bool is_needed = configuration.shaping.verifies_certificates();
  const std::string& path = configuration.tls.ca_file;
  const Result<std::string> authorities = io::read_file(path, authorities_octets_max);
  if (!authorities && !is_needed) return tls::ClientContext::make({}, shown);
  if (!authorities) return std::unexpected("cannot read tls.ca_file " + path);
  auto made = tls::ClientContext::make(*authorities, shown);
  if (!made && !is_needed) return tls::ClientContext::make({}, shown);
  if (!made) return std::unexpected(path + ": " + made.error());
  return made;
}

std::vector<std::string> certificate_warnings(const tls::ServerContext& context) {
  std::vector<std::string> warnings;
  for (const tls::Certificate& certificate : context.certificates())
    if (certificate.expires < io::system_wall_time())
      warnings.push_back(
          "the certificate for " +
          (certificate.names.empty() ? std::string("no name") : certificate.names.front()) +
          " has expired");
  return warnings;
}

}  // namespace kurir::server
