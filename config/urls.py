"""Addresses of the whole site; each app brings its own list."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from config import pages, publiclog
from reports.api.urls import download_patterns

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("audit.api.urls")),
    path("api/v1/", include("governance.api.urls")),
    path("api/v1/", include("reports.api.urls")),
    *publiclog.urlpatterns,
    *pages.urlpatterns,
    *download_patterns,
]
if settings.DEMO:
    urlpatterns.append(path("", include("demo.views")))
else:
    urlpatterns.append(path("", RedirectView.as_view(pattern_name="admin:index"), name="home"))

handler500 = "config.pages.server_error"
