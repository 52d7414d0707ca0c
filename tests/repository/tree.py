"""The files that make up the repository: tracked or about to be, without what tools leave behind."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("audit", "bench", "config", "demo", "governance", "reports", "tests")
_LEFT_BEHIND = {".git", ".venv", ".runtime", ".cache", "__pycache__", "var", "staticfiles", "dist"}


@cache
def files() -> tuple[Path, ...]:
    """All files, as git sees them, else by walking (a copy without git)."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = [
            "git",
            "-c",
            f"safe.directory={ROOT}",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60).stdout.decode()
        return tuple(path for name in sorted(set(listed.split("\0"))) if name and (path := ROOT / name).is_file())
    return tuple(
        sorted(path for path in ROOT.rglob("*") if path.is_file() and not _is_left_behind(path.relative_to(ROOT).parts))
    )


def _is_left_behind(parts: tuple[str, ...]) -> bool:
    return any(part in _LEFT_BEHIND or (part.startswith(".") and part.endswith("_cache")) for part in parts)


def python_files(*packages: str, migrations: bool = False) -> list[Path]:
    """Python files of the given top-level packages (default: all of them)."""
    wanted = packages or PACKAGES
    return [
        path
        for path in files()
        if path.suffix == ".py"
        and path.relative_to(ROOT).parts[0] in wanted
        and (migrations or "migrations" not in path.parts)
    ]


def text_files() -> list[tuple[Path, str]]:
    """Path and content of every file that is UTF-8 text."""
    result = []
    for path in files():
        try:
            result.append((path, path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return result


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))
