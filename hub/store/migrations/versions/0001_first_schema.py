"""First schema: every table, guard and trigger.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.base import Utc

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Frozen as they were when this migration was written: later rules come with later migrations.
TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER revisions_refuse_update BEFORE UPDATE ON revisions FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'revisions：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER revisions_refuse_delete BEFORE DELETE ON revisions FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'revisions：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER revisions_refuse_replace_0 BEFORE INSERT ON revisions FOR EACH ROW WHEN EXISTS (SELECT 1 FROM revisions WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'revisions：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER revisions_refuse_replace_1 BEFORE INSERT ON revisions FOR EACH ROW WHEN EXISTS (SELECT 1 FROM revisions WHERE item_id = NEW.item_id AND number = NEW.number) BEGIN SELECT RAISE(ABORT, 'revisions：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER renditions_refuse_update BEFORE UPDATE ON renditions FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'renditions：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER renditions_refuse_delete BEFORE DELETE ON renditions FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'renditions：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER renditions_refuse_replace_0 BEFORE INSERT ON renditions FOR EACH ROW WHEN EXISTS (SELECT 1 FROM renditions WHERE revision_id = NEW.revision_id AND channel = NEW.channel) BEGIN SELECT RAISE(ABORT, 'renditions：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER contributors_refuse_update BEFORE UPDATE ON contributors FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'contributors：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER contributors_refuse_delete BEFORE DELETE ON contributors FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'contributors：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER contributors_refuse_replace_0 BEFORE INSERT ON contributors FOR EACH ROW WHEN EXISTS (SELECT 1 FROM contributors WHERE item_id = NEW.item_id AND person_id = NEW.person_id) BEGIN SELECT RAISE(ABORT, 'contributors：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER reviews_refuse_update BEFORE UPDATE ON reviews FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'reviews：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER reviews_refuse_delete BEFORE DELETE ON reviews FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'reviews：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER reviews_refuse_replace_0 BEFORE INSERT ON reviews FOR EACH ROW WHEN EXISTS (SELECT 1 FROM reviews WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'reviews：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER reviews_not_own_text BEFORE INSERT ON reviews WHEN EXISTS (SELECT 1 FROM contributors c WHERE c.item_id = NEW.item_id AND c.person_id = NEW.person_id) BEGIN SELECT RAISE(ABORT, 'guard: nobody reviews an item whose text they touched'); END",
        "CREATE TRIGGER reviews_current_revision BEFORE INSERT ON reviews WHEN NOT EXISTS (SELECT 1 FROM items i JOIN revisions r ON r.item_id = i.id AND r.number = i.revision_no WHERE i.id = NEW.item_id AND r.id = NEW.revision_id) BEGIN SELECT RAISE(ABORT, 'guard: only the current revision can be reviewed'); END",
        "CREATE TRIGGER reviews_not_withdrawn BEFORE INSERT ON reviews WHEN EXISTS (SELECT 1 FROM items i WHERE i.id = NEW.item_id AND i.state = 'withdrawn') BEGIN SELECT RAISE(ABORT, 'guard: a withdrawn item cannot be reviewed'); END",
        "CREATE TRIGGER reviews_in_order BEFORE INSERT ON reviews WHEN NEW.decision = 'approve' AND NEW.stage <> 'dept' AND NOT EXISTS (SELECT 1 FROM reviews v WHERE v.revision_id = NEW.revision_id AND v.decision = 'approve' AND v.stage = CASE NEW.stage WHEN 'first' THEN 'dept' WHEN 'second' THEN 'first' WHEN 'final' THEN 'second' END) BEGIN SELECT RAISE(ABORT, 'guard: a stage cannot be skipped'); END",
        "CREATE TRIGGER reviews_by_a_person BEFORE INSERT ON reviews WHEN EXISTS (SELECT 1 FROM people p WHERE p.id = NEW.person_id AND p.is_service) BEGIN SELECT RAISE(ABORT, 'guard: a system account cannot sign'); END",
        "CREATE TRIGGER callbacks_refuse_update BEFORE UPDATE ON callbacks FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'callbacks：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER callbacks_refuse_delete BEFORE DELETE ON callbacks FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'callbacks：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER callbacks_refuse_replace_0 BEFORE INSERT ON callbacks FOR EACH ROW WHEN EXISTS (SELECT 1 FROM callbacks WHERE digest = NEW.digest) BEGIN SELECT RAISE(ABORT, 'callbacks：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER deliveries_need_three_reviews BEFORE INSERT ON deliveries WHEN NEW.action <> 'withdraw' AND (SELECT count(*) FROM reviews v JOIN revisions r ON r.id = v.revision_id AND r.digest = v.digest WHERE v.revision_id = NEW.revision_id AND v.decision = 'approve' AND v.stage IN ('dept','first','second','final')) <> 4 BEGIN SELECT RAISE(ABORT, 'guard: nothing reaches a channel without the full chain of reviews'); END",
        "CREATE TRIGGER record_entries_refuse_update BEFORE UPDATE ON record_entries FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'record_entries：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER record_entries_refuse_delete BEFORE DELETE ON record_entries FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'record_entries：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER record_entries_refuse_replace_0 BEFORE INSERT ON record_entries FOR EACH ROW WHEN EXISTS (SELECT 1 FROM record_entries WHERE seq = NEW.seq) BEGIN SELECT RAISE(ABORT, 'record_entries：只能追加，不得修改、删除或清空'); END",
        "CREATE TRIGGER record_head_refuse_delete BEFORE DELETE ON record_head FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'record_head：记录头不得删除'); END",
        "CREATE TRIGGER record_head_refuse_update BEFORE UPDATE ON record_head FOR EACH ROW WHEN NEW.size <= OLD.size BEGIN SELECT RAISE(ABORT, 'record_head：记录只增不减'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION hub_refuse() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'restrict_violation';\nEND\n$$",
        "CREATE TRIGGER revisions_refuse_update BEFORE UPDATE ON revisions FOR EACH ROW EXECUTE FUNCTION hub_refuse('revisions：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER revisions_refuse_delete BEFORE DELETE ON revisions FOR EACH ROW EXECUTE FUNCTION hub_refuse('revisions：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER revisions_refuse_truncate BEFORE TRUNCATE ON revisions FOR EACH STATEMENT EXECUTE FUNCTION hub_refuse('revisions：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER renditions_refuse_update BEFORE UPDATE ON renditions FOR EACH ROW EXECUTE FUNCTION hub_refuse('renditions：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER renditions_refuse_delete BEFORE DELETE ON renditions FOR EACH ROW EXECUTE FUNCTION hub_refuse('renditions：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER renditions_refuse_truncate BEFORE TRUNCATE ON renditions FOR EACH STATEMENT EXECUTE FUNCTION hub_refuse('renditions：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER contributors_refuse_update BEFORE UPDATE ON contributors FOR EACH ROW EXECUTE FUNCTION hub_refuse('contributors：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER contributors_refuse_delete BEFORE DELETE ON contributors FOR EACH ROW EXECUTE FUNCTION hub_refuse('contributors：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER contributors_refuse_truncate BEFORE TRUNCATE ON contributors FOR EACH STATEMENT EXECUTE FUNCTION hub_refuse('contributors：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER reviews_refuse_update BEFORE UPDATE ON reviews FOR EACH ROW EXECUTE FUNCTION hub_refuse('reviews：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER reviews_refuse_delete BEFORE DELETE ON reviews FOR EACH ROW EXECUTE FUNCTION hub_refuse('reviews：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER reviews_refuse_truncate BEFORE TRUNCATE ON reviews FOR EACH STATEMENT EXECUTE FUNCTION hub_refuse('reviews：只能追加，不得修改、删除或清空')",
        "CREATE OR REPLACE FUNCTION reviews_not_own_text() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM contributors c WHERE c.item_id = NEW.item_id AND c.person_id = NEW.person_id) THEN RAISE EXCEPTION USING MESSAGE = 'guard: nobody reviews an item whose text they touched', ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER reviews_not_own_text BEFORE INSERT ON reviews FOR EACH ROW EXECUTE FUNCTION reviews_not_own_text()",
        "CREATE OR REPLACE FUNCTION reviews_current_revision() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NOT EXISTS (SELECT 1 FROM items i JOIN revisions r ON r.item_id = i.id AND r.number = i.revision_no WHERE i.id = NEW.item_id AND r.id = NEW.revision_id) THEN RAISE EXCEPTION USING MESSAGE = 'guard: only the current revision can be reviewed', ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER reviews_current_revision BEFORE INSERT ON reviews FOR EACH ROW EXECUTE FUNCTION reviews_current_revision()",
        "CREATE OR REPLACE FUNCTION reviews_not_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM items i WHERE i.id = NEW.item_id AND i.state = 'withdrawn') THEN RAISE EXCEPTION USING MESSAGE = 'guard: a withdrawn item cannot be reviewed', ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER reviews_not_withdrawn BEFORE INSERT ON reviews FOR EACH ROW EXECUTE FUNCTION reviews_not_withdrawn()",
        "CREATE OR REPLACE FUNCTION reviews_in_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.decision = 'approve' AND NEW.stage <> 'dept' AND NOT EXISTS (SELECT 1 FROM reviews v WHERE v.revision_id = NEW.revision_id AND v.decision = 'approve' AND v.stage = CASE NEW.stage WHEN 'first' THEN 'dept' WHEN 'second' THEN 'first' WHEN 'final' THEN 'second' END) THEN RAISE EXCEPTION USING MESSAGE = 'guard: a stage cannot be skipped', ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER reviews_in_order BEFORE INSERT ON reviews FOR EACH ROW EXECUTE FUNCTION reviews_in_order()",
        "CREATE OR REPLACE FUNCTION reviews_by_a_person() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM people p WHERE p.id = NEW.person_id AND p.is_service) THEN RAISE EXCEPTION USING MESSAGE = 'guard: a system account cannot sign', ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER reviews_by_a_person BEFORE INSERT ON reviews FOR EACH ROW EXECUTE FUNCTION reviews_by_a_person()",
        "CREATE TRIGGER callbacks_refuse_update BEFORE UPDATE ON callbacks FOR EACH ROW EXECUTE FUNCTION hub_refuse('callbacks：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER callbacks_refuse_delete BEFORE DELETE ON callbacks FOR EACH ROW EXECUTE FUNCTION hub_refuse('callbacks：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER callbacks_refuse_truncate BEFORE TRUNCATE ON callbacks FOR EACH STATEMENT EXECUTE FUNCTION hub_refuse('callbacks：只能追加，不得修改、删除或清空')",
        "CREATE OR REPLACE FUNCTION deliveries_need_three_reviews() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.action <> 'withdraw' AND (SELECT count(*) FROM reviews v JOIN revisions r ON r.id = v.revision_id AND r.digest = v.digest WHERE v.revision_id = NEW.revision_id AND v.decision = 'approve' AND v.stage IN ('dept','first','second','final')) <> 4 THEN RAISE EXCEPTION USING MESSAGE = 'guard: nothing reaches a channel without the full chain of reviews', ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER deliveries_need_three_reviews BEFORE INSERT ON deliveries FOR EACH ROW EXECUTE FUNCTION deliveries_need_three_reviews()",
        "CREATE TRIGGER record_entries_refuse_update BEFORE UPDATE ON record_entries FOR EACH ROW EXECUTE FUNCTION hub_refuse('record_entries：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER record_entries_refuse_delete BEFORE DELETE ON record_entries FOR EACH ROW EXECUTE FUNCTION hub_refuse('record_entries：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER record_entries_refuse_truncate BEFORE TRUNCATE ON record_entries FOR EACH STATEMENT EXECUTE FUNCTION hub_refuse('record_entries：只能追加，不得修改、删除或清空')",
        "CREATE TRIGGER record_head_refuse_delete BEFORE DELETE ON record_head FOR EACH ROW EXECUTE FUNCTION hub_refuse('record_head：记录头不得删除')",
        "CREATE TRIGGER record_head_refuse_update BEFORE UPDATE ON record_head FOR EACH ROW WHEN (NEW.size <= OLD.size) EXECUTE FUNCTION hub_refuse('record_head：记录只增不减')",
    ),
}


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("paused_at", Utc(), nullable=True),
        sa.Column("pause_kind", sa.String(length=16), nullable=False),
        sa.Column("pause_reason", sa.Text(), nullable=False),
        sa.Column("brake_until", Utc(), nullable=True),
        sa.Column("last_ok_at", Utc(), nullable=True),
        sa.Column("tested_at", Utc(), nullable=True),
        sa.Column("expires_at", Utc(), nullable=True),
        sa.Column("warned_for", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_accounts")),
    )
    op.create_table(
        "areas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_areas")),
        sa.UniqueConstraint("slug", name=op.f("uq_areas_slug")),
    )
    op.create_table(
        "columns",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("keywords", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["columns.id"], name=op.f("fk_columns_parent_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_columns")),
        sa.UniqueConstraint("slug", name=op.f("uq_columns_slug")),
    )
    op.create_table(
        "departments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("org_code", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("next_index", sa.Integer(), nullable=False),
        sa.Column("index_year", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departments")),
        sa.UniqueConstraint("name", name=op.f("uq_departments_name")),
        sa.UniqueConstraint("slug", name=op.f("uq_departments_slug")),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_at", Utc(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notices_state"), ["state"], unique=False)

    op.create_table(
        "record_entries",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_record_entries")),
    )
    with op.batch_alter_table("record_entries", schema=None) as batch_op:
        batch_op.create_index("ix_record_entries_actor", ["actor", "seq"], unique=False)
        batch_op.create_index("ix_record_entries_subject", ["subject", "seq"], unique=False)
        batch_op.create_index("ix_record_entries_verb", ["verb", "at"], unique=False)

    op.create_table(
        "record_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_record_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_head")),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_service", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_people_department_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("username", name=op.f("uq_people_username")),
    )
    op.create_table(
        "deputies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("principal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deputy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("starts_at", Utc(), nullable=False),
        sa.Column("ends_at", Utc(), nullable=False),
        sa.Column("named_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["deputy_id"], ["people.id"], name=op.f("fk_deputies_deputy_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["principal_id"], ["people.id"], name=op.f("fk_deputies_principal_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputies")),
    )
    with op.batch_alter_table("deputies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deputies_deputy_id"), ["deputy_id"], unique=False)

    op.create_table(
        "grants",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("grades", sa.String(length=8), nullable=False),
        sa.Column("given_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_grants_department_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_grants_person_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grants_person_id"), ["person_id"], unique=False)

    op.create_table(
        "items",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("index_no", sa.String(length=64), nullable=False),
        sa.Column("external_ref", sa.String(length=160), nullable=True),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("revision_no", sa.Integer(), nullable=False),
        sa.Column("released_no", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("changed_at", Utc(), nullable=False),
        sa.Column("published_at", Utc(), nullable=True),
        sa.Column("withdrawn_at", Utc(), nullable=True),
        sa.Column("withdrawal_note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_items_created_by"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_items_department_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        sa.UniqueConstraint("external_ref", name=op.f("uq_items_external_ref")),
        sa.UniqueConstraint("index_no", name=op.f("uq_items_index_no")),
        sa.UniqueConstraint("public_id", name=op.f("uq_items_public_id")),
    )
    with op.batch_alter_table("items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_items_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_items_state"), ["state"], unique=False)

    op.create_table(
        "tokens",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("scopes", sa.String(length=200), nullable=False),
        sa.Column("issued_at", Utc(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("revoked_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_tokens_person_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
    )
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tokens_person_id"), ["person_id"], unique=False)

    op.create_table(
        "contributors",
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since_revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_contributors_item_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_contributors_person_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("item_id", "person_id", name=op.f("pk_contributors")),
    )
    op.create_table(
        "idempotency",
        sa.Column("token_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("etag", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_idempotency_token_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("token_id", "key", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "revisions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["people.id"], name=op.f("fk_revisions_author_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_revisions_item_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
        sa.UniqueConstraint("id", "digest", name=op.f("uq_revisions_id_digest")),
        sa.UniqueConstraint("id", "item_id", name=op.f("uq_revisions_id_item_id")),
        sa.UniqueConstraint("item_id", "number", name=op.f("uq_revisions_item_id_number")),
    )
    op.create_table(
        "releases",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("offsets", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("previous_no", sa.Integer(), nullable=False),
        sa.Column("cancelled_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_releases_item_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_releases_person_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["revision_id"], ["revisions.id"], name=op.f("fk_releases_revision_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
    )
    with op.batch_alter_table("releases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_releases_item_id"), ["item_id"], unique=False)

    op.create_table(
        "renditions",
        sa.Column("revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["revision_id"], ["revisions.id"], name=op.f("fk_renditions_revision_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("revision_id", "channel", name=op.f("pk_renditions")),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("decision", sa.String(length=12), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("on_behalf_of", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("reason_code", sa.String(length=24), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("statements", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["on_behalf_of"], ["people.id"], name=op.f("fk_reviews_on_behalf_of"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_reviews_person_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["revision_id", "digest"], ["revisions.id", "revisions.digest"], name=op.f("fk_reviews_revision_id_digest"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["revision_id", "item_id"],
            ["revisions.id", "revisions.item_id"],
            name=op.f("fk_reviews_revision_id_item_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.create_index("ix_reviews_item_id", ["item_id"], unique=False)
        batch_op.create_index(
            "uq_reviews_one_signature_per_stage",
            ["revision_id", "stage"],
            unique=True,
            postgresql_where=sa.text("decision = 'approve'"),
            sqlite_where=sa.text("decision = 'approve'"),
        )
        batch_op.create_index(
            "uq_reviews_one_stage_per_person",
            ["revision_id", "person_id"],
            unique=True,
            postgresql_where=sa.text("decision = 'approve'"),
            sqlite_where=sa.text("decision = 'approve'"),
        )

    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("release_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision_no", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("urgent", sa.Integer(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("next_at", Utc(), nullable=False),
        sa.Column("lease_until", Utc(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("needs_person", sa.Boolean(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("first_attempt_at", Utc(), nullable=True),
        sa.Column("settled_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_deliveries_release_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["revision_id", "item_id"],
            ["revisions.id", "revisions.item_id"],
            name=op.f("fk_deliveries_revision_id_item_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("revision_id", "channel", "action", name=op.f("uq_deliveries_revision_id_channel_action")),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_deliveries_item_id_channel", ["item_id", "channel"], unique=False)
        batch_op.create_index(batch_op.f("ix_deliveries_release_id"), ["release_id"], unique=False)
        batch_op.create_index("ix_deliveries_state_id", ["state", "id"], unique=False)
        batch_op.create_index("ix_deliveries_waiting", ["channel", "state", "next_at"], unique=False)

    op.create_table(
        "attempts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("worker", sa.String(length=80), nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("exchanges", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_attempts_delivery_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("delivery_id", "kind", "number", name=op.f("uq_attempts_delivery_id_kind_number")),
    )
    op.create_table(
        "callbacks",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_callbacks_delivery_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_callbacks")),
    )
    op.create_table(
        "progress",
        sa.Column("delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("begun_at", Utc(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_progress_delivery_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_progress")),
    )
    op.bulk_insert(
        sa.table("record_head", sa.column("id"), sa.column("size"), sa.column("frontier")),
        [{"id": 1, "size": 0, "frontier": '{"hashes":[],"size":0}'}],
    )
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """The record outlives everything: there is no way back from the first schema."""
    raise RuntimeError("首个数据库版本不能降级：记录不可删除")
