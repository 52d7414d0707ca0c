"""JSON Schema as rows, and a sample of it as JSON."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

DEEPEST = 5
"""Levels of nesting that are written out; deeper ones are named by their type."""

SAMPLES = {
    "uuid": "0199f3c2-7a41-7d0e-9b55-3f1c2ae80d77",
    "date-time": "2026-11-23T06:30:44Z",
    "date": "2026-11-23",
    "uri": "https://pipeline.example/run/4711",
    "email": "k.watanabe@aozora.example",
    "decimal": "12.50",
    "byte": "aGVsbG8=",
    "binary": "…",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body: `depth` says how far it stands in, `limits` what its values must keep to."""

    name: str
    depth: int
    kind: str
    required: bool
    limits: str
    description: str


class Shapes:
    """Reads schemas of one document; references are looked up in its components."""

    def __init__(self, components: Schema) -> None:
        self._components = components

    def resolve(self, schema: Schema) -> Schema:
        """The schema a reference stands for, with one-element `allOf` opened."""
        seen = 0
        while seen < 20:
            seen += 1
            if "$ref" in schema:
                section, name = str(schema["$ref"]).removeprefix("#/components/").split("/", 1)
                schema = {
                    **self._components[section][name],
                    **{k: v for k, v in schema.items() if k != "$ref"},
                }
            elif len(schema.get("allOf", ())) == 1:
                schema = {**schema["allOf"][0], **{k: v for k, v in schema.items() if k != "allOf"}}
            else:
                break
        return schema

    def kind(self, schema: Schema) -> str:
        """The type in words: `string (uuid)`, `array of object`, `integer or null`."""
        schema = self.resolve(schema)
        for word in ("oneOf", "anyOf"):
            if word in schema:
                return " or ".join(dict.fromkeys(self.kind(part) for part in schema[word]))
        named = schema.get("type", "object" if "properties" in schema else "any")
        kinds = [str(k) for k in named] if isinstance(named, list) else [str(named)]
        if kinds[0] == "array":
            kinds[0] = f"array of {self.kind(schema.get('items', {}))}"
        elif "format" in schema:
            kinds[0] += f" ({schema['format']})"
        if schema.get("nullable"):
            kinds.append("null")
        return " or ".join(kinds)

    def fields(self, schema: Schema, depth: int = 0) -> Iterator[Field]:
        """The fields of an object (or of an array's items), nested ones after their parent."""
        schema = self.resolve(schema)
        for word in ("oneOf", "anyOf"):
            for part in schema.get(word, ()):
                if (found := self.resolve(part)).get("type") in {"object", None} and "properties" in found:
                    yield from self.fields(found, depth)
                    return
        if schema.get("type") == "array":
            yield from self.fields(schema.get("items", {}), depth)
            return
        required = set(schema.get("required", ()))
        for name, inner in schema.get("properties", {}).items():
            inner = self.resolve(inner)
            yield Field(
                name,
                depth,
                self.kind(inner),
                name in required,
                limits(inner),
                str(inner.get("description", "")),
            )
            if depth < DEEPEST:
                yield from self.fields(inner, depth + 1)

    def sample(self, schema: Schema, depth: int = 0) -> object:
        """A value that fits the schema: its example where it has one."""
        schema = self.resolve(schema)
        for word in ("example", "default", "const"):
            if schema.get(word) is not None:
                return schema[word]
        for word in ("examples", "enum"):
            if schema.get(word):
                return schema[word][0]
        for word in ("oneOf", "anyOf"):
            if schema.get(word):
                return self.sample(schema[word][0], depth)
        kind = schema.get("type", "object")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object":
            return self._sample_object(schema, depth)
        if kind == "array":
            return [self.sample(schema.get("items", {}), depth + 1)] if depth < DEEPEST else []
        plain: dict[str, object] = {"integer": schema.get("minimum", 1), "number": 1.0, "boolean": True}
        return plain.get(kind, SAMPLES.get(str(schema.get("format", "")), "text"))

    def _sample_object(self, schema: Schema, depth: int) -> dict[str, object]:
        if depth >= DEEPEST:
            return {}
        required = schema.get("required", ())
        return {
            name: self.sample(inner, depth + 1)
            for name, inner in schema.get("properties", {}).items()
            if name in required or depth == 0 or not self.resolve(inner).get("nullable")
            if not self.resolve(inner).get("readOnly")
        }


def written(value: object, indent: str = "") -> str:
    """JSON for reading: one field a line, but a list of plain values on one."""
    inner = indent + "  "
    if isinstance(value, dict) and value:
        lines = [f"{inner}{json.dumps(str(key))}: {written(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return "[\n" + ",\n".join(inner + written(item, inner) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False, default=str)


def limits(schema: Schema) -> str:
    """What the values must keep to, in the words of JSON Schema's own terms."""
    words = []
    if schema.get("enum"):
        words.append(", ".join(str(value) for value in schema["enum"] if value not in {None, ""}))
    for term, sign in (
        ("minimum", "≥"),
        ("maximum", "≤"),
        ("minLength", "length ≥"),
        ("maxLength", "length ≤"),
    ):
        if term in schema:
            words.append(f"{sign} {schema[term]}")
    for term, sign in (("minItems", "items ≥"), ("maxItems", "items ≤"), ("pattern", "matches")):
        if term in schema:
            words.append(f"{sign} {schema[term]}")
    if schema.get("default") is not None:
        words.append(f"default {schema['default']}")
    return "; ".join(words)
