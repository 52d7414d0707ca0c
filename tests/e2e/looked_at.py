"""One of each kind of page with something on it, for the look at them in a browser; and their addresses."""

from collections.abc import Iterator
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from audit.access.pools import propose_change
from audit.access.services import issue
from audit.models import Checkpoint, PoolChange, Token, User
from governance import operations
from governance.classification import Answer, newest
from governance.models import ApprovalRequest, Deployment, Revision, UseCase, WebhookDelivery, WebhookEndpoint
from tests.e2e.agent_pages import agent_addresses
from tests.integration.governance_story import Story
from tests.integration.test_governance_adapters import config, register


def tell_everything(story: Story) -> None:
    """An adapter, a request that loads it, a use case, a model's family, people with a token, and the search."""
    adapter = register(story, config=config(revision=None), base_version_id=story.version)
    story.submitted(name="call-summary", adapters=(adapter.id,))
    _classified(story.requester)
    _family(story.requester, story.version)
    _people(story)
    operations.index_log()
    operations.follow_notices(now=timezone.now())


def tell_webhook(operator: User, story: Story) -> None:
    """A webhook with a delivery that waits and one that was given up."""
    now = timezone.now()
    operations.register_webhook(
        by=operator, name="Tickets", url="https://hooks.example/a-path", kinds=["request.submitted"], now=now
    )
    for state in (WebhookDelivery.State.WAITING, WebhookDelivery.State.DEAD):
        WebhookDelivery.objects.create(
            endpoint=WebhookEndpoint.objects.get(),
            kind="request.submitted",
            subject=f"request:{story.version}",
            scope=state.value,
            params='{"ref": "REQ-0001"}',
            created_at=now,
            next_at=now,
            state=state,
            last_error="HTTP 503" if state == WebhookDelivery.State.DEAD else "",
        )


def addresses(story: Story) -> Iterator[str]:
    """Every kind of page."""
    request = ApprovalRequest.objects.order_by("-number")[0]
    for name in ("index", "ledger_list", "desk_requests", "desk_request_new", "desk_adapter_new", "password_change"):
        yield reverse(f"admin:{name}")
    for name in ("modelversion", "adapter", "finding"):
        yield reverse(f"admin:governance_{name}_changelist")
    yield reverse("admin:ledger_entry", args=[3])
    yield f"{reverse('admin:ledger_list')}?subject=re&from=yesterdy"
    yield reverse("admin:ledger_checkpoints")
    yield reverse("admin:ledger_checkpoint", args=[Checkpoint.objects.latest("size").size])
    yield reverse("admin:desk_adapter", args=request.revision.adapters)
    yield reverse("admin:desk_review", args=[request.pk])
    yield reverse("admin:desk_deployment", args=[request.deployment_id])
    yield reverse("admin:governance_usecase_changelist")
    yield reverse("admin:desk_use_case_new")
    for name in ("desk_use_case", "desk_use_case_classify"):
        yield reverse(f"admin:{name}", args=[UseCase.objects.get().pk])
    yield from _of_models(request.revision)
    for name in ("people", "pool_change_new", "log_in_new", "tokens", "service_new"):
        yield reverse(f"admin:{name}")
    yield reverse("admin:pool_change", args=[PoolChange.objects.latest("number").pk])
    yield reverse("admin:token", args=[Token.objects.get().pk])
    yield reverse("admin:service", args=[Token.objects.get().service_account_id])
    yield reverse("admin:person", args=[request.requester_id])
    yield reverse("admin:log_in", args=[request.requester.users.get().pk])
    yield reverse("admin:desk_registry_object", args=["request", request.pk])
    approved = Deployment.objects.filter(approved_revision__isnull=False)[0]
    yield f"{reverse('admin:desk_registry_object', args=['deployment', approved.pk])}?at=5"
    yield reverse("admin:desk_registry_object", args=["deployment", approved.pk])
    yield reverse("admin:desk_registry", args=["deployment"])
    yield f"{reverse('admin:desk_search')}?q=call"
    yield from agent_addresses(story)
    yield reverse("admin:desk_notifications")
    yield reverse("admin:desk_notification_preferences")
    yield reverse("start")
    yield reverse("api-docs")


def operator_addresses() -> Iterator[str]:
    """Pages that operators alone see."""
    yield reverse("admin:desk_webhooks")
    yield reverse("admin:desk_webhook_new")
    for name in ("desk_webhook", "desk_webhook_change"):
        yield reverse(f"admin:{name}", args=[WebhookEndpoint.objects.get().pk])


def _of_models(revision: Revision) -> Iterator[str]:
    version, pool = revision.model_version, revision.gpu_pool
    yield reverse("admin:desk_model", args=[version.model_id])
    yield reverse("admin:desk_model_version", args=[version.pk])
    yield reverse("admin:desk_pool", args=[pool.pk])
    yield reverse("admin:desk_standing", args=["model_version", version.pk])
    yield reverse("admin:desk_edit", args=["gpu_pool", pool.pk])
    yield reverse("admin:desk_relation_new", args=[version.pk])


def _classified(requester: User) -> None:
    """A use case whose page has a path to show."""
    now = timezone.now()
    made = operations.register_use_case(
        by=requester,
        name="Support chatbot",
        intended_purpose="Answers questions about products; a person takes over on request.",
        eu_role="deployer",
        member_states=("DE", "FR"),
        now=now,
    )
    said = [Answer(node, "yes", "It infers answers from examples.") for node in ("s1", "s2")]
    said.append(Answer("s3", "unsure", "Somebody has to ask the vendor."))
    operations.classify_use_case(
        by=requester, use_case_id=made.id, tree_version=newest().version, answers=said, seen=1, now=now
    )


def _family(requester: User, version_id: UUID) -> None:
    """A version whose page has files, a family, a quantisation and a standing to show."""
    now = timezone.now()
    operations.declare_relation(
        by=requester,
        child_id=version_id,
        parent_name="somebody/a-base-with-a-rather-long-name-that-nobody-registered",
        relation="finetune",
        now=now,
    )
    file = operations.File("consolidated.00.pth", "weights", "pytorch_pickle", "a" * 64, 16_060_522_496)
    operations.add_artefact(by=requester, file=file, model_version_id=version_id, now=now)
    operations.declare_quantisation(by=requester, model_version_id=version_id, scheme="awq", bits="4", now=now)
    operations.change_standing(
        by=requester,
        subject_kind="model_version",
        subject_id=version_id,
        state="deprecated",
        reason="A newer one answers better at the same price.",
        seen=0,
        now=now,
    )


def _people(story: Story) -> None:
    """A change that waits for a second person, and a token."""
    now = timezone.now()
    propose_change(
        by=story.reviewer,
        account_id=story.requester.pk,
        pool="Reviewers",
        change_="add",
        reason="One more who knows the models.",
        now=now,
    )
    issue(
        by=story.requester,
        service_account_id=story.service.pk,
        scopes=["events:write", "registry:read"],
        days=90,
        networks=["10.1.0.0/16", "2001:db8::/32"],
        now=now,
    )
