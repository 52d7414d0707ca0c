"""Imports from addresses: fetched from a real server, bounded, refused with a sentence; jobs outlive their workers."""

import json
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.urls import reverse

from audit import queries as log
from governance import operations, queries
from governance.checks import import_addresses_are_prefixes
from governance.models import Adapter, ImportJob, ModelVersion
from governance.operations import ImportAsk, Refused
from governance.operations.importaddress import allowed, read_prefixes
from governance.operations.importfetch import Fetcher, FetchRefused, NotThere, checked
from tests.integration.governance_story import CONFIG, INDEX, NOW, Story, tell
from tests.integration.test_governance_adapters import config as adapter_config
from tests.integration.test_governance_adapters import header as adapter_header
from tests.integration.test_governance_api import Pipeline
from tests.integration.test_governance_pages import browser
from tests.integration.test_model_imports import FILE as WHOLE_GGUF
from tests.services.modelserver import ModelServer, model_server
from tests.unit.gguf_writer import llama

pytestmark = pytest.mark.django_db
CARD = b"---\nlicense: apache-2.0\n---\n# Model\n"
TENSORS = json.dumps({"a": {"dtype": "BF16", "shape": [1000], "data_offsets": [0, 2000]}}).encode()
HEADER = len(TENSORS).to_bytes(8, "little") + TENSORS
FILE = "/models/a/config.json"


@pytest.fixture
def server(settings: LazySettings) -> Iterator[ModelServer]:
    with model_server() as found:
        settings.IMPORT_URLS = [f"private+{found.url}"]
        found.files |= {FILE: json.dumps(CONFIG).encode(), "/models/a/README.md": CARD}
        yield found


@pytest.fixture
def story() -> Story:
    return tell()


def fetcher(server: ModelServer, **other: Any) -> Fetcher:
    return Fetcher(read_prefixes([f"private+{server.url}"]), **other)


def asked(story: Story, server: ModelServer, **other: Any) -> UUID:
    ask = ImportAsk(**{"address": f"{server.url}a", "name": "Fetched", "version": "1", **other})
    return operations.request_import(by=story.requester, ask=ask, now=NOW).id


def test_files_come_whole_or_by_range_and_nothing_is_remembered(server: ModelServer) -> None:
    server.behaviour[FILE] = "cookie"
    made = fetcher(server)
    assert made.whole(f"{server.url}a/config.json", limit=10_000).body == server.files[FILE]
    server.behaviour[FILE] = "whole"
    assert made.start(f"{server.url}a/config.json", length=9).body == server.files[FILE][:9]
    server.behaviour[FILE] = "/models/a/README.md"
    assert made.whole(f"{server.url}a/config.json", limit=10_000).body == CARD
    got = made.start(f"{server.url}a/README.md", length=5)
    assert (got.body, got.total) == (CARD[:5], len(CARD))
    assert server.asked[-1][1] == "bytes=0-4"
    assert set(server.cookies) == {""}
    with pytest.raises(NotThere):
        made.whole(f"{server.url}a/nothing", limit=5)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("http://169.254.169.254/latest/meta-data/", "not among the addresses"),
        ("http://127.0.0.1:1/models/a", "not among the addresses"),
        ("/elsewhere/config.json", "not among the addresses"),
        ("/models/%2e%2e/x", "written plainly"),
        (FILE, "more than 3 times"),
        ("500", "status 500"),
        ("gzip", "compresses"),
        ("other part", "another part"),
        ("fewer", "another part"),
        ("more", "sends more|announced"),
        ("drip", "within 0.4 s"),
        ("drip headers", "within 0.4 s"),
        ("endless", "sends more|within 0.4 s"),
    ],
)
def test_answers_that_are_not_taken(server: ModelServer, how: str, words: str) -> None:
    server.behaviour[FILE] = how
    ranged = how in {"other part", "fewer", "more"}
    made = fetcher(server, seconds=0.4)
    begun = time.monotonic()
    with pytest.raises(FetchRefused, match=words):
        if ranged:
            made.start(f"{server.url}a/config.json", length=20)
        else:
            made.whole(f"{server.url}a/config.json", limit=10_000)
    assert time.monotonic() - begun < 5


def test_sizes_are_bounded_before_and_while_reading(server: ModelServer) -> None:
    with pytest.raises(FetchRefused, match="at most 10 are read"):
        fetcher(server).whole(f"{server.url}a/config.json", limit=10)


