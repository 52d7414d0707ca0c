"""XMP metadata that claims PDF/A-3a and PDF/UA-1 in one packet, with our ledger properties.

WeasyPrint writes one variant per file, and its own hook for more XMP would add a second `rdf:RDF`, which PDF/A
forbids; so our descriptions are put inside the one it wrote. PDF/A also wants every foreign property declared
(extension schema).
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from weasyprint.document import DocumentMetadata
from weasyprint.pdf.metadata import NS

LEDGER = "https://assay.example/ns/report/1.0/"
SCHEMA = "http://www.aiim.org/pdfa/ns/schema#"
PROPERTY = "http://www.aiim.org/pdfa/ns/property#"
EXTENSION = "http://www.aiim.org/pdfa/ns/extension/"
RDF = NS["rdf"]

for prefix, uri in (
    ("ledger", LEDGER),
    ("pdfaExtension", EXTENSION),
    ("pdfaSchema", SCHEMA),
    ("pdfaProperty", PROPERTY),
):
    register_namespace(prefix, uri)


def _description() -> Element:
    return Element(f"{{{RDF}}}Description", {f"{{{RDF}}}about": ""})


def _item(parent: Element) -> Element:
    return SubElement(parent, f"{{{RDF}}}li", {f"{{{RDF}}}parseType": "Resource"})


def _declare(bag: Element, name: str, uri: str, prefix: str, properties: list[tuple[str, str, str]]) -> None:
    item = _item(bag)
    for key, value in (("schema", name), ("namespaceURI", uri), ("prefix", prefix)):
        SubElement(item, f"{{{SCHEMA}}}{key}").text = value
    sequence = SubElement(SubElement(item, f"{{{SCHEMA}}}property"), f"{{{RDF}}}Seq")
    for key, kind, meaning in properties:
        entry = _item(sequence)
        for tag, value in (("name", key), ("valueType", kind), ("category", "internal"), ("description", meaning)):
            SubElement(entry, f"{{{PROPERTY}}}{tag}").text = value


def packet(metadata: DocumentMetadata, properties: Mapping[str, str], *args: object) -> bytes:
    """RDF bytes for `metadata` (`args`: variant, version, conformance as WeasyPrint passes them)."""
    accessible = _description()
    SubElement(accessible, f"{{{NS['pdfuaid']}}}part").text = "1"
    ledger = _description()
    for key, value in sorted(properties.items()):
        SubElement(ledger, f"{{{LEDGER}}}{key}").text = value
    schemas = _description()
    bag = SubElement(SubElement(schemas, f"{{{EXTENSION}}}schemas"), f"{{{RDF}}}Bag")
    _declare(
        bag,
        "PDF/UA Universal Accessibility Schema",
        NS["pdfuaid"],
        "pdfuaid",
        [("part", "Integer", "Part of ISO 14289 the document conforms to")],
    )
    described = [(key, "Text", f"Assay report: {key}") for key in sorted(properties)]
    _declare(bag, "Assay ledger report schema", LEDGER, "ledger", described)
    written: bytes = DocumentMetadata.generate_rdf_metadata(metadata, *args)
    ours = b"".join(tostring(part, encoding="utf-8") for part in (accessible, ledger, schemas))
    return written.removesuffix(b"</rdf:RDF>") + ours + b"</rdf:RDF>"
