"""A full deployment transparency report as a dataset: every section, every field state, Japanese names."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any

from reports.dataset import (
    Approval,
    Checkpoint,
    Comparison,
    ComparisonOption,
    Field,
    FieldGroup,
    FieldState,
    Finding,
    Fit,
    Gap,
    HardwareWindow,
    LeftOut,
    MemoryTerm,
    Person,
    RegisterRow,
    Renderer,
    Report,
    ToolCall,
    UsageWindow,
)

GIB = 1024**3
DAY = "2026-11-23T"
DEPLOYMENT = "deployment:0b0f6c1e-62a7-4f0c-9d0f-3f3c2f3f9a10"
DIGEST = hashlib.sha256(b"revision").hexdigest()
WATANABE = Person(id="person:6a1f0c52-0000-4000-8000-000000000001", name="渡辺 健 (Ken Watanabe)")
OKAFOR = Person(id="person:6a1f0c52-0000-4000-8000-000000000002", name="Rosa Okafor")
MORI = Person(id="person:6a1f0c52-0000-4000-8000-000000000003", name="Aiko Mori")


def provided(key: str, value: str | int, *entries: int, unit: str = "") -> Field:
    return Field(key=key, state=FieldState.PROVIDED, value=value, unit=unit, entries=entries)


def groups() -> tuple[FieldGroup, ...]:
    deployment = (
        provided("name", "Claims summariser", 9),
        provided("purpose", "Summarise claim files for a human adjuster. Not for payout decisions.", 9),
        provided("environment", "production", 9),
        Field(key="risk_tier", state=FieldState.WITHHELD, reason="Restricted to the risk committee", entries=(9,)),
    )
    revision = (
        provided("revision_digest", DIGEST, 10, unit="sha256"),
        provided("engine", "vLLM 0.11.0", 10),
        provided("serving_arguments", "--max-model-len 32768 --max-num-seqs 32 --kv-cache-dtype fp8", 10, unit="code"),
        provided("context", 32768, 10, unit="tokens"),
        provided("concurrency", 32, 10, unit="sequences"),
        provided("reasoning_cap", 4096, 10, unit="tokens"),
        Field(key="quantisation", state=FieldState.NOT_APPLICABLE, reason="Served in the published precision"),
    )
    version = (
        provided("version", "Qwen/Qwen3-14B", 6),
        provided("architecture", "Qwen3ForCausalLM", 6),
        Field(
            key="parameters",
            state=FieldState.DERIVED,
            value=14_768_307_200,
            unit="parameters",
            reason="From config.json: 40 layers of 5,120, vocabulary 151,936",
            entries=(6,),
        ),
        provided("max_context", 40960, 6, unit="tokens"),
        provided("weight_bytes", 29_536_614_400, 6, unit="bytes"),
        provided("licence", "Apache-2.0", 6),
        Field(key="training_data", state=FieldState.MISSING),
    )
    pool = (
        provided("name", "東京第2データセンター (Tokyo DC-2), rack 14", 8),
        provided("gpu_model", "NVIDIA H100 80GB SXM5", 7, 8),
        provided("gpu_count", 1, 8),
        provided("memory_bytes", 85_520_809_984, 7, unit="bytes"),
        provided("hosting", "on_prem", 8, unit="word"),
    )
    parts = (("deployment", deployment), ("revision", revision), ("model_version", version), ("gpu_pool", pool))
    return tuple(
        FieldGroup(key=key, subject=f"{key}:0b0f6c1e-62a7-4f0c-9d0f-3f3c2f3f9a1{n}", fields=fields)
        for n, (key, fields) in enumerate(parts)
    )


def fit() -> Fit:
    terms = (
        MemoryTerm(name="weights", bytes=29_536_614_400, how="14.77 billion parameters x 2 bytes (bf16)"),
        MemoryTerm(
            name="kv_cache",
            bytes=42_949_672_960,
            how="2 x 40 layers x 8 heads x 128 x 1 byte (fp8) x 32,768 tokens x 16 sequences at once",
        ),
        MemoryTerm(name="activations", bytes=2_147_483_648, how="Largest layer at 8,192 batched tokens"),
        MemoryTerm(name="runtime", bytes=1_610_612_736, how="CUDA context, NCCL, graphs"),
    )
    need = sum(term.bytes for term in terms)
    return Fit(
        terms=terms,
        need_bytes=need,
        usable_bytes=int(85_520_809_984 * 0.92),
        low_bytes=int(need * 0.96),
        high_bytes=int(need * 1.05),
        verdict="tight",
        assumptions=("prefix cache off", "chunked prefill 8,192 tokens", "0.92 of the memory is given to the engine"),
        formula_version="inference-1",
        measured_peak_bytes=69_800_000_000,
        entry=11,
    )


def approvals() -> tuple[Approval, ...]:
    steps = (
        ("submitted", WATANABE, "09:02:11", "Replaces the summaries made by hand; pilot ended on 14 November.", 11),
        ("rejected", OKAFOR, "09:20:40", "No reasoning cap stated.", 13),
        ("submitted", WATANABE, "09:41:03", "Reasoning cap of 4,096 tokens added.", 15),
        ("approved", OKAFOR, "09:58:27", "Fits with the cap; 監査部 agrees. Review again in six months.", 17),
    )
    return tuple(
        Approval(
            request=f"request:0b0f6c1e-62a7-4f0c-9d0f-3f3c2f3f9b{entry}",
            step=step,
            person=person,
            at=f"{DAY}{clock}.120000Z",
            reason=reason,
            digest=DIGEST,
            entry=entry,
        )
        for step, person, clock, reason, entry in steps
    )


def usage(windows: int = 18) -> tuple[UsageWindow, ...]:
    found = []
    for n in range(windows):
        output = 41_000 + 9_000 * ((n * 7) % 5) + 1_300 * n
        found.append(
            UsageWindow(
                source="nothing" if n == 7 else "counted",
                start=f"{DAY}{10 + n // 12:02}:{(n % 12) * 5:02}:00.000000Z",
                end=f"{DAY}{10 + (n + 1) // 12:02}:{((n + 1) % 12) * 5:02}:00.000000Z",
                requests=None if n == 7 else 118 + 11 * (n % 6),
                input_tokens=None if n == 7 else 160_000 + 12_000 * (n % 4),
                output_tokens=None if n == 7 else output,
                reasoning_tokens=None if n == 7 else output * (22 + 3 * (n % 4)) // 100,
                reasoning_max=5_210 if n == 9 else None,
                complete=n != 7,
                entry=20 + 3 * n,
            )
        )
    return tuple(found)


def hardware(windows: int = 18) -> tuple[HardwareWindow, ...]:
    found = []
    for n in range(windows):
        for device, base in (("GPU 0, H100 80GB", 468_000), ("Host gpu-014", 310_000)):
            seen = n != 7
            power = base + 21_000 * ((n * 5) % 4)
            found.append(
                HardwareWindow(
                    device=device,
                    start=f"{DAY}{10 + n // 12:02}:{(n % 12) * 5:02}:00.000000Z",
                    end=f"{DAY}{10 + (n + 1) // 12:02}:{((n + 1) % 12) * 5:02}:00.000000Z",
                    samples=60 if seen else 0,
                    power_mean_mw=power if seen else None,
                    power_max_mw=power + 84_000 if seen else None,
                    memory_peak_bytes=69_000_000_000 + 40_000_000 * n if seen and "GPU" in device else None,
                    utilisation_mean_permille=610 + 9 * n if seen and "GPU" in device else None,
                    energy_mj=power * 300 if seen else None,
                    energy_estimated="Host" in device,
                    energy_plausible=n != 3 if "GPU" in device else None,
                    complete=seen,
                    entry=21 + 3 * n,
                )
            )
    return tuple(found)


def comparison() -> Comparison:
    def option(name: str, hosting: str, mid: int, per_million: str, prices: str) -> ComparisonOption:
        return ComparisonOption(
            name=name,
            hosting=hosting,
            low=f"{mid * 0.85:.2f}",
            mid=f"{mid}.00",
            high=f"{mid * 1.2:.2f}",
            cost_per_million=per_million,
            reasoning_share="0.260",
            prices=prices,
            chosen=hosting == "on_prem",
        )

    return Comparison(
        title="Own H100, rented H100, or an API",
        currency="JPY",
        tokens_per_month=1_320_000_000,
        break_even_tokens=588_571_428,
        cheapest="Own cards",
        options=(
            option("Own cards", "on_prem", 412_000, "312.121", "Quotation of 1 November 2026"),
            option("Cloud cards", "cloud", 655_200, "496.364", "Price list of 1 November 2026"),
            option("Large model by API", "api", 924_000, "700.000", "Price list of 1 November 2026"),
        ),
        formula_version="cost-1",
        entry=12,
    )


def register() -> tuple[RegisterRow, ...]:
    kinds = {
        6: "model_version.registered",
        7: "gpu_model.registered",
        8: "gpu_pool.registered",
        9: "deployment.registered",
        10: "revision.created",
        11: "request.submitted",
        12: "comparison.recorded",
        13: "request.rejected",
        15: "request.submitted",
        17: "request.approved",
        41: "coverage.gap",
        75: "agent.tool_call",
        76: "agent.tool_call",
        77: "finding.raised",
    }
    rows = []
    for index in range(6, 78):
        kind = kinds.get(index) or (
            "window.usage" if index % 3 == 2 else "window.hardware" if index % 3 == 0 else "usage.reported"
        )
        rows.append(
            RegisterRow(
                index=index,
                received_at=f"{DAY}{9 + index // 30:02}:{(index * 2) % 60:02}:07.004512Z",
                type=kind,
                actor="Rosa Okafor"
                if "approved" in kind or "rejected" in kind
                else "渡辺 健"
                if "request" in kind
                else "collector",
                subject="Claims summariser" if index % 2 else "gpu_pool 0b0f6c1e",
                leaf_hash=hashlib.sha256(bytes([index])).hexdigest(),
                withheld=("personal",) if index == 13 else (),
            )
        )
    return tuple(rows)


def checkpoint() -> Checkpoint:
    root = hashlib.sha256(b"root").digest()
    origin = "assay.example/demo"
    signature = b64encode(hashlib.sha512(b"key").digest() + b"\x00\x01\x02\x03").decode()
    return Checkpoint(
        origin=origin,
        size=1342,
        root=root.hex(),
        note=f"{origin}\n1342\n{b64encode(root).decode()}\n\n— {origin} {signature}\n",
        key_name=origin,
        key_fingerprint=hashlib.sha256(b"key").hexdigest(),
    )


def tool_calls() -> tuple[ToolCall, ...]:
    told = (
        ("10:12:05", "crm.claim.read", "no_side_effect", True, "succeeded", 75),
        ("10:12:09", "mail.send", "side_effect", False, "refused by the gateway", 76),
    )
    return tuple(
        ToolCall(
            at=f"{DAY}{clock}.000000Z",
            agent="Claims agent",
            tool=tool,
            effect=effect,
            granted=granted,
            outcome=outcome,
            entry=entry,
        )
        for clock, tool, effect, granted, outcome, entry in told
    )


def finding() -> Finding:
    return Finding(
        severity="high",
        kind="reasoning_cap_exceeded",
        detail="Window 10:45: one request used 5,210 reasoning tokens; the revision caps them at 4,096.",
        at=f"{DAY}10:51:02.000000Z",
        evidence=47,
        entry=77,
    )


def gap() -> Gap:
    return Gap(
        target="vllm at gpu-014:8000",
        start=f"{DAY}10:35:00.000000Z",
        end=f"{DAY}10:40:00.000000Z",
        reason="The exporter did not answer (connection refused)",
        entry=41,
    )


def sample(**changes: Any) -> Report:
    """The report, with `changes` to its fields."""
    content: dict[str, Any] = {
        "report": "report:7d7f0a7e-2f0b-4b7f-8a39-0f6d6f3d2b11",
        "language": "en",
        "organisation": "Aozora Financial Group",
        "classification": "Restricted to named auditors",
        "title": "Claims summariser",
        "issued_at": f"{DAY}12:00:00.000000Z",
        "prepared_for": MORI,
        "checkpoint": checkpoint(),
        "groups": groups(),
        "fit": fit(),
        "approvals": approvals(),
        "usage": usage(),
        "usage_older": False,
        "hardware": hardware(),
        "hardware_older": True,
        "tool_calls": tool_calls(),
        "comparisons": (comparison(),),
        "findings": (finding(),),
        "gaps": (gap(),),
        "register": register(),
        "register_total": 72,
        "left_out": LeftOut(findings=3),
        "renderer": Renderer(
            template="deployment-transparency 1",
            versions=(("weasyprint", "70.0"),),
            fonts=(("IBMPlexSans-Regular.ttf", "00" * 32),),
        ),
        **changes,
    }
    return Report(**content)
