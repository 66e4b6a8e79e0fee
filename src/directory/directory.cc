#include "kurir/directory/directory.hh"

#include "kurir/directory/password.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/offload.hh"

namespace kurir::directory {

Task<LoginOutcome> Directory::log_in(std::string user, std::string password) {
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
  const auto checked = co_await io::offload([&] { return check_password(password, stored); });
  if (!checked || !*checked) {
    outcome.verdict = LoginVerdict::unavailable;
    co_return outcome;
  }
  if (usable && **checked == PasswordCheck::match) {
    recent_.remember(outcome.account, password, *stored, io::now());
    outcome.verdict = LoginVerdict::accepted;
  }
  co_return outcome;
}

}  // namespace kurir::directory
