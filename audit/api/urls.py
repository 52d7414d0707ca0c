"""Addresses of the ledger's REST interface, below /api/v1/."""

from django.urls import path

from audit.api import events, log, people, sections, tokens, usage

urlpatterns = [
    path("events", events.Events.as_view(), name="api-events"),
    path("usage", usage.UsageView.as_view(), name="api-usage"),
    path("entries", log.EntriesView.as_view(), name="api-entries"),
    path("entries/<int:index>", log.EntryView.as_view(), name="api-entry"),
    path("entries/<int:index>/sections/<str:name>", sections.SectionView.as_view(), name="api-section"),
    path("entries/<int:index>/receipt", log.ReceiptView.as_view(), name="api-receipt"),
    path("log/checkpoint", log.CheckpointView.as_view(), name="api-checkpoint"),
    path("log/consistency", log.ConsistencyView.as_view(), name="api-consistency"),
    path("bundles", log.BundleView.as_view(), name="api-bundles"),
    path("pools", people.Pools.as_view(), name="api-pools"),
    path("pool-changes", people.PoolChanges.as_view(), name="api-pool-changes"),
    path("pool-changes/<uuid:change_id>", people.OnePoolChange.as_view(), name="api-pool-change"),
    path("pool-changes/<uuid:change_id>/decision", people.Decision.as_view(), name="api-pool-change-decision"),
    path("service-accounts", tokens.ServiceAccounts.as_view(), name="api-service-accounts"),
    path("service-accounts/<uuid:service_id>", tokens.OneServiceAccount.as_view(), name="api-service-account"),
    path("service-accounts/<uuid:service_id>/tokens", tokens.Tokens.as_view(), name="api-tokens"),
    path("tokens/<uuid:token_id>/rotation", tokens.Rotation.as_view(), name="api-token-rotation"),
    path("tokens/<uuid:token_id>/revocation", tokens.Revocation.as_view(), name="api-token-revocation"),
]
