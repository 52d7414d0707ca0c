"""The registry that `lists_growth` is measured on: what its pages show, and that its triggers stand again."""

import pytest
from django.db import DatabaseError, connections
from django.urls import reverse

from audit.models import User
from bench.registry import ACCOUNT, EVERYWHERE, OPEN, TABLES, fill
from governance import queries
from governance.models import ApprovalRequest, Deployment
from tests.integration.test_governance_pages import browser
from tests.services.databases import Database


def test_a_registry_as_the_bench_makes_it(committed: Database) -> None:
    fill(OPEN + 60)
    reviewer = User.objects.get(username=ACCOUNT)
    found = queries.queue(reviewer)
    assert (len(found.lines), found.waiting, bool(found.next)) == (50, 100, True)
    assert all(line.mine for line in found.lines)
    assert ApprovalRequest.objects.exclude(state="open").count() == 60
    assert Deployment.objects.filter(approved_revision__isnull=False).count() == 48
    groups = queries.search(EVERYWHERE).groups
    assert [(group.kind, group.more) for group in groups] == [
        (kind, True) for kind in ("model_version", "deployment", "revision", "request", "finding")
    ]
    assert "99+" in browser(reviewer).get(reverse("admin:desk_requests")).content.decode()
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT t.tgisinternal AND t.tgenabled <> 'A' AND c.relname = ANY(%s)",
            [list(TABLES)],
        )
        assert cursor.fetchone() == (0,)
        with pytest.raises(DatabaseError, match="deployment"):
            cursor.execute("DELETE FROM deployment")
