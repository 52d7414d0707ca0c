"""An erased snapshot leaves the search, and the pages of earlier states say that it is gone."""

from django.urls import reverse

from audit import erasure
from audit import queries as log
from audit.models import User
from audit.queries.roles import DATA_PROTECTION
from governance import operations, queries
from governance.models import SearchDocument
from tests.integration.erasure_story import NOW, REASON, person
from tests.integration.governance_story import tell
from tests.integration.test_governance_api import Pipeline
from tests.integration.test_governance_pages import browser


def erased(entry: int, by: User, officer: User) -> int:
    """The entry that tells of the erasure of a snapshot, after the search has read it."""
    asked = erasure.request_erasure(
        entry_index=entry, section="facts", legal_basis="gdpr-17-1-b", reason=REASON, by=by, now=NOW
    )
    told = erasure.decide_erasure(request_id=asked, decision="approve", reason=REASON, by=officer, now=NOW).entry
    operations.index_log()
    return told


def test_an_erased_snapshot_leaves_the_search_and_the_page_says_so(committed: object) -> None:
    story = tell()
    officer = person("keller", DATA_PROTECTION)
    request = story.submitted("forget-this-name")
    subject = f"deployment:{request.deployment_id}"
    first = log.newest_snapshot(subject, log.head_size())
    story.decided(request)
    operations.index_log()
    entry = log.newest_snapshot(subject, log.head_size())
    assert first is not None and entry is not None and first < entry
    erased(first, story.bystander, officer)  # the newest one stays
    kinds = {group.kind for group in queries.search("forget-this-name").groups}
    assert kinds >= {"deployment", "request", "revision", "decision"}  # a decision is called after its request
    told = erased(entry, story.bystander, officer)
    assert not SearchDocument.objects.filter(subject=subject).exists()
    # What a revision says itself is its own entry's content; nothing else is called after the deployment any more.
    assert [group.kind for group in queries.search("forget-this-name").groups] == ["revision"]
    assert not SearchDocument.objects.filter(label__contains="forget-this-name").exists()
    assert SearchDocument.objects.filter(subject=f"request:{request.id}").exists()
    page = queries.object_page("deployment", request.deployment_id)
    assert (page.state, page.erased_by, page.fields, page.after) == ("erased", told, (), None)
    assert page.history[-1].gone
    address = reverse("admin:desk_registry_object", args=["deployment", request.deployment_id])
    text = browser(story.bystander).get(address).content.decode()
    assert "that content was erased" in text
    assert "forget-this-name" not in text.split("<main", 1)[-1]
    assert [line.after for line in queries.objects_at("deployment").lines] == [None]
    rest = Pipeline(story).get(reverse("api-registry-object", args=["deployment", request.deployment_id])).json()
    assert (rest["state"], rest["after"], rest["erased_by"]) == ("erased", None, told)
    own = log.newest_snapshot(f"revision:{request.revision_id}", log.head_size())
    assert own is not None
    erased(own, story.bystander, officer)
    assert queries.search("forget-this-name").groups == ()
