#pragma once
// The certificates of a configuration's files. Blocking: for the start, the command line and the
// offload pool.

#include <expected>
#include <string>

#include "kurir/base/shared.hh"
#include "kurir/server/configuration.hh"
#include "kurir/tls/context.hh"

namespace kurir::server {

// What files hold, as a context; or why not, as a sentence for people. Where none are configured:
// one of the server's own making in DATA/tls (0600), which lasts until it is about to expire or the
// host's name changes; `may_make` says whether a missing one is made.
enum class MakeMissing : bool { no, yes };
std::expected<Shared<const tls::ServerContext>, std::string> load_certificates(
    const Configuration& configuration, MakeMissing make_missing);

// For the way out: with the authorities' certificates where any section asks for verified ones,
// and the relay's own where it has one.
std::expected<Shared<const tls::ClientContext>, std::string> load_authorities(
    const Configuration& configuration);

// What people should know of them, a sentence each: those that have expired.
std::vector<std::string> certificate_warnings(const tls::ServerContext& context);

// The file of the server's own certificate, for clients that are told to believe it.
std::string own_certificate_path(const std::string& data);

}  // namespace kurir::server
