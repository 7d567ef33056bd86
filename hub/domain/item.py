"""The editorial life of an item (稿件): who may move it where. Says nothing about delivery.

``draft → dept_review → submitted → first_review → second_review → final_review → approved → released → withdrawn``

``TRANSITIONS`` says what is possible, ``decide`` adds who may do it. Pages ask ``allowed`` with the same facts, so a button
and the rule behind it cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hub.domain.problems import AlreadySigned, IllegalTransition, NotPermitted


class ItemState(StrEnum):
    DRAFT = "draft"
    DEPT_REVIEW = "dept_review"
    SUBMITTED = "submitted"
    FIRST_REVIEW = "first_review"
    SECOND_REVIEW = "second_review"
    FINAL_REVIEW = "final_review"
    APPROVED = "approved"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


STATE_LABELS: dict[ItemState, str] = {
    ItemState.DRAFT: "草稿",
    ItemState.DEPT_REVIEW: "部门审核",
    ItemState.SUBMITTED: "已报送",
    ItemState.FIRST_REVIEW: "初审",
    ItemState.SECOND_REVIEW: "复审",
    ItemState.FINAL_REVIEW: "终审",
    ItemState.APPROVED: "待签发",
    ItemState.RELEASED: "已签发",
    ItemState.WITHDRAWN: "已撤稿",
}


class ItemEvent(StrEnum):
    REVISE = "revise"
    SUBMIT = "submit"
    RECALL = "recall"
    """The author takes an item back before it is approved (主动撤回修改)."""
    TAKE = "take"
    """The centre takes a submitted item up (受理)."""
    SIGN_DEPT = "sign_dept"
    SIGN_FIRST = "sign_first"
    SIGN_SECOND = "sign_second"
    SIGN_FINAL = "sign_final"
    RETURN = "return"
    RELEASE = "release"
    CANCEL_RELEASE = "cancel_release"
    WITHDRAW = "withdraw"


class Role(StrEnum):
    LIAISON = "liaison"
    DEPT_HEAD = "dept_head"
    DUTY_EDITOR = "duty_editor"
    FIRST_REVIEWER = "first_reviewer"
    SECOND_REVIEWER = "second_reviewer"
    FINAL_REVIEWER = "final_reviewer"
    PUBLISHER = "publisher"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


ROLE_LABELS: dict[Role, str] = {
    Role.LIAISON: "信息员",
    Role.DEPT_HEAD: "分管负责人",
    Role.DUTY_EDITOR: "值班编辑",
    Role.FIRST_REVIEWER: "初审",
    Role.SECOND_REVIEWER: "复审",
    Role.FINAL_REVIEWER: "终审",
    Role.PUBLISHER: "签发",
    Role.ADMINISTRATOR: "管理员",
    Role.AUDITOR: "审计员",
}


class Stage(StrEnum):
    DEPT = "dept"
    FIRST = "first"
    SECOND = "second"
    FINAL = "final"


STAGE_LABELS: dict[Stage, str] = {Stage.DEPT: "部门审核", Stage.FIRST: "初审", Stage.SECOND: "复审", Stage.FINAL: "终审"}
STAGES = (Stage.DEPT, Stage.FIRST, Stage.SECOND, Stage.FINAL)
SIGN_EVENT: dict[Stage, ItemEvent] = {
    Stage.DEPT: ItemEvent.SIGN_DEPT,
    Stage.FIRST: ItemEvent.SIGN_FIRST,
    Stage.SECOND: ItemEvent.SIGN_SECOND,
    Stage.FINAL: ItemEvent.SIGN_FINAL,
}
STAGE_ROLE: dict[Stage, Role] = {
    Stage.DEPT: Role.DEPT_HEAD,
    Stage.FIRST: Role.FIRST_REVIEWER,
    Stage.SECOND: Role.SECOND_REVIEWER,
    Stage.FINAL: Role.FINAL_REVIEWER,
}
STAGE_OF_STATE: dict[ItemState, Stage] = {
    ItemState.DEPT_REVIEW: Stage.DEPT,
    ItemState.SUBMITTED: Stage.FIRST,
    ItemState.FIRST_REVIEW: Stage.FIRST,
    ItemState.SECOND_REVIEW: Stage.SECOND,
    ItemState.FINAL_REVIEW: Stage.FINAL,
}

_S, _E = ItemState, ItemEvent
_UNDER_REVIEW = (_S.DEPT_REVIEW, _S.SUBMITTED, _S.FIRST_REVIEW, _S.SECOND_REVIEW, _S.FINAL_REVIEW)

TRANSITIONS: dict[tuple[ItemState, ItemEvent], ItemState] = {
    (_S.DRAFT, _E.REVISE): _S.DRAFT,
    (_S.DRAFT, _E.SUBMIT): _S.DEPT_REVIEW,
    (_S.DEPT_REVIEW, _E.SIGN_DEPT): _S.SUBMITTED,
    (_S.SUBMITTED, _E.TAKE): _S.FIRST_REVIEW,
    # Signing the first review straight from the inbox takes the item up: one click less, the same signature.
    (_S.SUBMITTED, _E.SIGN_FIRST): _S.SECOND_REVIEW,
    (_S.FIRST_REVIEW, _E.SIGN_FIRST): _S.SECOND_REVIEW,
    (_S.SECOND_REVIEW, _E.SIGN_SECOND): _S.FINAL_REVIEW,
    (_S.FINAL_REVIEW, _E.SIGN_FINAL): _S.APPROVED,
    (_S.APPROVED, _E.RELEASE): _S.RELEASED,
    (_S.RELEASED, _E.CANCEL_RELEASE): _S.APPROVED,
    (_S.APPROVED, _E.RETURN): _S.DRAFT,
    **{(state, _E.RETURN): _S.DRAFT for state in _UNDER_REVIEW},
    **{(state, _E.RECALL): _S.DRAFT for state in _UNDER_REVIEW},
    # A new revision while the old one is under review, approved or public: every signature must be given again.
    **{(state, _E.REVISE): _S.DRAFT for state in (*_UNDER_REVIEW, _S.APPROVED, _S.RELEASED)},
    **{(state, _E.WITHDRAW): _S.WITHDRAWN for state in ItemState if state is not _S.WITHDRAWN},
}

EVENT_ROLES: dict[ItemEvent, tuple[Role, ...]] = {
    _E.REVISE: (Role.LIAISON, Role.DEPT_HEAD, Role.DUTY_EDITOR),
    _E.SUBMIT: (Role.LIAISON, Role.DUTY_EDITOR),
    _E.RECALL: (Role.LIAISON, Role.DUTY_EDITOR),
    _E.TAKE: (Role.FIRST_REVIEWER,),
    _E.SIGN_DEPT: (Role.DEPT_HEAD,),
    _E.SIGN_FIRST: (Role.FIRST_REVIEWER,),
    _E.SIGN_SECOND: (Role.SECOND_REVIEWER,),
    _E.SIGN_FINAL: (Role.FINAL_REVIEWER,),
    # Who may return depends on where the item lies: see _roles_for.
    _E.RETURN: (),
    _E.RELEASE: (Role.PUBLISHER,),
    _E.CANCEL_RELEASE: (Role.PUBLISHER,),
    _E.WITHDRAW: (Role.PUBLISHER,),
}
SIGNING = frozenset(SIGN_EVENT.values())

RETURN_REASONS: dict[str, str] = {
    "facts": "事实不准确或依据不足",
    "wording": "表述、文字有误",
    "format": "格式、要素不全",
    "privacy": "含个人隐私或敏感信息，需去标识化处理",
    "secrecy": "涉密或不宜公开",
    "attribute": "公开属性或范围不当",
    "attachment": "附件有误",
    "channel": "渠道文案需修改",
    "duplicate": "重复报送",
    "not_adopted": "不予采用",
    "other": "其他",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A right somebody holds: in one department or (``None``) everywhere; ``grades`` matter for the final review."""

    role: Role
    department_id: int | None = None
    grades: str = "ABC"
    on_behalf_of: int | None = None
    """The principal's id when this is a deputy's (AB角) borrowed right."""


