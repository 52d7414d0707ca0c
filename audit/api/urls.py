"""Addresses of the ledger's REST interface, below /api/v1/."""

from django.urls import path

from audit.api import events, log, sections, usage

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
]
