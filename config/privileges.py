"""What each database role may do with each table: the design that the migrations carry out, one list for all rooms.

`manage.py ledger_roles` prints it as SQL, and a test compares it with what the migrations leave behind. Whoever adds
a table that is not an ordinary one adds a line here.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

Rights = frozenset[str]

READ: Final[Rights] = frozenset({"SELECT"})
ADD: Final[Rights] = READ | {"INSERT"}
KEEP: Final[Rights] = ADD | {"UPDATE"}
ALL: Final[Rights] = KEEP | {"DELETE"}
NONE: Final[Rights] = frozenset()

ORDINARY: Final[Mapping[str, Rights]] = MappingProxyType({"app": ALL, "signer": NONE, "reader": READ})
"""What a table gets that is not named below, and every table of a later migration until it says otherwise."""

SEQUENCES: Final[Mapping[str, Rights]] = MappingProxyType({"app": frozenset({"USAGE", "SELECT"})})
"""What every sequence gives, those to come included."""

SIGNER_SEQUENCES: Final = ("alarm_id_seq", "thaw_id_seq")
KEPT_FROM_APP: Final = ("thaw_id_seq",)

FUNCTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "telemetry_partitions(timestamptz)": ("app",),
        "erase_section(uuid)": ("app",),
        "import_erasure(bigint, text, bigint)": (),
    }
)
"""Functions that act as the owner, and who may call them."""

_APP: Final[Mapping[str, Rights]] = MappingProxyType(
    {
        # The log: rows are added and never changed; the head moves forward; the signer's tables are only read.
        **dict.fromkeys(("entry", "section", "tile", "event_key", "alarm", "token_day"), ADD),
        "head": READ | {"UPDATE"},
        **dict.fromkeys(("checkpoint", "signer_lease", "key_statement", "thaw", "django_migrations"), READ),
        **dict.fromkeys(("notice", "notice_attempt"), ADD),
        # Who may decide is judged by the name of a group and by membership: no group is renamed.
        "auth_group": ADD,
        # Erasures: the app asks, decides and holds; what is gone is written by `erase_section` alone.
        **dict.fromkeys(("erasure_request", "erasure_decision", "legal_hold", "hold_release"), ADD),
        **dict.fromkeys(("erasure", "retention_floor"), READ),
        # Records and what seals them.
        **dict.fromkeys(("usage_record", "hardware_sample", "slot_outcome", "usage_key", "sealed_window"), ADD),
        **dict.fromkeys(("target", "target_state", "coverage_gap", "seal_cursor"), KEEP),
        # The registry: what was decided stays, what lives on may change, nothing is deleted.
        **dict.fromkeys(
            (
                *("model_version", "adapter", "revision", "decision", "tool_grant", "comparison", "finding"),
                "classification",
                *("request_stage", "request_exclusion", "sealed_decision"),
                "request_evidence",
                "reapproval_trigger",
                *("model_artefact", "model_relation", "quantisation", "standing"),
            ),
            ADD,
        ),
        **dict.fromkeys(
            ("model", "gpu_model", "gpu_pool", "deployment", "approval_request", "agent", "use_case", "log_cursor"),
            KEEP,
        ),
        **dict.fromkeys(("condition", "approval_policy"), KEEP),
        **dict.fromkeys(
            (
                *("dataset_version", "dataset_use", "metric_threshold", "evaluation_run", "metric"),
                *("evidence", "evidence_revocation"),
            ),
            ADD,
        ),
        "dataset": KEEP,
        **dict.fromkeys(("notification", "notification_preference", "notification_digest"), KEEP),
        **dict.fromkeys(("webhook_endpoint", "webhook_delivery"), KEEP),
        "report": KEEP,
        # Agents, tools, hardware and oversight.
        **dict.fromkeys(
            (
                *("agent_version", "tool_version", "tool_grant_revocation", "gpu_device", "mig_slice", "pool_device"),
                *("oversight_assignment", "oversight_end"),
            ),
            ADD,
        ),
        **dict.fromkeys(("tool", "gpu_node"), KEEP),
        "import_job": KEEP,
        # People: what was changed stays; a membership goes only by a carried-out change of its pool (trigger).
        **dict.fromkeys(("session_refusal", "refusal_window"), ADD),
        **dict.fromkeys(("pool_change", "account", "person", "source", "service_account", "token"), KEEP),
        "account_groups": ADD | {"DELETE"},
    }
)
_SIGNER: Final[Mapping[str, Rights]] = MappingProxyType(
    {
        **dict.fromkeys(("entry", "head"), READ),
        **dict.fromkeys(("checkpoint", "alarm", "key_statement", "thaw"), ADD),
        "signer_lease": KEEP,
    }
)
# A session key is a log-in, a token row opens a pipeline: neither is evidence, so the reader sees none. What is sealed
# is nobody's to see before its stage is opened, and stands in the ledger then.
_READER: Final[Mapping[str, Rights]] = MappingProxyType(
    {
        **dict.fromkeys(("token", "account", "django_session", "sealed_decision"), NONE),
        # Secrets that sign, and addresses that may hold a key; what people are told is theirs.
        **dict.fromkeys(("webhook_endpoint", "notification", "notification_preference", "notification_digest"), NONE),
    }
)

_NAMED: Final = MappingProxyType({"app": _APP, "signer": _SIGNER, "reader": _READER})


def rights(role: str, table: str) -> Rights:
    """What `role` (app, signer or reader) may do with `table`. Partitions give nobody anything: ask their parent."""
    return _NAMED[role].get(table, ORDINARY[role])


def named(tables: Iterable[str]) -> list[str]:
    """Tables that the design names and `tables` lacks: nobody made them, or they have another name now."""
    known = set(tables)
    return sorted({table for of_role in _NAMED.values() for table in of_role} - known)
