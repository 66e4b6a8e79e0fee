// How much memory there is for this process, and how much of it is taken.

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "kurir/io/confinement.hh"

namespace kurir::io {
namespace {

// "0::/system.slice/kurir.service": the second version's only line.
std::string group_of_process() {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line))
    if (line.starts_with("0::")) return line.substr(3);
  return {};
}

// "max" is no number and leaves what was there.
std::uint64_t octets_in(const std::string& path, std::uint64_t otherwise) {
  std::ifstream file(path);
  std::uint64_t octets = 0;
  return file >> octets ? octets : otherwise;
}

}  // namespace

// A group has no more than those around it.
std::uint64_t memory_octets() {
  const auto pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return 0;
  std::uint64_t octets = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page);
  for (std::string group = group_of_process(); group.size() > 1;
       group.resize(std::min(group.rfind('/'), group.size())))
    octets = std::min(octets, octets_in("/sys/fs/cgroup" + group + "/memory.max", octets));
  return octets;
}

std::uint64_t memory_used() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0, resident = 0, of_files = 0;
  if (!(file >> size >> resident >> of_files)) return 0;
  return (resident - std::min(resident, of_files)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace kurir::io
