#pragma once
// Faults: which operations fail, how often, and with which of their documented error numbers.

#include <array>
#include <cstdint>

#include "kurir/io/simulated/random.hh"

namespace kurir::io::simulated {

enum class Operation : std::uint8_t {
  open_file,
  read_file,
  write_file,
  sync_file,
  allocate_file,
  rename_file,
  remove_file,
  make_directory,
  sync_directory,
  read_directory,
  accept,
  open_socket,
  connect,
  receive,
  send,
  count
};
inline constexpr std::size_t operation_kinds = static_cast<std::size_t>(Operation::count);

class Faults {
 public:
  explicit Faults(Random& random) : random_(random) {}
  // A probability, from now on; `error` 0: any of the documented ones.
  void set(Operation operation, double probability, int error = 0) {
    rules_[static_cast<std::size_t>(operation)] = {probability, error};
  }
  // The operation of that number from now on fails, alone or with all that follow.
  void fail_at(std::uint64_t number, bool with_all_after, int error = 0) {
    until_failure_ = number, goes_on_ = with_all_after, failure_ = error;
  }
  void clear() { rules_ = {}, until_failure_ = 0, is_failing_ = false; }
  // 0, or the error number that this operation ends with.
  int strike(Operation operation);
  std::uint64_t struck() const { return struck_; }

 private:
  struct Rule {
    double probability = 0;
    int error = 0;
  };
  Random& random_;
  std::array<Rule, operation_kinds> rules_{};
  bool is_due();
  std::uint64_t struck_ = 0;
  std::uint64_t until_failure_ = 0;  // 0: none is planned
  bool goes_on_ = false, is_failing_ = false;
  int failure_ = 0;
};

}  // namespace kurir::io::simulated
