#pragma once
// A sink, from start to end, in this process: kurir-sink's main, and tests. Ends with SIGINT or
// SIGTERM, or after Options::stop_after messages.

#include "kurir/base/result.hh"
#include "kurir/sink/options.hh"
#include "kurir/sink/report.hh"

namespace kurir::sink {

// Starts cores, which end before it returns: call it from a thread that is none. Errors: of
// io::Cores::run(); busy, unavailable: the address.
Result<Report> run(const Options& options);

}  // namespace kurir::sink
