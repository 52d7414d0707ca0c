"""Every write of reports: ask, render, attach the receipt, download. PDF work is outside any transaction."""

from reports.operations.advancing import Advanced, advance
from reports.operations.downloads import Download, DownloadRefused, NotYours, download, open_download
from reports.operations.finishing import finish_report
from reports.operations.rendering import render_report
from reports.operations.requests import NoCheckpoint, Refused, UnknownDeployment, request_report

__all__ = [
    "Advanced",
    "Download",
    "DownloadRefused",
    "NoCheckpoint",
    "NotYours",
    "Refused",
    "UnknownDeployment",
    "advance",
    "download",
    "finish_report",
    "open_download",
    "render_report",
    "request_report",
]