@dataclass(frozen=True, slots=True)
class Signatory:
    """The stored identity behind a request. Never built from what a client says about itself."""

    person_id: int
    name: str
    grants: tuple[Grant, ...]
    is_service: bool = False
    """A department's system account: may hand in, may not sign."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules need to know of an item."""

    state: ItemState
    department_id: int
    grade: str
    touched_by: frozenset[int] = frozenset()
    """Everyone who wrote any revision of this item."""
    signed_by: frozenset[int] = frozenset()
    """Everyone who approved the current revision at any stage."""
    public: bool = False
    """A revision of it has been released."""


def decide(facts: Facts, event: ItemEvent, who: Signatory) -> tuple[ItemState, Grant]:
    """Return the new state and the right used. Raises IllegalTransition, AlreadySigned or NotPermitted with the reason."""
    target = TRANSITIONS.get((facts.state, event))
    if target is None:
        raise _impossible(facts.state, event)
    grant = _grant_for(facts, event, who)
    if event in SIGNING or event is ItemEvent.RETURN:
        _must_be_independent(facts, event, who)
    if event is ItemEvent.WITHDRAW and not facts.public:
        raise IllegalTransition("该稿件尚未签发，不存在可撤的发布内容；请退回或主动撤回修改", code="not_public")
    return target, grant


