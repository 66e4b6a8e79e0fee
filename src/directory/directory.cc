#include "kurir/directory/directory.hh"

#include "kurir/directory/password.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/offload.hh"

namespace kurir::directory {

Task<LoginOutcome> Directory::log_in(std::string user, std::string password,
                                     const std::function<bool()>& is_wanted) {
  const Shared<const Snapshot> names = snapshot_;
  const std::optional<Login> login = names->find_user(user);
  LoginOutcome outcome;
  const bool usable = login && !login->account.disabled && !login->password_hash.empty();
  if (usable) {
    outcome.account = login->account.id;
    outcome.address = std::string(login->account.address);
    outcome.quota_octets = login->account.quota_octets;
  }
  if (usable && recent_.knows(outcome.account, password, login->password_hash, io::now())) {
    outcome.verdict = LoginVerdict::accepted;
    co_return outcome;
  }
  std::optional<std::string> stored;
  if (usable) stored = std::string(login->password_hash);
  bool was_wanted = true;
  const auto checked = co_await io::offload(
      [&] {
        was_wanted = is_wanted();
        if (!was_wanted) return Result<PasswordCheck>(PasswordCheck::mismatch);
        return check_password(password, stored);
      },
      io::OffloadLane::slow);
  if (!was_wanted) outcome.verdict = LoginVerdict::put_off;
  if (!checked || !*checked) outcome.verdict = LoginVerdict::unavailable;
  if (outcome.verdict != LoginVerdict::refused) co_return outcome;
  if (usable && **checked == PasswordCheck::match) {
    recent_.remember(outcome.account, password, *stored, io::now());
    outcome.verdict = LoginVerdict::accepted;
  }
  co_return outcome;
}

}  // namespace kurir::directory
