"""Publishing: the log as static files, on a disk or in object storage, that anybody can check."""

from audit.publishing.folder import FolderStore
from audit.publishing.process import PublisherRuns, run
from audit.publishing.s3 import S3Store
from audit.publishing.status import FILE, Status, read_status
from audit.publishing.store import Store, StoreError, cache_control, content_type

__all__ = [
    "FILE",
    "FolderStore",
    "PublisherRuns",
    "S3Store",
    "Status",
    "Store",
    "StoreError",
    "cache_control",
    "content_type",
    "read_status",
    "run",
]