def test_the_connection_goes_to_the_address_that_was_checked(server: ModelServer) -> None:
    answers = iter([["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:169.254.169.254"], []])
    name = f"localhost:{server.port}"
    private = Fetcher(read_prefixes([f"private+http://{name}/models/"]), resolve=lambda host, port: next(answers))
    private.whole(f"http://{name}/models/a/config.json", limit=10_000)
    assert server.asked[-1][2] == name  # asked once, connected to what was answered, by the name that was asked for
    public = Fetcher(read_prefixes([f"https://{name}/models/"]), resolve=lambda host, port: next(answers))
    for words in ("127.0.0.1, which is not public", "which is not public", "has no address"):
        with pytest.raises(FetchRefused, match=words):
            public.whole(f"https://{name}/models/a/config.json", limit=10_000)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("mirror.example", "127.0.0.1"),
        ("mirror.example", "::1"),
        ("mirror.example", "169.254.169.254"),
        ("mirror.example", "::ffff:169.254.169.254"),
        ("mirror.example", "fe80::1"),
        ("mirror.example", "fd00:ec2::254"),
        ("mirror.example", "0.0.0.0"),
        ("mirror.example", "100.64.0.1"),
        ("mirror.example", "224.0.0.1"),
        ("mirror.example", "ff02::1"),
        ("localhost", "169.254.169.254"),
        ("127.0.0.1", "224.0.0.1"),
    ],
)
def test_private_opens_no_neighbour_that_only_this_machine_reaches(host: str, found: str) -> None:
    made = Fetcher(read_prefixes([f"private+http://{host}/models/"]), resolve=lambda host, port: ["10.0.0.1", found])
    with pytest.raises(FetchRefused, match=f"{host} has the address {found}, which is never fetched from"):
        made.whole(f"http://{host}/models/a/config.json", limit=10)


@pytest.mark.parametrize("found", ["10.1.2.3", "172.31.0.1", "192.168.0.1", "fd12:3456::1", "93.184.216.34"])
def test_private_opens_the_networks_of_an_organisation(found: str) -> None:
    place = allowed("http://mirror.example/m/a", read_prefixes(["private+http://mirror.example/m/"]))
    assert checked(place, [found]) == found


def test_a_model_an_adapter_and_a_gguf_file(story: Story, server: ModelServer) -> None:
    first = asked(story, server)
    server.files["/models/a/model.safetensors"] = HEADER + bytes(2000)
    assert operations.run_import(job_id=first, now=NOW)
    kind, _colon, made = queries.import_view(first).result.partition(":")
    version = ModelVersion.objects.select_related("model").get(pk=made)
    assert (kind, version.weight_bytes, version.model.licence) == ("model_version", 2000, "apache-2.0")
    assert ("/models/a/model.safetensors", f"bytes=0-{len(HEADER) - 1}") in {item[:2] for item in server.asked}
    entries = log.entries(subject=f"import_job:{first}")
    assert [entry.type for entry in entries] == ["import.ended", "import.requested"]
    server.files["/models/b/config.json"] = server.files[FILE]
    server.files["/models/b/model.safetensors.index.json"] = json.dumps(INDEX).encode()
    second = asked(story, server, address=f"{server.url}b/", name="Indexed")
    assert operations.run_import(job_id=second, now=NOW)
    server.files |= {"/models/c/adapter_config.json": adapter_config(), "/models/c/README.md": CARD}
    server.files["/models/c/adapter_model.safetensors"] = adapter_header()
    third = asked(story, server, address=f"{server.url}c", name="tone")
    assert operations.run_import(job_id=third, now=NOW)
    assert Adapter.objects.get(name="tone").base_id == story.version
    server.files["/models/d/q4.gguf"] = llama()
    fourth = asked(story, server, address=f"{server.url}d", name="Small", gguf="q4.gguf")
    operations.run_import(job_id=fourth, now=NOW)
    found = queries.import_view(fourth)
    assert (found.state, found.failure.partition(" bytes of ")[1]) == ("failed", " bytes of ")  # it is not whole
    server.files["/models/d/q4.gguf"] = WHOLE_GGUF
    fifth = asked(story, server, address=f"{server.url}d", name="Small", gguf="q4.gguf")
    assert operations.run_import(job_id=fifth, now=NOW)
    assert ModelVersion.objects.get(model__name="Small").facts_from == "gguf"
    assert queries.reconcile() == []


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    begin = datetime.now(UTC) - timedelta(days=1)
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(begin).not_valid_after(begin + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + signed.public_bytes(Encoding.PEM)
    (tmp_path / "pem").write_bytes(pem)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "pem")
    with model_server(tls) as found:
        prefix = f"https://localhost:{found.port}/models/"
        made = Fetcher(read_prefixes([f"private+{prefix}"]), resolve=lambda host, port: ["127.0.0.1"])
        with pytest.raises(FetchRefused, match=r"cannot be read.*CERTIFICATE_VERIFY_FAILED"):
            made.whole(f"{prefix}a/config.json", limit=10)
        assert found.asked == []


def test_what_cannot_be_asked_for(story: Story, server: ModelServer, settings: LazySettings) -> None:
    for other, field in (
        ({"address": "http://169.254.169.254/latest"}, "address"),
        ({"gguf": "../x.gguf"}, "gguf"),
        ({"base_version_id": uuid4()}, "base"),
        ({"name": " "}, "name"),
    ):
        with pytest.raises(Refused) as caught:
            asked(story, server, **other)
        assert caught.value.field == field
    settings.IMPORT_URLS = []
    with pytest.raises(Refused, match="Import from addresses is off"):
        asked(story, server)
    page = browser(story.requester).get(reverse("admin:desk_import_new")).content.decode()
    assert "Import from addresses is off" in page
    assert not ImportJob.objects.exists()
    assert import_addresses_are_prefixes(None) == []
    settings.IMPORT_URLS = ["http://mirror.example/"]
    assert [found.id for found in import_addresses_are_prefixes(None)] == ["governance.E003"]


