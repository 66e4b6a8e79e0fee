// What no thread of a server that has started ever calls (threats.md K). The list names what is
// refused: an offloaded library may need whatever else, and the way from a hole in the server to
// the rest of the machine goes through these.

#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "kurir/io/confinement.hh"

namespace kurir::io {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KURIR_LEAKS_ARE_LOOKED_FOR
#endif
#endif
// At its end a program of the sanitizer's stops its threads by tracing them.
#ifdef KURIR_LEAKS_ARE_LOOKED_FOR
constexpr bool tracing_is_denied = false;
#else
constexpr bool tracing_is_denied = true;
#endif

constexpr int denied[] = {SCMP_SYS(io_uring_setup),
                          SCMP_SYS(io_uring_register),
                          SCMP_SYS(execve),
                          SCMP_SYS(execveat),
                          SCMP_SYS(process_vm_readv),
                          SCMP_SYS(process_vm_writev),
                          SCMP_SYS(mount),
                          SCMP_SYS(umount2),
                          SCMP_SYS(pivot_root),
                          SCMP_SYS(chroot),
                          SCMP_SYS(setns),
                          SCMP_SYS(unshare),
                          SCMP_SYS(init_module),
                          SCMP_SYS(finit_module),
                          SCMP_SYS(delete_module),
                          SCMP_SYS(kexec_load),
                          SCMP_SYS(kexec_file_load),
                          SCMP_SYS(reboot),
                          SCMP_SYS(bpf),
                          SCMP_SYS(perf_event_open),
                          SCMP_SYS(userfaultfd),
                          SCMP_SYS(keyctl),
                          SCMP_SYS(add_key),
                          SCMP_SYS(request_key),
                          SCMP_SYS(open_by_handle_at),
                          SCMP_SYS(swapon),
                          SCMP_SYS(swapoff),
                          SCMP_SYS(acct),
                          SCMP_SYS(settimeofday),
                          SCMP_SYS(clock_settime),
                          SCMP_SYS(adjtimex),
                          SCMP_SYS(personality),
                          SCMP_SYS(kcmp),
                          SCMP_SYS(setuid),
                          SCMP_SYS(setgid),
                          SCMP_SYS(setresuid),
                          SCMP_SYS(setresgid),
                          SCMP_SYS(setreuid),
                          SCMP_SYS(setregid),
                          SCMP_SYS(setgroups),
                          SCMP_SYS(capset),
                          SCMP_SYS(fork),
                          SCMP_SYS(vfork)};

std::unexpected<std::string> failed(int reason) {
  return std::unexpected(std::string("seccomp cannot be set up: ") + std::strerror(-reason));
}

}  // namespace

ConfinedOr deny_system_calls() {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) return failed(-ENOMEM);
  // All threads at once: they are there already, for they have made their rings.
  int done = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
  for (const int call : denied)
    if (done == 0) done = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
  if (done == 0 && tracing_is_denied)
    done = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ptrace), 0);
  if (done == 0) done = seccomp_load(filter);
  seccomp_release(filter);
  if (done == -ENOSYS || done == -EOPNOTSUPP || done == -EINVAL) return Confined::unavailable;
  if (done != 0) return failed(done);
  const bool denies = syscall(SYS_io_uring_setup, 0, nullptr) == -1 && errno == EPERM;
  if (!denies || prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 2)
    return std::unexpected("seccomp lets through what it forbids");
  return Confined::yes;
}

}  // namespace kurir::io
