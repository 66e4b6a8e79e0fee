#include "kurir/auth/signed_tokens.hh"

#include "kurir/io/clock.hh"
#include "kurir/io/offload.hh"

namespace kurir::auth {

Task<TokenChecker::Checked> SignedTokens::check(std::string token) {
  using Found = std::optional<std::string>;
  const WallTime now = io::wall_now();
  auto work = [keys = keys_, token = std::move(token), this, now]() -> Found {
    return check_token(token, *keys, rules_, now);
  };
  const Result<Found> found = co_await io::offload(std::move(work));
  Checked checked;
  if (!found) checked.verdict = directory::LoginVerdict::unavailable;
  if (!found || !*found) co_return checked;
  checked.verdict = directory::LoginVerdict::accepted;
  checked.user = **found;
  co_return checked;
}

}  // namespace kurir::auth
