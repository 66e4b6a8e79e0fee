#include "kurir/io/file.hh"

#include <algorithm>
#include <utility>

#include "kurir/base/assert.hh"
#include "operation.hh"

namespace kurir::io {
namespace {
constexpr std::size_t operation_octets_max = 64 << 20;
}

File::File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, Descriptor{})) {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

File::~File() {
  if (descriptor_.open()) Core::current().driver().close(descriptor_);
}

Task<Result<File>> File::open(std::string path, OpenOptions options) {
  const std::int32_t result = co_await operation(
      [&](Driver& driver, Completion& completion) { driver.open(path, options, completion); });
  if (result < 0) co_return std::unexpected(error_from(-result, Origin::file));
  co_return File(Descriptor{result});
}

Task<Result<std::size_t>> File::read_at(std::span<char> into, std::uint64_t offset) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const std::span<char> rest =
        into.subspan(done, std::min(into.size() - done, operation_octets_max));
    const std::int32_t result = co_await operation([&](Driver& driver, Completion& completion) {
      driver.read(descriptor_, rest, offset + done, completion);
    });
    if (result == -EINTR || result == -EAGAIN) continue;
    if (result < 0) co_return std::unexpected(error_from(-result, Origin::file));
    if (result == 0) break;
    done += static_cast<std::size_t>(result);
  }
  co_return done;
}

Task<Result<void>> File::write_at(std::string_view octets, std::uint64_t offset, bool durable) {
  while (!octets.empty()) {
    const std::string_view piece = octets.substr(0, operation_octets_max);
    const std::int32_t result = co_await operation([&](Driver& driver, Completion& completion) {
      driver.write(descriptor_, piece, offset, durable, completion);
    });
    if (result == -EINTR || result == -EAGAIN) continue;
    if (result < 0) co_return std::unexpected(error_from(-result, Origin::file));
    if (result == 0) co_return fail(Errc::io_failed, Origin::file);
    octets.remove_prefix(static_cast<std::size_t>(result));
    offset += static_cast<std::uint64_t>(result);
  }
  co_return Result<void>();
}

Task<Result<void>> File::sync_data() {
  const std::int32_t result = co_await operation(
      [&](Driver& driver, Completion& completion) { driver.sync_data(descriptor_, completion); });
  if (result < 0) co_return std::unexpected(error_from(-result, Origin::file));
  co_return Result<void>();
}

Task<Result<void>> File::allocate(std::uint64_t octets) {
  const std::int32_t result = co_await operation([&](Driver& driver, Completion& completion) {
    driver.allocate(descriptor_, octets, completion);
  });
  if (result < 0) co_return std::unexpected(error_from(-result, Origin::file));
  co_return Result<void>();
}

Result<std::uint64_t> File::size() const { return Core::current().driver().size_of(descriptor_); }

}  // namespace kurir::io
