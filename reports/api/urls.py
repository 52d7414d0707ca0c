"""Addresses: `urlpatterns` below /api/v1/, `download_patterns` at the root of the site."""

from django.urls import path

from reports.api import files, views

urlpatterns = [
    path("reports", views.Reports.as_view(), name="api-reports"),
    path("reports/<uuid:report_id>", views.ReportView.as_view(), name="api-report"),
    path("reports/<uuid:report_id>/download", views.DownloadView.as_view(), name="api-report-download"),
]
download_patterns = [path("reports/download/<str:signed>/", files.fetch, name="report-download")]
