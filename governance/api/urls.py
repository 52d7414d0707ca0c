"""Addresses of the registry and of approvals, below /api/v1/."""

from django.urls import path

from governance.api import adapters, approvals, deciding, hooks, notified, policies, registry, usecases
from governance.api import datasets as data
from governance.api import evaluations as evaluating
from governance.api import evidence as evidencing

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
    path("datasets", data.Datasets.as_view(), name="api-datasets"),
    path("datasets/<uuid:dataset_id>", data.OneDataset.as_view(), name="api-dataset"),
    path("datasets/<uuid:dataset_id>/versions", data.DatasetVersions.as_view(), name="api-dataset-versions"),
    path("dataset-uses", data.DatasetUses.as_view(), name="api-dataset-uses"),
    path("evaluations", evaluating.Evaluations.as_view(), name="api-evaluations"),
    path("evaluations/<uuid:evaluation_id>", evaluating.OneEvaluation.as_view(), name="api-evaluation"),
    path("thresholds", evaluating.Thresholds.as_view(), name="api-thresholds"),
    path("evidence", evidencing.EvidenceItems.as_view(), name="api-evidence"),
    path("evidence/<uuid:evidence_id>", evidencing.OneEvidence.as_view(), name="api-one-evidence"),
    path(
        "evidence/<uuid:evidence_id>/revocation",
        evidencing.EvidenceRevocations.as_view(),
        name="api-evidence-revocation",
    ),
    path("deployments", approvals.Deployments.as_view(), name="api-deployments"),
    path("requests", approvals.Requests.as_view(), name="api-requests"),
    path("requests/<uuid:request_id>", approvals.OneRequest.as_view(), name="api-request"),
    path("requests/<uuid:request_id>/decision", approvals.Decisions.as_view(), name="api-decision"),
    path("requests/<uuid:request_id>/withdrawal", deciding.Withdrawals.as_view(), name="api-withdrawal"),
    path("requests/<uuid:request_id>/revocation", deciding.Revocations.as_view(), name="api-revocation"),
    path("requests/<uuid:request_id>/conditions", deciding.Conditions.as_view(), name="api-conditions"),
    path(
        "requests/<uuid:request_id>/conditions/<int:number>/met",
        deciding.ConditionMet.as_view(),
        name="api-condition-met",
    ),
    path("approval-policies", policies.ApprovalPolicies.as_view(), name="api-approval-policies"),
    path(
        "approval-policies/<uuid:policy_id>/decision",
        policies.ApprovalPolicyDecisions.as_view(),
        name="api-approval-policy-decision",
    ),
    path("notifications", notified.NotificationList.as_view(), name="api-notifications"),
    path("notifications/read", notified.NotificationsRead.as_view(), name="api-notifications-read"),
    path(
        "notifications/<uuid:notification_id>/read",
        notified.NotificationRead.as_view(),
        name="api-notification-read",
    ),
    path(
        "notification-preferences",
        notified.NotificationPreferences.as_view(),
        name="api-notification-preferences",
    ),
    path("webhooks", hooks.Webhooks.as_view(), name="api-webhooks"),
    path("webhooks/<uuid:webhook_id>", hooks.OneWebhook.as_view(), name="api-webhook"),
    path("webhooks/<uuid:webhook_id>/secret", hooks.WebhookSecrets.as_view(), name="api-webhook-secret"),
    path("webhooks/<uuid:webhook_id>/test", hooks.WebhookTests.as_view(), name="api-webhook-test"),
    path("webhooks/<uuid:webhook_id>/deliveries", hooks.WebhookDeliveries.as_view(), name="api-webhook-deliveries"),
    path(
        "webhook-deliveries/<uuid:delivery_id>/again",
        hooks.DeliveriesAgain.as_view(),
        name="api-webhook-delivery-again",
    ),
    path("approvals/<str:revision_digest>", approvals.Approvals.as_view(), name="api-approval"),
]
