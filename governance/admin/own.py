"""Which kinds have a page of their own for what a thing is now, and where it is."""

from types import MappingProxyType
from typing import Final
from uuid import UUID

from django.urls import reverse

OWN_PAGES: Final = MappingProxyType(
    {
        "adapter": "admin:desk_adapter",
        "agent": "admin:desk_agent",
        "approval_policy": "admin:desk_policy",
        "dataset": "admin:desk_dataset",
        "deployment": "admin:desk_deployment",
        "evaluation_run": "admin:desk_evaluation",
        "evidence": "admin:desk_evidence",
        "gpu_node": "admin:desk_node",
        "gpu_pool": "admin:desk_pool",
        "model": "admin:desk_model",
        "model_version": "admin:desk_model_version",
        "request": "admin:desk_review",
        "tool": "admin:desk_tool",
        "use_case": "admin:desk_use_case",
    }
)
"""The page of one thing of a kind; each takes its id and nothing else."""


def page_of(kind: str, pk: UUID) -> str:
    """The address of the page of a thing; empty where its kind has none."""
    return reverse(OWN_PAGES[kind], args=[pk]) if kind in OWN_PAGES else ""
