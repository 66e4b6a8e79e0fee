#pragma once
// Giving up what a mail server needs only to start, step by step (threats.md K): bind the ports,
// become another user, no new privileges, Landlock, and, when every core has its ring, seccomp.
// Rings restrict themselves (kernel_driver.cc). Each step is verified after it was taken. The
// process as a whole: before it has threads, but for deny_system_calls().

#include <expected>
#include <string>
#include <vector>

#include "kurir/base/result.hh"

namespace kurir::io {

// Done, or done without what this kernel lacks; or a text for people.
enum class Confined : bool { unavailable, yes };
using ConfinedOr = std::expected<Confined, std::string>;

bool runs_as_root();

// From root to this user for good, with the user's groups, or with `group` and no other; no
// capability stays. An empty user: stays who it is, its capabilities go unless it is root.
std::expected<void, std::string> become_user(const std::string& user, const std::string& group);

// As root: makes a folder where there is none, and gives it, and what in it is root's, to the user.
std::expected<void, std::string> give_folder(const std::string& path, const std::string& user,
                                             const std::string& group);

// No program that is executed has more rights than this one; no core dumps, no debugger of the
// same user: memory holds passwords and keys.
std::expected<void, std::string> forbid_new_privileges();

// Landlock: no file elsewhere is read or written from now on, and none is executed. What is missing
// is passed over.
struct AllowedFiles {
  std::vector<std::string> readable, writable;
};
ConfinedOr confine_files(const AllowedFiles& allowed);

// seccomp, all threads: no further ring, no executing, no tracing, nothing of an administrator's.
ConfinedOr deny_system_calls();

// What memory the machine, or the process's cgroup, has; of that, what the process uses and nobody
// could get back from it (no pages of files). 0: not known.
std::uint64_t memory_octets();
std::uint64_t memory_used();

// As many descriptors as the system lets the process have; the number.
std::uint64_t raise_descriptor_limit();

}  // namespace kurir::io