def test_a_lost_worker_and_an_end_that_stays(story: Story, server: ModelServer) -> None:
    job = asked(story, server)
    assert operations.run_import(job_id=job, now=NOW)
    result = queries.import_view(job).result
    # A worker that was lost after it registered: the next one finds what stands already.
    ImportJob.objects.filter(pk=job).update(state="running", result="", started_at=NOW)
    assert not operations.run_import(job_id=job, now=NOW + timedelta(minutes=1))
    handed: list[UUID] = []
    late = NOW + timedelta(minutes=3)

    def hand_over(found: UUID) -> bool:
        handed.append(found)
        return True

    assert operations.advance_imports(now=late, hand_over=hand_over) == 1
    assert operations.run_import(job_id=handed[0], now=late)
    assert queries.import_view(job).result == result
    assert not operations.run_import(job_id=job, now=late)
    ImportJob.objects.filter(pk=job).update(state="running", started_at=NOW, attempt=3)
    operations.run_import(job_id=job, now=late)
    assert "worker was lost" in queries.import_view(job).failure
    for refused in (job, uuid4()):
        with pytest.raises(Refused):
            operations.cancel_import(job_id=refused, by=story.requester, now=NOW)


def test_by_page(story: Story, server: ModelServer) -> None:
    client = browser(story.requester)
    sent = {"address": f"{server.url}nothing", "name": "Missing", "version": "1"}
    answer = client.post(reverse("admin:desk_import_new"), sent)
    job = ImportJob.objects.get()
    address = reverse("admin:desk_import", args=[job.pk])
    assert answer.headers["Location"] == address
    assert "It waits for a worker." in client.get(address).content.decode()
    operations.run_import(job_id=job.pk, now=NOW)
    page = client.get(address).content.decode()
    assert "There is neither config.json nor adapter_config.json" in page
    assert "<form method" not in page.split("How far it is")[1].split("What was asked for")[0]
    waits = asked(story, server)
    assert client.post(reverse("admin:desk_import_cancel", args=[waits])).status_code == 302
    assert not operations.run_import(job_id=waits, now=NOW)
    assert "Nothing was registered." in client.get(reverse("admin:desk_import", args=[waits])).content.decode()
    listed = client.get(reverse("admin:governance_importjob_changelist")).content.decode()
    assert address in listed
    done = asked(story, server)
    assert operations.run_import(job_id=done, now=NOW)
    own = reverse("admin:desk_model_version", args=[queries.import_view(done).result.partition(":")[2]])
    assert f'href="{own}"' in client.get(reverse("admin:desk_import", args=[done])).content.decode()
    versions = client.get(reverse("admin:governance_modelversion_changelist")).content.decode()
    assert reverse("admin:governance_importjob_changelist") in versions
    auditor = browser(story.bystander)
    assert "Only members of the pools" in auditor.get(reverse("admin:desk_import_new")).content.decode()
    assert auditor.post(reverse("admin:desk_import_new"), sent).status_code == 400


def test_over_rest_and_by_command(story: Story, server: ModelServer) -> None:
    pipeline = Pipeline(story)
    body = {"address": f"{server.url}a", "name": "Sent", "version": "1"}
    made = pipeline.post(reverse("api-imports"), body)
    assert made.status_code == 201, made.content
    address = reverse("api-import", args=[made.json()["id"]])
    assert pipeline.get(address).json()["state"] == "queued"
    assert operations.run_import(job_id=UUID(made.json()["id"]), now=NOW)
    found = pipeline.get(address).json()
    assert found["state"] == "done"
    version = ModelVersion.objects.get(pk=found["result"].partition(":")[2])
    assert version.registered_by == f"service:{story.service.id}"
    assert [item["id"] for item in pipeline.get(reverse("api-imports")).json()["imports"]] == [found["id"]]
    cancel = reverse("api-import-cancel", args=[found["id"]])
    assert (pipeline.post(cancel, {}).status_code, pipeline.post(cancel, {}).json()["field"]) == (400, "state")
    assert pipeline.post(reverse("api-import-cancel", args=[uuid4()]), {}).status_code == 404
    assert (
        pipeline.post(reverse("api-imports"), {**body, "address": "https://evil.example/"}).json()["field"] == "address"
    )
    said = ["--as", "watanabe", "--release", "1"]
    out = StringIO()
    call_command("import_model", "--url", f"{server.url}a", "--name", "Typed", *said, stdout=out)
    assert out.getvalue().startswith("Registered as model_version:")
    with pytest.raises(CommandError, match="neither"):
        call_command("import_model", "--url", f"{server.url}x", "--name", "Typed", *said, stdout=out)
    with pytest.raises(CommandError, match="Give either"):
        call_command("import_model", "--name", "Typed", *said, stdout=out)
