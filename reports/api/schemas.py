"""Shapes of the REST answers, for the OpenAPI document."""

from rest_framework import serializers


class ReportRequestSchema(serializers.Serializer[dict[str, object]]):
    """Which deployment a report is asked for."""

    deployment = serializers.CharField(help_text="Its id, with or without `deployment:` before it.")


class ReportSchema(serializers.Serializer[dict[str, object]]):
    """A report and how far it is."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    deployment = serializers.CharField()
    tree_size = serializers.IntegerField(help_text="The signed state it is made from.")
    language = serializers.CharField()
    classification = serializers.CharField()
    requested_by = serializers.CharField()
    requested_at = serializers.DateTimeField()
    state = serializers.CharField(help_text="queued, rendering, rendered (waits for its receipt), ready or failed.")
    failure = serializers.CharField(allow_blank=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    revision1_sha256 = serializers.CharField(allow_blank=True, help_text="As its report.rendered entry has it.")
    sha256 = serializers.CharField(allow_blank=True, help_text="Of the file with its receipt.")
    size = serializers.IntegerField(allow_null=True)


class ReportListSchema(serializers.Serializer[dict[str, object]]):
    """Reports, newest first."""

    reports = ReportSchema(many=True)


class DownloadSchema(serializers.Serializer[dict[str, object]]):
    """Where the file can be fetched."""

    url = serializers.URLField(help_text="Valid for 60 seconds.")
