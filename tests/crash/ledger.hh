#pragma once
// What was promised before a crash, kept outside of the machine that crashes: each thing (a message
// in the queue, one in a mailbox, a folder) has states that began and states that were answered.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kurir::crash {

inline const std::string gone;  // the state of what is not there

class Ledger {
 public:
  using Key = std::string;
  // Begins a change and gives its number, for end(), which is called when it is durable.
  std::size_t begin(const Key& key, std::string state) {
    std::vector<Step>& steps = things_[key];
    steps.push_back({std::move(state), false});
    return steps.size() - 1;
  }
  void end(const Key& key, std::size_t number) { things_[key][number].is_done = true; }
  bool is_allowed(const Key& key, const std::string& state) const;
  std::string explain(const Key& key) const;
  std::vector<Key> keys() const;
  // The newest state, answered or not.
  const std::string& newest(const Key& key) const;

  std::uint32_t uid_last = 0;  // that was ever answered
  unsigned acknowledged = 0;   // changes
  unsigned messages = 0;       // that were begun: numbers them
  bool is_whole = true;        // nothing failed but by the crash

 private:
  struct Step {
    std::string state;
    bool is_done;
  };
  std::map<Key, std::vector<Step>> things_;
};

}  // namespace kurir::crash
