"""Runs a command under Landlock, and without sockets if so asked: the trial of docs/security.md.

  python3 bench/hostile/confine.py [--read PATH]... [--write FOLDER]... [--no-sockets] -- COMMAND...

Programs and libraries below /usr and /lib stay readable, and the folder above the command's own. Wants Linux 6.2 or
newer on x86-64.
"""
import argparse
import ctypes
import os
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # system calls
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
READS = EXECUTE | READ_FILE | READ_DIR
ALL = (1 << 15) - 1  # of files, by the third version of Landlock, with truncation
WRITES = ALL & ~EXECUTE
NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2
SOCKET, X86_64 = 41, 0xC000003E
PROGRAMS = ["/usr", "/lib", "/lib64", "/etc/ld.so.cache"]


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def landlock(rules):
    """Takes all access to files from this process but what (path, rights) allow."""
    handled = ctypes.create_string_buffer(struct.pack("<Q", ALL), 8)
    ruleset = checked(LIBC.syscall(CREATE_RULESET, handled, 8, 0))
    for path, rights in rules:
        if not os.path.exists(path):
            continue
        at = os.open(path, os.O_PATH)
        if not os.path.isdir(path):
            rights &= EXECUTE | WRITE_FILE | READ_FILE | 1 << 14
        checked(LIBC.syscall(ADD_RULE, ruleset, 1, ctypes.create_string_buffer(struct.pack("<Qi", rights, at), 12), 0))
        os.close(at)
    checked(LIBC.syscall(RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def refuse_sockets():
    """socket() says EACCES from now on; other architectures' calls end the process."""
    code = [(0x20, 0, 0, 4), (0x15, 1, 0, X86_64), (0x06, 0, 0, 0x80000000), (0x20, 0, 0, 0), (0x15, 0, 1, SOCKET),
            (0x06, 0, 0, 0x00050000 | 13), (0x06, 0, 0, 0x7FFF0000)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *line) for line in code))
    header = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(code), ctypes.addressof(program)), 16)
    checked(LIBC.prctl(SET_SECCOMP, FILTER, header, 0, 0))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--read", action="append", default=[], metavar="PATH")
    parser.add_argument("--write", action="append", default=[], metavar="FOLDER")
    parser.add_argument("--no-sockets", action="store_true")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    own = os.path.dirname(os.path.dirname(os.path.realpath(arguments.command[0])))
    checked(LIBC.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    reads = [(path, READS) for path in [*PROGRAMS, own, *arguments.read]]
    landlock(reads + [(path, WRITES) for path in arguments.write])
    if arguments.no_sockets:
        refuse_sockets()
    os.execv(arguments.command[0], arguments.command)


if __name__ == "__main__":
    sys.exit(main())
