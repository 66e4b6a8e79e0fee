#include "kurir/queue/message.hh"

#include <algorithm>
#include <array>

namespace kurir::queue {

std::string_view name_of(RecipientState state) {
  static constexpr std::array<std::string_view, 5> names = {"waiting", "delivered", "bounced",
                                                            "expired", "removed"};
  return names[static_cast<std::size_t>(state)];
}

bool Message::has_waiting() const {
  return std::ranges::any_of(envelope.recipients, [](const Recipient& recipient) {
    return recipient.state == RecipientState::waiting;
  });
}

bool Message::goes_to_mail() const {
  return std::ranges::any_of(envelope.recipients,
                             [](const Recipient& recipient) { return recipient.is_local; });
}

}  // namespace kurir::queue
