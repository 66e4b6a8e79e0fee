// Accounts, folders, subscriptions: planned one at a time within an account.

#include "kurir/io/clock.hh"
#include "kurir/mailbox/owner.hh"

namespace kurir::mailbox {
namespace {

template <class T>
Result<Change> as_change(Result<T> planned) {
  if (!planned) return std::unexpected(planned.error());
  return Change(std::move(*planned));
}

}  // namespace

Task<Result<Shared<Account>>> Owner::open(AccountId account) {
  if (Account* found = accounts_.find(account)) co_return Shared<Account>::share(*found);
  co_await lock(account);
  Result<Applied> made = Applied{};
  if (accounts_.find(account) == nullptr)
    made = co_await commit(plan_account(account, io::wall_now()));
  unlock(account);
  if (!made) co_return std::unexpected(made.error());
  Account* found = accounts_.find(account);
  if (found == nullptr) co_return fail(Errc::not_found, Origin::mailbox);
  co_return Shared<Account>::share(*found);
}

// `plan` runs on this core, under the account's lock.
Task<Result<void>> Owner::commit_folders(AccountId account, FolderPlan plan) {
  co_await lock(account);
  Account* found = accounts_.find(account);
  Result<Change> planned = fail(Errc::not_found, Origin::mailbox);
  if (found != nullptr) planned = plan(*found);
  Result<Applied> done = Applied{};
  if (planned) {
    std::vector<Change> changes;
    changes.push_back(std::move(*planned));
    done = co_await commit(std::move(changes));
  }
  unlock(account);
  if (!planned) co_return std::unexpected(planned.error());
  if (!done) co_return std::unexpected(done.error());
  co_return Result<void>();
}

Task<Result<void>> Owner::create_folder(AccountId account, std::string name, SpecialUse use) {
  FolderPlan plan = [&](Account& found) {
    return as_change(found.plan_create(name, use, io::wall_now()));
  };
  co_return co_await commit_folders(account, std::move(plan));
}

Task<Result<void>> Owner::delete_folder(AccountId account, std::string name) {
  FolderPlan plan = [&](Account& found) { return as_change(found.plan_delete(name)); };
  co_return co_await commit_folders(account, std::move(plan));
}

Task<Result<void>> Owner::rename_folder(AccountId account, std::string from, std::string to) {
  FolderPlan plan = [&](Account& found) {
    return as_change(found.plan_rename(from, to, io::wall_now()));
  };
  co_return co_await commit_folders(account, std::move(plan));
}

Task<Result<void>> Owner::subscribe(AccountId account, std::string name, bool subscribed) {
  FolderPlan plan = [&](Account& found) {
    return as_change(found.plan_subscription(name, subscribed));
  };
  co_return co_await commit_folders(account, std::move(plan));
}

}  // namespace kurir::mailbox
