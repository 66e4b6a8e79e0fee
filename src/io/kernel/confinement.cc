#include "kurir/io/confinement.hh"

#include <fcntl.h>
#include <fts.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace kurir::io {
namespace {

std::unexpected<std::string> failed(const std::string& what) {
  return std::unexpected(what + ": " + std::strerror(errno));
}

struct Account {
  uid_t user;
  gid_t group;
  bool has_own_group;  // named beside the user: then no other group counts
};

std::expected<Account, std::string> find_account(const std::string& user,
                                                 const std::string& group) {
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr) return std::unexpected("this system has no user \"" + user + "\"");
  Account account{entry->pw_uid, entry->pw_gid, false};
  if (group.empty()) return account;
  const struct group* found = getgrnam(group.c_str());
  if (found == nullptr) return std::unexpected("this system has no group \"" + group + "\"");
  account.group = found->gr_gid;
  account.has_own_group = true;
  return account;
}

constexpr unsigned capability_words = 2;
using Capabilities = std::array<__user_cap_data_struct, capability_words>;

// Inheritable and ambient ones too.
std::expected<void, std::string> drop_capabilities() {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  Capabilities capabilities{};
  if (syscall(SYS_capset, &header, capabilities.data()) != 0)
    return failed("capabilities cannot be given up");
  if (syscall(SYS_capget, &header, capabilities.data()) != 0)
    return failed("capabilities cannot be read");
  for (const auto& word : capabilities)
    if ((word.effective | word.permitted | word.inheritable) != 0)
      return std::unexpected("capabilities are still there after they were given up");
  return {};
}

// A setuid() that failed unseen was a hole of Exim's (CVE-2011-0017): what came of it is looked at.
std::expected<void, std::string> verify_user(const Account& account) {
  uid_t user[3];
  gid_t group[3];
  if (getresuid(&user[0], &user[1], &user[2]) != 0 ||
      getresgid(&group[0], &group[1], &group[2]) != 0)
    return failed("who the process is cannot be asked");
  for (int which = 0; which < 3; ++which)
    if (user[which] != account.user || group[which] != account.group)
      return std::unexpected("the process is still another user after the change");
  if (account.user != 0 && setuid(0) == 0)
    return std::unexpected("the process could become root again");
  return {};
}

// Of later ABIs than Debian 12's header knows.
constexpr std::uint64_t access_truncate = 1ULL << 14, access_device_control = 1ULL << 15;
constexpr std::uint64_t access_read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t access_first = (1ULL << 13) - 1;  // all of the first ABI

std::uint64_t handled_by(long abi) {
  std::uint64_t handled = access_first;
  if (abi >= 2) handled |= LANDLOCK_ACCESS_FS_REFER;
  if (abi >= 3) handled |= access_truncate;
  if (abi >= 5) handled |= access_device_control;
  return handled;
}

// Rules of a file may not have rights that only folders know.
constexpr std::uint64_t access_of_files =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
    access_truncate | access_device_control;

std::expected<void, std::string> allow(int rules, const std::string& path, std::uint64_t access) {
  const int place = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (place < 0) return {};
  struct stat status{};
  if (fstat(place, &status) == 0 && !S_ISDIR(status.st_mode)) access &= access_of_files;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = access;
  rule.parent_fd = place;
  const long added = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  const int reason = errno;
  ::close(place);
  errno = reason;
  if (added != 0) return failed("Landlock takes no rule for " + path);
  return {};
}

std::expected<void, std::string> enforce(int rules, const AllowedFiles& allowed,
                                         std::uint64_t handled) {
  std::expected<void, std::string> done;
  for (const std::string& path : allowed.readable)
    if (done) done = allow(rules, path, access_read);
  for (const std::string& path : allowed.writable)
    if (done) done = allow(rules, path, handled & ~std::uint64_t{LANDLOCK_ACCESS_FS_EXECUTE});
  if (!done) return done;
  if (syscall(SYS_landlock_restrict_self, rules, 0) != 0)
    return failed("Landlock cannot be enforced");
  return {};
}

}  // namespace

bool runs_as_root() { return geteuid() == 0; }

std::expected<void, std::string> become_user(const std::string& user, const std::string& group) {
  if (user.empty()) {
    if (runs_as_root()) return {};
    return drop_capabilities();
  }
  const auto account = find_account(user, group);
  if (!account) return std::unexpected(account.error());
  if (!runs_as_root() && geteuid() != account->user)
    return std::unexpected("only root can become the user \"" + user + "\" of process.user");
  if (runs_as_root()) {
    const int groups = account->has_own_group ? setgroups(1, &account->group)
                                              : initgroups(user.c_str(), account->group);
    if (groups != 0) return failed("the groups cannot be changed");
    if (setresgid(account->group, account->group, account->group) != 0)
      return failed("the group cannot be changed");
    if (setresuid(account->user, account->user, account->user) != 0)
      return failed("the user cannot be changed");
    if (const auto verified = verify_user(*account); !verified) return verified;
  }
  return account->user == 0 ? std::expected<void, std::string>() : drop_capabilities();
}

std::expected<void, std::string> give_folder(const std::string& path, const std::string& user,
                                             const std::string& group) {
  const auto account = find_account(user, group);
  if (!account) return std::unexpected(account.error());
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed(path + " cannot be made");
  std::string root = path;
  char* const roots[] = {root.data(), nullptr};
  FTS* walk = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, nullptr);
  if (walk == nullptr) return failed(path + " cannot be read");
  std::optional<std::string> trouble;
  while (const FTSENT* entry = fts_read(walk)) {
    const bool seen = entry->fts_info == FTS_DP || entry->fts_statp == nullptr;
    const bool is_ours = !seen && entry->fts_info != FTS_NS && entry->fts_statp->st_uid == 0;
    // A second name of a file may lie where the user has no business.
    const bool is_linked = is_ours && entry->fts_info == FTS_F && entry->fts_statp->st_nlink > 1;
    if (!is_ours || is_linked) continue;
    if (lchown(entry->fts_accpath, account->user, account->group) != 0)
      trouble = std::string(entry->fts_path) + " cannot be given to " + user;
  }
  fts_close(walk);
  if (trouble) return std::unexpected(*trouble);
  return {};
}

std::expected<void, std::string> forbid_new_privileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
    return failed("no_new_privs cannot be set");
  constexpr rlimit no_dumps{0, 0};
  if (setrlimit(RLIMIT_CORE, &no_dumps) != 0) return failed("core dumps cannot be forbidden");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
    return failed("the process cannot be hidden from debuggers");
  return {};
}

ConfinedOr confine_files(const AllowedFiles& allowed) {
  const long abi =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return Confined::unavailable;
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = handled_by(abi);
  const auto rules =
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  if (rules < 0) return failed("Landlock cannot be set up");
  const auto enforced = enforce(rules, allowed, attributes.handled_access_fs);
  ::close(rules);
  if (!enforced) return std::unexpected(enforced.error());
  const int outside = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (outside < 0) return Confined::yes;
  ::close(outside);
  return std::unexpected("Landlock lets the process read what it forbids");
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

}  // namespace kurir::io
