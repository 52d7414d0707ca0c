"""Reports in the admin: the list with its form, one report, and the download.

`pages`: route below /admin/, view, name; the site puts them behind a log-in.
"""

from reports.admin import pages as views

pages = (
    ("reports/", views.report_list, "reports"),
    ("reports/export/", views.reports_export, "reports_export"),
    ("reports/<uuid:report_id>/", views.report_detail, "report"),
    ("reports/<uuid:report_id>/download/", views.report_download, "report_download"),
)

__all__ = ["pages"]
