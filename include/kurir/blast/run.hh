#pragma once
// A load run, from start to end, in this process: kurir-blast's main, and tests. Takes signals
// (SIGINT, SIGTERM: the run ends with what there is).

#include "kurir/base/result.hh"
#include "kurir/blast/options.hh"
#include "kurir/blast/report.hh"

namespace kurir::blast {

// Starts cores, which end before it returns: call it from a thread that is none. Errors: of
// io::Cores::run().
Result<Report> run(const Options& options);

}  // namespace kurir::blast
