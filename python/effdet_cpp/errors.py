"""Exceptions, one class for each code of the library (docs/exit-codes.md)."""


class Error(Exception):
    """A call that failed. `code` is the number that the commands would exit with."""

    code = 70


class UsageError(Error, ValueError):
    """An argument is invalid."""

    code = 2


class BadInputError(Error, ValueError):
    """A file is malformed, truncated or hostile."""

    code = 3


class FileError(Error, OSError):
    """The operating system refused: missing file, no permission, no space."""

    code = 4


class UnsupportedError(Error):
    """Well-formed, but not supported by this version."""

    code = 5


class MismatchError(Error):
    """A check failed, such as the gate of quantize()."""

    code = 6


class OutOfMemoryError(Error, MemoryError):
    """Memory ran out."""

    code = 7


class InternalError(Error):
    """A bug in effdet."""

    code = 70


_BY_CODE = {
    error.code: error
    for error in (UsageError, BadInputError, FileError, UnsupportedError, MismatchError, OutOfMemoryError, InternalError)
}


def error_of(code: int, message: str) -> Error:
    """The exception for a status of the C interface."""
    return _BY_CODE.get(code, InternalError)(message)
