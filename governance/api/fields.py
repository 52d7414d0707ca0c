"""Input fields that take what they are named for: DRF's own accept numbers as text, "1" as 1 and text as true."""

from datetime import date
from typing import Any
from uuid import UUID

from rest_framework import serializers


class Text(serializers.CharField):
    """A JSON string, and only that."""

    default_error_messages = {"invalid": "Must be a string."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "allow_blank": options.get("required") is False, **options})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A JSON number without a fraction."""

    default_error_messages = {"invalid": "Must be a whole number."}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class Id(serializers.UUIDField):
    """A UUID as a JSON string."""

    default_error_messages = {"invalid": "Must be a UUID as a string."}

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Day(serializers.DateField):
    """A day as a JSON string, YYYY-MM-DD."""

    default_error_messages = {"invalid": "Must be a day as YYYY-MM-DD."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"input_formats": ["%Y-%m-%d"], **options})

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str):
            self.fail("invalid")
        return super().to_internal_value(value)


class Choice(serializers.ChoiceField):
    """One of the given JSON strings."""

    default_error_messages = {"invalid_choice": "Must be one of: {choices}."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", choices=", ".join(map(str, self.choices)))
        return data


class Strict(serializers.Serializer[dict[str, Any]]):
    """An object that holds the declared fields and no others: a misspelt field is refused, not ignored."""

    default_error_messages = {"unknown": "This field is not known here.", "invalid": "Must be an object."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError({"non_field_errors": [self.error_messages["invalid"]]})
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError({unknown[0][:100]: self.error_messages["unknown"]})
        return super().to_internal_value(data)
