"""The main job of the demo, done once for real over HTTP, by the personas and a pipeline's token.

Every step goes through the doors a person or a pipeline uses; nothing is read from the database. A step that does
not show what it should stops the job with a sentence.
"""

import json
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any, Final, TypeVar

import httpx

from demo.browser import PageFailed, Visitor, hidden_field
from demo.seed import DATA, RUNNING, WAITING

_WAIT_SECONDS: Final = 60
_VERIFY: Final = (sys.executable, "-m", "audit.tlog", "verify")
T = TypeVar("T")


class JobFailed(RuntimeError):
    """A step did not show what it should."""


@dataclass(frozen=True, slots=True)
class Done:
    """One line of the summary."""

    step: str
    what: str
    seconds: float


class MainJob:
    """The six steps, in order. `base` is the site, `token` a pipeline's, `key` the log's published verifier key."""

    def __init__(self, *, base: str, token: str, key: str, tell: Callable[[Done], None]) -> None:
        self._base = base
        self._key = key
        self._tell = tell
        self._api = httpx.Client(
            base_url=f"{base}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=httpx.Timeout(30)
        )
        self._stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
        self._evidence: list[int] = []

    def run(self) -> None:
        """All steps.

        Raises:
            JobFailed, PageFailed, httpx.HTTPError: with the step that failed.
        """
        steps: tuple[tuple[str, Callable[[], str]], ...] = (
            ("1 Register a model version and a GPU pool", self._register),
            ("2 Ask, and let another person approve", self._approve),
            ("3 Record events of a pipeline", self._record),
            ("4 Collect and seal windows", self._collect),
            ("5 Verify a bundle offline", self._verify_bundle),
            ("6 Make, download and verify a report", self._report),
        )
        for title, step in steps:
            began = time.monotonic()
            try:
                what = step()
            except (JobFailed, PageFailed, httpx.HTTPError) as error:
                raise JobFailed(f"{title}: {error}") from error
            self._tell(Done(title, what, time.monotonic() - began))

    def _register(self) -> str:
        files = DATA / "qwen3-8b"
        config, index = (files / name for name in ("config.json", "model.safetensors.index.json"))
        ken = Visitor(self._base)
        ken.become("watanabe")
        ken.get("/admin/desk/models/new/")
        ken.post(
            "/admin/desk/models/new/",
            {
                "model_name": "Qwen3 8B",
                "version": f"job-{self._stamp}",
                "hf_id": "Qwen/Qwen3-8B",
                "developer": "Qwen",
                "licence": "Apache-2.0",
                "source": "config.json and index of Qwen/Qwen3-8B, read today",
            },
            files={
                "config": ("config.json", config.read_bytes(), "application/json"),
                "index": ("model.safetensors.index.json", index.read_bytes(), "application/json"),
            },
        )
        ken.close()
        body = {
            "name": f"job-{self._stamp}",
            "gpu_model": "H100 SXM5",
            "count": 2,
            "node": "node-08",
            "region": "jp-tokyo",
            "hosting": "on_prem",
        }
        pool = self._post("/gpu-pools", body, 201)
        return f"Qwen3 8B job-{self._stamp} in the admin; pool {body['name']} over REST, entry {pool['entries'][0]}"

    def _approve(self) -> str:
        deployment = self._deployment(WAITING)
        asked = [row for row in self._get("/requests")["items"] if row["deployment_id"] == deployment]
        found = next((row for row in asked if row["state"] == "open"), None)
        if found is None:
            return f"{WAITING} was decided in an earlier run"
        address = f"/admin/desk/requests/{found['id']}/"
        ken = Visitor(self._base)
        ken.become("watanabe")
        page = ken.get(address).text
        decision = {"decision": "approve", "reason": "Approving my own request, which nobody may do."}
        refused = ken.post(
            address, {**decision, "digest_seen": hidden_field(page, "digest_seen")}, expect=frozenset({400, 403})
        )
        ken.close()
        rosa = Visitor(self._base)
        rosa.become("okafor")
        page = rosa.get(address).text
        rosa.post(
            address,
            {
                "decision": "approve",
                "reason": "Drafts only, a person decides; it fits both cards with the margin shown.",
                "digest_seen": hidden_field(page, "digest_seen"),
            },
        )
        rosa.close()
        state = self._get(f"/requests/{found['id']}")
        if state["state"] != "approved":
            raise JobFailed(f"the request is {state['state']}, not approved")
        return f"{WAITING}: the requester was refused ({refused.status_code}), Rosa Okafor approved"

    def _record(self) -> str:
        one = self._event("one")
        first = self._api.post("/events", json=one, headers={"Prefer": "wait=5"})
        again = self._api.post("/events", json=one)
        if (first.status_code, again.status_code) != (201, 200) or again.json()["status"] != "duplicate":
            raise JobFailed(f"a repeat was answered {again.status_code}: {again.text[:200]}")
        if first.json()["index"] != again.json()["index"] or "receipt" not in first.json():
            raise JobFailed("the repeat or the receipt does not belong to the first entry")
        batch = self._post("/events", [self._event(f"batch-{number}") for number in range(20)], 201)
        self._evidence = [first.json()["index"], *(item["index"] for item in batch["events"])]
        return f"1 + 20 events, entries {self._evidence[0]} to {self._evidence[-1]}; the repeat got the first receipt"

    def _collect(self) -> str:
        aiko = Visitor(self._base)
        aiko.become("mori")

        def newest(kind: str, tells: Callable[[dict[str, Any]], object]) -> int | None:
            index = self._newest(kind)
            return index if index is not None and tells(_facts(aiko, index)) else None

        usage = self._until(
            lambda: newest("window.usage", lambda facts: facts["totals"]["requests"]), "a window with usage in it"
        )
        hardware = self._until(
            lambda: newest("window.hardware", lambda facts: facts.get("devices")), "a window with hardware in it"
        )
        finding = self._until(lambda: self._newest("finding.raised"), "what governance finds in it")
        totals = _facts(aiko, usage)["totals"]
        aiko.close()
        self._evidence += [usage, hardware, finding]
        return (
            f"entry {usage} seals {totals['requests']} requests, entry {hardware} hardware;"
            f" entry {finding} is a finding that follows"
        )

    def _verify_bundle(self) -> str:
        aiko = Visitor(self._base)
        aiko.become("mori")

        def bundle() -> bytes | None:
            answer = aiko.post_json("/api/v1/bundles", {"indexes": self._evidence})
            return answer.content if answer.status_code == 200 else None

        content = self._until(bundle, "a checkpoint over the new entries")
        aiko.close()
        said = self._verified("bundle.assay.json", content)
        return f"{len(self._evidence)} entries in {len(content):,} bytes; {said}"

    def _report(self) -> str:
        aiko = Visitor(self._base)
        aiko.become("mori")
        aiko.get("/admin/reports/")
        asked = aiko.post("/admin/reports/", {"deployment": self._deployment(RUNNING)})
        address = asked.url.path
        if "/admin/reports/" not in address or address == "/admin/reports/":
            raise JobFailed(f"asking for a report led to {address}: {_words(asked.text)}")
        report_id = address.rstrip("/").rpartition("/")[2]
        self._until(lambda: self._is_ready(aiko, report_id), "the report", seconds=120)
        pdf = aiko.post(f"{address}download/", {}).content
        aiko.close()
        if not pdf.startswith(b"%PDF-"):
            raise JobFailed("the download is not a PDF")
        said = self._verified("report.pdf", pdf)
        return f"{len(pdf):,} bytes, downloaded as Aiko Mori; {said}"

    def _deployment(self, name: str) -> str:
        rows = self._get("/deployments")["items"]
        found = next((str(row["id"]) for row in rows if row["name"] == name), None)
        if found is None:
            raise JobFailed(f"the deployment {name} is not registered")
        return found

    def _is_ready(self, person: Visitor, report_id: str) -> bool:
        state = person.get(f"/api/v1/reports/{report_id}").json()
        if state["state"] == "failed":
            raise JobFailed(f"the report failed: {state.get('reason', '')}")
        return bool(state["state"] == "ready")

    def _verified(self, name: str, content: bytes) -> str:
        """Check a file with the offline verifier, in a process of its own that is told the published key."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(content)
            done = subprocess.run(
                [*_VERIFY, str(path), "--key", self._key, "--json"],
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
        if done.returncode != 0:
            raise JobFailed(f"the verifier refuses {name}: {done.stdout[-500:]}{done.stderr[-500:]}")
        checks = json.loads(done.stdout)["checks"]
        return f"verified offline, {len(checks)} checks"

    def _event(self, name: str) -> dict[str, Any]:
        return {
            "id": f"job-{self._stamp}-{name}",
            "type": "evaluation.completed",
            "subject": WAITING,
            "occurred_at": datetime.now(UTC).isoformat(),
            "data": {"suite": "credit-memo-ja-v2", "metric": "accuracy", "value": "0.902", "run": name},
        }

    def _newest(self, kind: str) -> int | None:
        entries = self._get(f"/entries?type={kind}&limit=1")["entries"]
        return int(entries[0]["index"]) if entries else None

    def _get(self, path: str) -> dict[str, Any]:
        answer = self._api.get(path)
        if answer.status_code != 200:
            raise JobFailed(f"GET {path}: {answer.status_code} {answer.text[:200]}")
        content: dict[str, Any] = answer.json()
        return content

    def _post(self, path: str, body: object, status: int) -> dict[str, Any]:
        answer = self._api.post(path, json=body)
        if answer.status_code != status:
            raise JobFailed(f"POST {path}: {answer.status_code} {answer.text[:200]}")
        content: dict[str, Any] = answer.json()
        return content

    def _until(self, ready: Callable[[], T | None], what: str, *, seconds: int = _WAIT_SECONDS) -> T:
        deadline, pause = time.monotonic() + seconds, Event()
        while not (found := ready()):
            if time.monotonic() > deadline:
                raise JobFailed(f"{what} did not come within {seconds} s; see the logs")
            pause.wait(0.25)
        return found


def _facts(person: Visitor, index: int) -> dict[str, Any]:
    """The facts of an entry as this person may open them."""
    body = person.get(f"/api/v1/entries/{index}").json()["sections"]["facts"]["body"]
    content: dict[str, Any] = json.loads(b64decode(body))
    return content


def _words(page: str) -> str:
    return " ".join(page.split())[:200]
