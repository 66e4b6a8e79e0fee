#pragma once
// The keys that say whose access tokens count, from the file that the configuration names. Private
// to server/.

#include <expected>
#include <memory>
#include <string>

#include "kurir/auth/json_web_token.hh"
#include "kurir/server/configuration.hh"

namespace kurir::server {

// Null where no file is named; else why it cannot be, for people. It blocks.
std::expected<std::shared_ptr<const auth::KeySet>, std::string> load_token_keys(
    const Configuration& configuration);

}  // namespace kurir::server
