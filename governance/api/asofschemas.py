"""Shapes of the answers about earlier states and of the search, for the OpenAPI document."""

from rest_framework import serializers

_RECEIPT = "Address of the receipt that proves the entry."


class ObjectLineSchema(serializers.Serializer[dict[str, object]]):
    """One object in a list."""

    id = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)
    began = serializers.IntegerField(help_text="The entry that its life begins with.")
    entry = serializers.IntegerField(allow_null=True, help_text="The entry that carries `after`.")
    receipt = serializers.CharField(allow_null=True, help_text=_RECEIPT)
    after = serializers.DictField(allow_null=True, help_text="Every column, as the ledger holds it.")


class ObjectListAtSchema(serializers.Serializer[dict[str, object]]):
    """Objects of a kind at a tree size."""

    kind = serializers.CharField()
    at = serializers.IntegerField()
    items = ObjectLineSchema(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="Send it as `before` for the next page.")


class ReferringSchema(serializers.Serializer[dict[str, object]]):
    """An object that pointed to this one."""

    kind = serializers.CharField()
    id = serializers.UUIDField()
    name = serializers.CharField()
    field = serializers.CharField()


class ObjectAtSchema(serializers.Serializer[dict[str, object]]):
    """One object at a tree size."""

    kind = serializers.CharField()
    id = serializers.UUIDField()
    name = serializers.CharField()
    at = serializers.IntegerField()
    head = serializers.IntegerField(help_text="Entries of the log now.")
    state = serializers.CharField(help_text="`here`, `erased`, `absent` since an import, or `unknown` yet.")
    entry = serializers.IntegerField(allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True)
    erased_by = serializers.IntegerField(allow_null=True, help_text="The entry that tells the erasure.")
    receipt = serializers.CharField(allow_null=True, help_text=_RECEIPT)
    after = serializers.DictField(allow_null=True)
    changes = serializers.ListField(child=serializers.IntegerField())
    referring = ReferringSchema(many=True)


class ObjectHistorySchema(serializers.Serializer[dict[str, object]]):
    """Entries about an object."""

    kind = serializers.CharField()
    id = serializers.UUIDField()
    at = serializers.IntegerField()
    items = serializers.ListField(child=serializers.DictField())
    next = serializers.IntegerField(allow_null=True, help_text="Send it as `before` for the next page.")


class SearchSchema(serializers.Serializer[dict[str, object]]):
    """What a question found."""

    q = serializers.CharField(help_text="The question as it was taken.")
    groups = serializers.ListField(child=serializers.DictField(), help_text="By kind: `kind`, `items`, `more`.")
    entry = serializers.IntegerField(allow_null=True, help_text="The entry with this number.")
    behind = serializers.IntegerField(help_text="Entries of the log that are not searched yet.")
