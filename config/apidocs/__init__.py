"""The API reference: the OpenAPI document read into plain rows that a template can print."""

from config.apidocs.document import document, document_json
from config.apidocs.reference import read, reference

__all__ = ["document", "document_json", "read", "reference"]
