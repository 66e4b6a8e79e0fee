#include "request.hh"

#include <sys/random.h>
#include <sysexits.h>

#include <string_view>

#include "kurir/base/assert.hh"
#include "kurir/cli/control_client.hh"
#include "kurir/directory/database.hh"
#include "kurir/io/file.hh"
#include "kurir/server/directory_commands.hh"
#include "kurir/store/data_directory.hh"

namespace kurir::cli {
namespace {

std::unexpected<int> tell(int exit_code, const std::string& text) {
  io::print_error("kurir: " + text);
  return std::unexpected(exit_code);
}

std::uint64_t random_instance() {
  std::uint64_t number = 0;
  const ssize_t got = getrandom(&number, sizeof number, 0);
  KURIR_ASSERT(got == static_cast<ssize_t>(sizeof number));
  return number | 1;  // never 0
}

std::unexpected<int> tell_unusable(const std::string& data, Errc code) {
  switch (code) {
    case Errc::busy:
      return tell(EX_TEMPFAIL,
                  data + " is in use by a server that does not answer: it starts or stops");
    case Errc::unsupported:
      return tell(EX_CONFIG, data + " was written by a newer version of Kurir");
    case Errc::invalid:
      return tell(EX_CONFIG, data + " is not the data directory that belongs here");
    case Errc::corrupt:
      return tell(EX_DATAERR, data + " is damaged");
    case Errc::no_space:
      return tell(EX_IOERR, "the disk of " + data + " is full");
    default:
      return tell(EX_IOERR, data + " cannot be used: is it yours?");
  }
}

// The lock keeps a server from starting meanwhile.
Answer do_here(const Place& place, const server::ControlRequest& request) {
  store::DataDirectory::Options options;
  options.count_start = false;
  options.new_instance = random_instance();
  const auto directory = store::DataDirectory::open(place.data, options);
  if (!directory) return tell_unusable(place.data, directory.error().code);
  auto database = directory::Database::open(server::directory_database_path(place.data));
  if (!database) return tell_unusable(place.data, database.error().code);
  return server::handle_directory_command(*database, request.command, request.arguments,
                                          {.quota_default = place.quota_default});
}

Answer ask(const Place& place, const server::ControlRequest& request, const TakePiece& take) {
  auto answer = ask_server(place.data, request, take);
  if (answer) return std::move(*answer);
  switch (answer.error().code) {
    case Errc::not_found:
      if (server::is_directory_command(request.command)) return do_here(place, request);
      return tell(EX_UNAVAILABLE, "no server runs on " + place.data);
    case Errc::refused:
      return tell(EX_NOPERM, "the server on " + place.data + " belongs to another user");
    case Errc::cancelled:
      return std::unexpected(EX_OK);
    default:
      return tell(EX_TEMPFAIL, "the server on " + place.data + " went away before it answered");
  }
}

}  // namespace

Answer request(const Location& location, const server::ControlRequest& request,
               const TakePiece& take) {
  const auto place = find_place(location);
  if (!place) return std::unexpected(EX_CONFIG);
  Answer answer = ask(*place, request, take);
  if (!answer) return answer;
  if (!(*answer)["ok"].get<bool>()) return tell(EX_DATAERR, (*answer)["error"].get<std::string>());
  return std::move((*answer)["result"]);
}

int request_and_tell(const Location& location, const server::ControlRequest& one,
                     const std::string& done) {
  const Answer answer = request(location, one);
  if (!answer) return answer.error();
  io::print_output(done + '\n');
  return EX_OK;
}

}  // namespace kurir::cli
