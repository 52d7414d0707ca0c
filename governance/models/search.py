"""What the search and the pages of earlier states look up. Both tables follow from the log and can be made again."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q


class SearchDocument(models.Model):
    """The newest snapshot of a governed object as words. `number` counts the documents of a kind from 0 on.

    A word of `words` begins with the kind and the shelf that the number falls on (`governance.queries.words`), so
    that a search can read the newest shelf first and stop.
    """

    subject = models.CharField(max_length=100, primary_key=True)
    kind = models.CharField(max_length=40)
    number = models.BigIntegerField()
    label = models.CharField(max_length=200)
    detail = models.CharField(max_length=300)
    entry_index = models.BigIntegerField()
    words = SearchVectorField()

    class Meta:
        db_table = "search_document"
        constraints = [
            models.UniqueConstraint(fields=["kind", "number"], name="search_document_numbered_once"),
            models.CheckConstraint(
                name="search_document_not_negative", condition=Q(number__gte=0) & Q(entry_index__gte=0)
            ),
        ]
        indexes = [
            # Without its list of what is pending: every search would read that list through.
            GinIndex(fields=["words"], name="search_document_words", fastupdate=False),
        ]


class Mention(models.Model):
    """That a snapshot of `subject` pointed to `target`, first in entry `entry_index`; kept when it no longer does."""

    pk = models.CompositePrimaryKey("target", "subject")
    target = models.CharField(max_length=100)
    subject = models.CharField(max_length=100)
    entry_index = models.BigIntegerField()

    class Meta:
        db_table = "search_mention"
        indexes = [models.Index("target", models.F("entry_index").desc(), "subject", name="search_mention_newest")]
