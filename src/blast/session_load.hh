#pragma once
// SessionLoad: one session of a run, whatever it speaks. Core-local.

#include "course.hh"
#include "kurir/base/intrusive_list.hh"
#include "kurir/base/result.hh"
#include "kurir/blast/report.hh"
#include "kurir/coro/task.hh"

namespace kurir::blast {

class SessionLoad : public ListLink {
 public:
  virtual ~SessionLoad() = default;
  virtual Task<void> run() = 0;
  // Whatever it waits for ends now.
  virtual void abort() = 0;
};

Loss loss_of(const Error& error);

}  // namespace kurir::blast
