#pragma once
// What the system's error numbers mean to a caller, of files. Any core.

#include <cerrno>

#include "kurir/base/result.hh"

namespace kurir::io {

inline Error error_from(int error_number, Origin origin) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:  // a limit of the system's on the file, not one of ours on what goes into it
      return {Errc::no_space, origin, error_number};
    case ENOENT:
      return {Errc::not_found, origin, error_number};
    case EEXIST:
      return {Errc::exists, origin, error_number};
    case EACCES:
    case EPERM:
    case EROFS:
      return {Errc::refused, origin, error_number};
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return {Errc::exhausted, origin, error_number};
    case EINVAL:
      return {Errc::invalid, origin, error_number};
    case ECANCELED:
      return {Errc::cancelled, origin, error_number};
    default:
      return {Errc::io_failed, origin, error_number};
  }
}

}  // namespace kurir::io
