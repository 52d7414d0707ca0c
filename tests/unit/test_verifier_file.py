"""The offline verifier as one file: the same bytes from the same source, and it works where nothing else is."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from config import verifierfile
from tests.unit.folder_example import KEY, unmeasured, write_checkpoints, write_tree
from tests.unit.tlog_reference import SampleLog

LOG = SampleLog(12)
GIVEN = ("--key", KEY.verifier.to_text())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one-file")
    (folder / "assay-verifier.pyz").write_bytes(verifierfile.archive())
    return folder


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    # Isolated, in a folder without this repository; the file is named relatively, as people do.
    return subprocess.run(
        [sys.executable, "-I", "assay-verifier.pyz", *map(str, arguments)],
        cwd=folder,
        env=unmeasured(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_is_the_same_file_each_time_and_holds_the_verifier_alone(built: Path) -> None:
    file = built / "assay-verifier.pyz"
    assert verifierfile.archive() == file.read_bytes()
    with ZipFile(file) as archive:
        names = archive.namelist()
        assert names == sorted(names) and {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert {name for name in names if not name.startswith("audit/tlog/")} == {"__main__.py", "audit/__init__.py"}
    assert all(name.endswith(".py") for name in names)


def test_it_verifies_where_nothing_else_is(built: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.json"
    bundle.write_bytes(LOG.bundle(range(12)))
    done = run(built, "verify", bundle, *GIVEN)
    assert done.returncode == 0 and done.stdout.startswith("VERIFIED"), done.stderr
    write_tree(tmp_path / "log", LOG.leaves)
    write_checkpoints(tmp_path / "log", LOG.leaves, (12,))
    done = run(built, "verify", tmp_path / "log", *GIVEN)
    assert done.returncode == 0 and "The 12 entries lead to the signed root." in done.stdout, done.stderr
    shown = run(built, "--help")
    assert "python assay-verifier.pyz verify export/" in shown.stdout and "audit.tlog" not in shown.stdout


def test_it_is_written_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "dist" / "assay-verifier.pyz"
    monkeypatch.setattr(verifierfile, "TARGET", target)
    assert verifierfile.main() == 0
    assert target.read_bytes() == verifierfile.archive() and list(target.parent.iterdir()) == [target]
    assert target.stat().st_mode & 0o111
    assert "SHA-256" in capsys.readouterr().out
