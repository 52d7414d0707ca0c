"""Addresses of the registry and of approvals, below /api/v1/."""

from django.urls import path

from governance.api import adapters, approvals, registry

urlpatterns = [
    path("models", registry.Models.as_view(), name="api-models"),
    path("model-versions", registry.ModelVersions.as_view(), name="api-model-versions"),
    path("adapters", adapters.Adapters.as_view(), name="api-adapters"),
    path("gpu-models", registry.GpuModels.as_view(), name="api-gpu-models"),
    path("gpu-pools", registry.GpuPools.as_view(), name="api-gpu-pools"),
    path("deployments", approvals.Deployments.as_view(), name="api-deployments"),
    path("requests", approvals.Requests.as_view(), name="api-requests"),
    path("requests/<uuid:request_id>", approvals.OneRequest.as_view(), name="api-request"),
    path("requests/<uuid:request_id>/decision", approvals.Decisions.as_view(), name="api-decision"),
    path("approvals/<str:revision_digest>", approvals.Approvals.as_view(), name="api-approval"),
]
