"""Addresses of the registry and of approvals, below /api/v1/."""

from django.urls import path

from governance.api import adapters, approvals, asof, registry, usecases

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
    path("registry/<str:kind>", asof.ObjectsAt.as_view(), name="api-registry"),
    path("registry/<str:kind>/<uuid:subject_id>", asof.ObjectAt.as_view(), name="api-registry-object"),
    path("registry/<str:kind>/<uuid:subject_id>/history", asof.ObjectHistory.as_view(), name="api-registry-history"),
    path("search", asof.Search.as_view(), name="api-search"),
    path("deployments", approvals.Deployments.as_view(), name="api-deployments"),
    path("requests", approvals.Requests.as_view(), name="api-requests"),
    path("requests/<uuid:request_id>", approvals.OneRequest.as_view(), name="api-request"),
    path("requests/<uuid:request_id>/decision", approvals.Decisions.as_view(), name="api-decision"),
    path("approvals/<str:revision_digest>", approvals.Approvals.as_view(), name="api-approval"),
]
