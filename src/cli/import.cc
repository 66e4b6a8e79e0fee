#include "import.hh"

#include <sysexits.h>

#include "kurir/base/limits.hh"
#include "kurir/io/file.hh"
#include "request.hh"

namespace kurir::cli {
namespace {

constexpr std::size_t file_octets_max = 1 << 30;
// A request is of bounded size.
constexpr std::size_t part_octets = limits::control_request_octets_max / 2;

}  // namespace

std::optional<std::string> read_import(const std::string& file) {
  auto text = io::read_file(file, file_octets_max);
  if (text) return std::move(*text);
  io::print_error("kurir: " + file + " cannot be read");
  return std::nullopt;
}

int tell_import_fault(const std::string& file, const server::ImportFault& fault) {
  io::print_error("kurir: " + file + ":" + std::to_string(fault.line) + ": " + fault.text +
                  "; nothing was imported");
  return EX_DATAERR;
}

int import_in_parts(const Location& location, const std::string& command, const std::string& name,
                    const nlohmann::json& all) {
  std::size_t done = 0;
  while (done < all.size()) {
    nlohmann::json part = nlohmann::json::array();
    std::size_t octets = 0;
    while (done + part.size() < all.size() && octets < part_octets) {
      const nlohmann::json& one = all.at(done + part.size());
      octets += one.dump().size();
      part.push_back(one);
    }
    const std::size_t count = part.size();
    const Answer answer = request(location, {command, {{name, std::move(part)}}});
    if (!answer) {
      if (done > 0) io::print_error("kurir: the first " + std::to_string(done) + " were imported");
      return answer.error();
    }
    done += count;
  }
  io::print_output(std::to_string(done) + ' ' + name + " imported\n");
  return EX_OK;
}

}  // namespace kurir::cli
