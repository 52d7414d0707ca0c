"""Start one program so that it cannot outlive its parent; run by path, with the standard library only.

    python -I -S spawn.py PARENT_PID SIGNAL UID GID PROGRAM [ARGUMENT...]

PR_SET_PDEATHSIG must be set after the user changes (the kernel clears it then), hence a small program of its
own rather than arguments of subprocess. UID and GID of -1 keep the user. Elsewhere than on Linux the program
just starts.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    parent, death_signal, uid, gid = (int(argument) for argument in arguments[:4])
    program = arguments[4:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the line above could help
            sys.exit(1)
    os.execvp(program[0], program)


if __name__ == "__main__":
    main(sys.argv[1:])
