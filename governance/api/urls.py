"""Addresses of the registry and of approvals, below /api/v1/."""

from django.urls import path

from governance.api import adapters, approvals, changes, lineage, registry, standing, usecases

urlpatterns = [
    path("models", registry.Models.as_view(), name="api-models"),
    path("model-versions", registry.ModelVersions.as_view(), name="api-model-versions"),
    path("adapters", adapters.Adapters.as_view(), name="api-adapters"),
    path("gpu-models", registry.GpuModels.as_view(), name="api-gpu-models"),
    path("gpu-pools", registry.GpuPools.as_view(), name="api-gpu-pools"),
    path("use-cases", usecases.UseCases.as_view(), name="api-use-cases"),
    path("use-cases/<uuid:use_case_id>", usecases.OneUseCase.as_view(), name="api-use-case"),
    path(
        "use-cases/<uuid:use_case_id>/classifications",
        usecases.Classifications.as_view(),
        name="api-classifications",
    ),
    path("classification-tree", usecases.ClassificationTree.as_view(), name="api-classification-tree"),
    path("models/<uuid:model_id>", changes.OneModel.as_view(), name="api-model"),
    path("gpu-pools/<uuid:pool_id>", changes.OneGpuPool.as_view(), name="api-gpu-pool"),
    path("deployments/<uuid:deployment_id>", changes.OneDeployment.as_view(), name="api-deployment"),
    path("agents/<uuid:agent_id>", changes.OneAgent.as_view(), name="api-agent"),
    path("model-versions/<uuid:version_id>/family", lineage.Families.as_view(), name="api-family"),
    path("artefacts", lineage.Artefacts.as_view(), name="api-artefacts"),
    path("model-relations", lineage.Relations.as_view(), name="api-relations"),
    path("quantisations", lineage.Quantisations.as_view(), name="api-quantisations"),
    path("standing", standing.Standings.as_view(), name="api-standing"),
    path("deployments", approvals.Deployments.as_view(), name="api-deployments"),
    path("requests", approvals.Requests.as_view(), name="api-requests"),
    path("requests/<uuid:request_id>", approvals.OneRequest.as_view(), name="api-request"),
    path("requests/<uuid:request_id>/decision", approvals.Decisions.as_view(), name="api-decision"),
    path("approvals/<str:revision_digest>", approvals.Approvals.as_view(), name="api-approval"),
]
