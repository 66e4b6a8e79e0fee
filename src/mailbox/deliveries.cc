#include "kurir/mailbox/deliveries.hh"

#include <variant>

namespace kurir::mailbox {

void Deliveries::note(const Change& change) {
  const auto* appended = std::get_if<Appended>(&change);
  if (appended == nullptr) return;
  for (const NewMessage& message : appended->messages)
    if (message.origin != QueueId(0)) delivered_.insert({message.origin, message.ordinal});
}

std::size_t Deliveries::Hash::operator()(const Delivery& delivery) const noexcept {
  // Queue ids are ours, not a peer's: spreading suffices.
  return static_cast<std::size_t>(
      (delivery.origin.value + delivery.ordinal) * 0x9e3779b97f4a7c15u >> 16);
}

}  // namespace kurir::mailbox
