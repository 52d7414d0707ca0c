"""docs/openapi.yaml is what the code says: `./quickstart manage spectacular --file docs/openapi.yaml` renews it."""

from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

from tests.repository.tree import ROOT


def test_published_schema_is_current_and_valid() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    rendered = OpenApiYamlRenderer().render(schema, renderer_context={}).decode()
    assert not GENERATOR_STATS, "drf-spectacular could not describe an endpoint"
    assert rendered == (ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8")
