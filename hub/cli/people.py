"""``hub user`` and ``hub token``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer
from sqlalchemy import select

from hub.app import people
from hub.app.seed import CENTRE_ROLES
from hub.cli.printing import local, print_json, print_table, say
from hub.cli.shared import AsJson, AsUser, bad_call, caller, container, moment, one_of
from hub.domain.item import ROLE_LABELS, Role
from hub.store.tables import Department, GrantRow, Person, TokenRow

users = typer.Typer(no_args_is_help=True)
tokens = typer.Typer(no_args_is_help=True)


@users.command("add")
def add(
    username: str,
    name: Annotated[str, typer.Option(help="姓名")],
    department: Annotated[str, typer.Option(help="单位（英文短名）")],
    role: Annotated[list[str], typer.Option(help="职责，可多次：" + " ".join(Role))],
    grades: Annotated[str, typer.Option(help="终审人可签的审核级别，如 AB")] = "ABC",
    service: Annotated[bool, typer.Option(help="单位的系统账号：可报送，不能签字")] = False,
) -> None:
    """新增人员。信息员和分管负责人只对本单位有效，其余职责对所有单位有效。"""
    held = [Role(one_of(r, Role, "职责")) for r in role]
    if not grades or not set(grades) <= set("ABC"):
        bad_call(f"没有审核级别“{grades}”，可选 A、B、C 中的一个或几个，如 AB")
    roles = [(r, "" if r in CENTRE_ROLES else department, grades) for r in held]
    people.add_person(container().context, "cli", username=username, name=name, department=department, roles=roles, is_service=service)
    say(f"已新增 {name}（{username}）")


@users.command("deputy")
def name_deputy(
    principal: Annotated[str, typer.Option(help="被代审人（用户名）")],
    deputy: Annotated[str, typer.Option(help="代审人（用户名）")],
    role: Annotated[Role, typer.Option(help="代行的职责")],
    start: Annotated[str, typer.Option("--from", help="起始时间（北京时间），须晚于现在")],
    end: Annotated[str, typer.Option("--until", help="截止时间（北京时间）")],
    as_user: AsUser,
) -> None:
    """事先指定代审人（AB角）。"""
    hub = container()
    people.name_deputy(
        hub.context, caller(hub, as_user), principal=principal, deputy=deputy, role=role, starts_at=moment(start), ends_at=moment(end)
    )
    say(f"{start} 至 {end}，{deputy} 可代 {principal} 行使“{ROLE_LABELS[role]}”职责")


@users.command("list")
def list_people(as_json: AsJson = False) -> None:
    """列出人员和职责。"""
    with container().context.reading() as session:
        rows = session.execute(
            select(Person, Department.name).join(Department, Department.id == Person.department_id).order_by(Person.id)
        ).all()
        held: dict[int, list[str]] = {}
        for grant in session.scalars(select(GrantRow).where(GrantRow.ended_at.is_(None))):
            held.setdefault(grant.person_id, []).append(ROLE_LABELS[Role(grant.role)])
    found = [(p.username, p.name, d, "、".join(held.get(p.id, []))) for p, d in rows]
    if as_json:
        print_json([dict(zip(("username", "name", "department", "roles"), r, strict=True)) for r in found])
    else:
        print_table("人员", ["用户名", "姓名", "单位", "职责"], found)


@tokens.command("add")
def add_token(
    username: str,
    scope: Annotated[list[str], typer.Option(help="权限，可多次：" + " ".join(people.SCOPES))],
    label: Annotated[str, typer.Option(help="用途")],
    days: Annotated[int, typer.Option(min=1, max=730, help="有效天数")] = 90,
) -> None:
    """签发接口令牌；只显示这一次。"""
    token = people.issue_token(container().context, "cli", username=username, scopes=scope, label=label, lasts=timedelta(days=days))
    say(token)


@tokens.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """列出令牌（不含令牌本身）。"""
    with container().context.reading() as session:
        rows = session.execute(select(TokenRow, Person.username).join(Person, Person.id == TokenRow.person_id).order_by(TokenRow.id)).all()
    if as_json:
        names = ("id", "username", "label", "scopes", "expires_at", "revoked_at")
        values = [(t.id, u, t.label, t.scopes.split(), t.expires_at, t.revoked_at) for t, u in rows]
        print_json([dict(zip(names, v, strict=True)) for v in values])
    else:
        found = [(t.id, u, t.label, t.scopes, local(t.expires_at), local(t.revoked_at)) for t, u in rows]
        print_table("接口令牌", ["编号", "用户名", "用途", "权限", "到期（北京时间）", "吊销"], found)


@tokens.command("revoke")
def revoke(token_id: int) -> None:
    """吊销令牌。"""
    people.revoke_token(container().context, "cli", token_id)
    say(f"已吊销令牌 {token_id}")
