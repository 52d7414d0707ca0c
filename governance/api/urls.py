"""Addresses of the registry and of approvals, below /api/v1/."""

from django.urls import path

from governance.api import adapters, approvals, documents, imports, registry, usecases

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
    path("deployments", approvals.Deployments.as_view(), name="api-deployments"),
    path("requests", approvals.Requests.as_view(), name="api-requests"),
    path("requests/<uuid:request_id>", approvals.OneRequest.as_view(), name="api-request"),
    path("requests/<uuid:request_id>/decision", approvals.Decisions.as_view(), name="api-decision"),
    path("model-versions/<uuid:version_id>/ml-bom", documents.VersionBom.as_view(), name="api-version-bom"),
    path("model-versions/<uuid:version_id>/model-card", documents.VersionCard.as_view(), name="api-version-card"),
    path("adapters/<uuid:adapter_id>/ml-bom", documents.AdapterBom.as_view(), name="api-adapter-bom"),
    path("adapters/<uuid:adapter_id>/model-card", documents.AdapterCard.as_view(), name="api-adapter-card"),
    path("deployments/<uuid:deployment_id>/ml-bom", documents.DeploymentBom.as_view(), name="api-deployment-bom"),
    path("imports", imports.Imports.as_view(), name="api-imports"),
    path("imports/<uuid:import_id>", imports.OneImport.as_view(), name="api-import"),
    path("imports/<uuid:import_id>/cancel", imports.CancelImport.as_view(), name="api-import-cancel"),
    path("approvals/<str:revision_digest>", approvals.Approvals.as_view(), name="api-approval"),
]
