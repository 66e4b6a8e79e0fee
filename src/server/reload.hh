#pragma once
// Reading anew what may change while the server runs: certificates, the keys of tokens. Private
// to server/.

#include <string>

#include "shared_state.hh"

namespace kurir::server {

// Every core has the new ones when it returns; connections that there are keep theirs. Empty, or
// why all goes on with the old ones, as a sentence for people. On core 0.
Task<std::string> reload_certificates(SharedState& shared);
Task<std::string> reload_token_keys(SharedState& shared);  // the same way

}  // namespace kurir::server
