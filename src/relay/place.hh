#pragma once
// Place: where a job waits, so that it can be found and taken back. Private to relay/.

#include <string>
#include <string_view>

#include "kurir/queue/deliverer.hh"

namespace kurir::relay {

class Place : public queue::JobPlace {
 public:
  virtual ~Place() = default;
  virtual void withdraw(queue::Job& job) = 0;
  virtual void hurry() = 0;
  virtual std::string explain() const = 0;
  virtual std::string_view trouble() const = 0;
  virtual std::string_view site() const = 0;
};

}  // namespace kurir::relay
