"""Transfer: a log as a folder that outlives the server, and back."""

from audit.transfer.exporting import Exported, ExportRefused, export_log
from audit.transfer.importing import import_log
from audit.transfer.loading import Loaded
from audit.transfer.reading import ImportRefused

__all__ = ["ExportRefused", "Exported", "ImportRefused", "Loaded", "export_log", "import_log"]