def allowed(facts: Facts, who: Signatory) -> tuple[ItemEvent, ...]:
    """Every event this person could cause now: what a page may show as a button."""
    found = []
    for event in ItemEvent:
        try:
            decide(facts, event, who)
        except (IllegalTransition, NotPermitted):
            continue
        found.append(event)
    return tuple(found)


def _impossible(state: ItemState, event: ItemEvent) -> IllegalTransition:
    if state is ItemState.WITHDRAWN:
        return IllegalTransition("该稿件已撤稿，不能再操作；如需重新发布请新建稿件", code="withdrawn")
    signing = next((stage for stage, sign in SIGN_EVENT.items() if sign is event), None)
    here = STAGE_OF_STATE.get(state)
    if signing is not None:
        order = {stage: n for n, stage in enumerate(STAGES)}
        if state in (ItemState.APPROVED, ItemState.RELEASED) or (here is not None and order[signing] < order[here]):
            return AlreadySigned(f"{STAGE_LABELS[signing]}已由他人签署，稿件现处于“{STATE_LABELS[state]}”", code="already_signed")
        return IllegalTransition(
            f"稿件现处于“{STATE_LABELS[state]}”，不能越级进行{STAGE_LABELS[signing]}；须按初审、复审、终审顺序逐级审核",
            code="stage_skipped",
        )
    return IllegalTransition(f"稿件现处于“{STATE_LABELS[state]}”，不能执行该操作", code="illegal_transition")


def _roles_for(state: ItemState, event: ItemEvent) -> tuple[Role, ...]:
    if event is not ItemEvent.RETURN:
        return EVENT_ROLES[event]
    if state is ItemState.APPROVED:
        return (Role.PUBLISHER, Role.FINAL_REVIEWER)
    return (STAGE_ROLE[STAGE_OF_STATE[state]],)


def _grant_for(facts: Facts, event: ItemEvent, who: Signatory) -> Grant:
    roles = _roles_for(facts.state, event)
    if who.is_service and (event in SIGNING or event in (ItemEvent.RETURN, ItemEvent.RELEASE, ItemEvent.WITHDRAW)):
        raise NotPermitted("系统账号不能审核、签发或撤稿，须由本人登录办理", code="service_account")
    held = [g for g in who.grants if g.role in roles and g.department_id in (None, facts.department_id)]
    if not held:
        names = "、".join(ROLE_LABELS[r] for r in roles)
        raise NotPermitted(f"需要本单位范围内的“{names}”权限", code="role_missing")
    if event is ItemEvent.SIGN_FINAL:
        held = [g for g in held if facts.grade in g.grades]
        if not held:
            raise NotPermitted(f"{facts.grade} 级稿件须由具有相应权限的终审人签署", code="grade_missing")
    # One's own right comes before a borrowed one.
    return min(held, key=lambda g: g.on_behalf_of is not None)


def _must_be_independent(facts: Facts, event: ItemEvent, who: Signatory) -> None:
    if who.person_id in facts.touched_by:
        raise NotPermitted("您撰写或修改过该稿件（任一版本），不能审核", code="own_text")
    if event in SIGNING and who.person_id in facts.signed_by:
        raise NotPermitted("您已签署过本版本的另一审次，同一人不能签署两个审次", code="two_stages")
