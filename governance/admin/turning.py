"""Stock lists that cost the same however many rows there are: counted so far, turned so far, searched by the index."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Field, Model
from django.http import HttpRequest

from governance.queries.lists import known_values

MOST: Final = 2_000
"""Rows that a list turns through; whoever looks for another one filters."""

if TYPE_CHECKING:
    _Paginator = Paginator[Model]
else:
    _Paginator = Paginator


class CappedPaginator(_Paginator):
    """Pages of the first MOST rows. `more`: there are others, so the page says that a filter leads to them."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, counted up to MOST."""
        return min(self._found, MOST)

    @property
    def more(self) -> bool:
        """Whether there are more rows than are turned through."""
        return self._found > MOST

    @cached_property
    def _found(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[: MOST + 1].count())


class KnownValues(admin.AllValuesFieldListFilter):
    """The values of an indexed column, found one after the other in its index: DISTINCT would read every row."""

    def __init__(
        self,
        field: "Field[Any, Any]",
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type[Model],
        model_admin: "admin.ModelAdmin[Any]",
        field_path: str,
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        self.lookup_choices: Any = known_values(model, field.name)
