#include "ledger.hh"

#include <algorithm>

namespace kurir::crash {

// What was answered last, or any change that began after it.
bool Ledger::is_allowed(const Key& key, const std::string& state) const {
  const auto found = things_.find(key);
  if (found == things_.end()) return state == gone;
  const std::vector<Step>& steps = found->second;
  for (std::size_t at = steps.size(); at-- > 0;) {
    if (steps[at].state == state) return true;
    if (steps[at].is_done) return false;
  }
  return state == gone;
}

std::string Ledger::explain(const Key& key) const {
  std::string text;
  const auto found = things_.find(key);
  if (found == things_.end()) return "never heard of";
  for (const Step& step : found->second)
    text += " '" + step.state + (step.is_done ? "' done" : "' begun");
  return text;
}

std::vector<Ledger::Key> Ledger::keys() const {
  std::vector<Key> keys;
  for (const auto& [key, steps] : things_) keys.push_back(key);
  return keys;
}

const std::string& Ledger::newest(const Key& key) const { return things_.at(key).back().state; }

}  // namespace kurir::crash
