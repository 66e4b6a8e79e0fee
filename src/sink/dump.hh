#pragma once
// Messages into files, as smtp-sink(1) writes them ("DUMP FILE FORMAT"): a block of X- fields of
// the envelope, a Received field, the message with lines ending in LF, an empty line. Written on
// the offload pool when the message is complete, before it is answered. Core-local. Private to
// sink/.

#include <cstdint>
#include <string>

#include "kurir/sink/letter.hh"
#include "kurir/sink/options.hh"

namespace kurir::sink {

class DumpFiles final : public Keeper {
 public:
  DumpFiles(const DumpOptions& options, const std::string& hostname)
      : options_(options), hostname_(hostname) {}
  bool is_wanted() const { return !options_.one_each.empty() || !options_.together.empty(); }
  bool takes(std::string_view) const override { return true; }
  Task<bool> keep(const Letter& letter) override;

 private:
  const DumpOptions& options_;
  const std::string& hostname_;
};

// One message of a dump file; `id`: the random part of its name.
std::string dump_text(const Letter& letter, const DumpOptions& options, std::string_view hostname,
                      std::string_view id, std::int64_t seconds);

}  // namespace kurir::sink
