#pragma once
// How a session's connection comes to be encrypted. Core-local.

#include <memory>

#include "kurir/blast/options.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/socket.hh"

namespace kurir::blast {

// Puts TLS over the stream, which the caller closes whatever comes of it. Errors: those of
// tls::TlsStream::connect(), with the origin `tls`.
Task<Result<void>> encrypt(std::unique_ptr<io::Stream>& stream, const Options& options);

}  // namespace kurir::blast
